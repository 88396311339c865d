"""What the page of a record and the rows within it have in common."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.html import escape

from crm.blueprint.nodes import Entity, Field
from crm.builders.cells import DISPLAY_FUNCTIONS, shown_instead
from crm.builders.inputs import make_input
from crm.records import access
from crm.records.display import field_value
from crm.records.rules import closed_fields


class TypedFormFields:
    """Makes the inputs of a form from the types of the fields."""

    definition: Entity
    admin_site: Any

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the form field of a field; its help becomes HTML here, which templates take it for.

        Where an entity has two addresses, each part is called by its address as well.
        """
        field = self.definition.find(db_field.name)
        if field is None or field.type.input == "rows":
            return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        made = self._form_field(field, db_field, request, **kwargs)
        if made is not None:
            made.help_text = escape(field.options.help or "")
            made.label = field.distinct_label
        return made

    def _form_field(self, field: Field, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        made = make_input(field, db_field, self, request)
        if "formfield" in made:
            return made["formfield"]
        if field.target is not None:
            made["queryset"] = access.visible_rows(request.user, db_field.related_model)
            return super().formfield_for_dbfield(db_field, request, **{**kwargs, **made})  # type: ignore[misc]
        return db_field.formfield(**{**kwargs, **made})


class ShownFields:
    """Shows the values of fields that are not to be changed, by whoever may not or by anyone, as the list does.

    Fields that the user may not see are not there at all.
    """

    definition: Entity
    never_asked: tuple[str, ...] = ()

    def _not_asked(self, request: HttpRequest, obj: Any) -> tuple[str, ...]:
        verb = "add" if obj is None else "change"
        record = obj if isinstance(obj, self.model) else None  # type: ignore[attr-defined]
        seen = [leaf for leaf in self.definition.leaves if leaf.has_value and access.can_view_field(request.user, leaf)]
        if not access.has_perm(request.user, verb, self.model, record):  # type: ignore[attr-defined]
            return tuple(leaf.name for leaf in seen)
        closed = {*self.never_asked, *(closed_fields(record) if record is not None else ())}
        return tuple(
            leaf.name
            for leaf in seen
            if leaf.name in closed
            or not access.can_view_field(request.user, leaf, verb)
            or leads_to_hidden(record, leaf)
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        unseen = {leaf.name for leaf in self.definition.leaves if not access.can_view_field(request.user, leaf)}
        layout = self.layout(request, obj)
        shown = [(name, {**rest, "fields": without(rest["fields"], unseen)}) for name, rest in layout]
        return shown_instead([one for one in shown if one[1]["fields"]], self._not_asked(request, obj))

    def layout(self, request: HttpRequest, obj: Any) -> Any:
        """Return the fieldsets as if everything were asked for."""
        return self.fieldsets  # type: ignore[attr-defined]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(f"{DISPLAY_FUNCTIONS}{name}" for name in self._not_asked(request, obj))


def without(lines: Any, names: set[str]) -> tuple:
    """Return the lines of a fieldset without some fields."""
    kept = (without(line, names) if isinstance(line, tuple | list) else line for line in lines if line not in names)
    return tuple(line for line in kept if line != ())


def leads_to_hidden(record: Any, leaf: Field) -> bool:
    """Say whether a link leads to records that the user may not see, and would lose them by being asked for."""
    if record is None or leaf.target is None or not access.may_hide_rows(access.current_viewer(), leaf.target):
        return False
    value = field_value(record, leaf)
    return any(map(access.is_hidden, value)) if leaf.type.many else value is not None and access.is_hidden(value)


class Access:
    """Asks the access layer for everything that Django's admin asks of permissions."""

    model: type[models.Model]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.has_perm(request.user, "view", self.model)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.has_perm(request.user, "view", self.model, self._own(obj))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.has_perm(request.user, "add", self.model)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.has_perm(request.user, "change", self.model, self._own(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.has_perm(request.user, "delete", self.model, self._own(obj))

    def _own(self, obj: Any) -> Any:
        """Return the record that is asked about; rows within a form are asked about with their parent."""
        return obj if isinstance(obj, self.model) else None
