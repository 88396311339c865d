"""Child rows in the form of their parent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest
from unfold.admin import StackedInline, TabularInline

from crm.blueprint.bounds import is_key
from crm.blueprint.nodes import Field
from crm.builders.mixins import Access, ShownFields, TypedFormFields
from crm.builders.row_forms import ROWS_PER_PAGE
from crm.builders.rows import list_rows
from crm.records import access

MAX_BLANK_ROWS = 40
"""How many empty rows a form begins with: each is as large a part of the page as a filled one; a button adds more."""


class Rows(TypedFormFields, ShownFields, Access):
    """Child rows in the form of their parent."""

    table: Field
    extra = 0
    per_page = ROWS_PER_PAGE
    show_change_link = False
    can_delete = True

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        counter = self.table.options.rows
        if not counter:
            return 0
        if obj is None:
            asked = request.GET.get(counter, "") or request.POST.get(counter, "")
            wanted = int(asked) if is_key(asked) else self.parent_model._meta.get_field(counter).get_default()
            return min(wanted or 0, MAX_BLANK_ROWS)
        held = self.model._default_manager.filter(**{self.table.entity.name: obj}).count()
        return max(0, min((getattr(obj, counter) or 0) - held, MAX_BLANK_ROWS))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        links = [one.name for one in self.definition.fields.values() if one.target is not None and not one.type.many]
        return list_rows(access.visible_rows(request.user, self.model), self.definition, links).order_by(*self.ordering)


class RowsAdmin(Rows, TabularInline):
    """Rows of few fields, as lines of a table; each input carries the heading that it stands under."""

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        made = super().formfield_for_dbfield(db_field, request, **kwargs)
        if made is not None and not isinstance(made.widget, forms.MultiWidget):
            made.widget.attrs["aria-label"] = made.label
        return made


class StackedRowsAdmin(Rows, StackedInline):
    """Rows of many fields, as a block each."""
