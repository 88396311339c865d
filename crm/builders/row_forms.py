"""The forms of a record's rows: so many at a time, as many as their parent says, and held against the gate together."""

from __future__ import annotations

import math
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.forms.formsets import TOTAL_FORM_COUNT
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from crm.blueprint.bounds import is_key
from crm.blueprint.nodes import Field
from crm.builders.entity_form import EntityForm
from crm.builders.inputs import RecordSelect
from crm.builders.mixins import leads_to_hidden
from crm.records.access import current_viewer
from crm.records.deletion import collect_deletion
from crm.records.display import display, field_value
from crm.records.gate import ROWS_OFF, check_removals, check_writes, raise_all
from crm.records.intended_write import IntendedWrite
from crm.records.row_limits import describe_too_many_rows
from crm.records.stored import as_stored

ROWS_PER_PAGE = 50
"""How many of a record's rows its form shows at a time."""
MAX_NEW_ROWS = 60
"""How many rows a form can add at once; each is a form of its own to build, to check and to show."""
SHOWN_BEYOND_LIMIT = 10
"""How many rows more than its parent allows are shown again, with what was typed into them, to choose from."""


class RowForm(EntityForm):
    """The form of a row: its formset hands all of them over to the gate together."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for leaf in self.instance.definition.leaves if self.instance.pk else ():
            if leaf.name in self.fields and leads_to_hidden(self.instance, leaf):
                self.fields[leaf.name] = KeptLink(leaf, self.instance)


class KeptLink(forms.Field):
    """Stands for a link to what the user does not see: shown as the list shows it, and kept whatever is sent."""

    def __init__(self, leaf: Field, record: Any):
        widget = UnfoldAdminTextInputWidget(attrs={"aria-label": leaf.label})
        super().__init__(label=leaf.label, required=False, disabled=True, widget=widget)
        self.kept, self.shown = field_value(record, leaf), display(record, leaf)

    def prepare_value(self, value: Any) -> str:
        return self.shown

    def clean(self, value: Any) -> Any:
        return self.kept


class RowsFormSet(PaginationInlineFormSet):
    """Child rows, a page of them at a time; with `rows`, never more of them than the parent says."""

    counter = ""
    label = ""
    table = ""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.max_num = self.held + MAX_NEW_ROWS  # where the page stops offering another row
        self.absolute_max = math.inf  # `too_many_sent` is asked instead

    @cached_property
    def held(self) -> int:
        """How many saved rows this page of the form holds."""
        return len(self.get_queryset())

    @property
    def limit(self) -> int | None:
        """How many rows the parent allows."""
        return getattr(self.instance, self.counter, None) if self.counter else None

    @cached_property
    def too_many_sent(self) -> int:
        """How many forms were sent where they are too many to be built, else 0."""
        if not self.is_bound:
            return 0
        added = min(MAX_NEW_ROWS, self._allowed() + SHOWN_BEYOND_LIMIT)
        sent = self.management_form.cleaned_data[TOTAL_FORM_COUNT]
        return sent if sent > self.held + added else 0

    def _allowed(self) -> int:
        """Return how many rows the parent allows, as it was or as it is sent along, which is not read yet."""
        if not self.counter:
            return MAX_NEW_ROWS
        sent = self.data.get(self.counter, "")
        return max(self.limit or 0, int(sent) if is_key(sent) else 0)

    def total_form_count(self) -> int:
        return self.held if self.too_many_sent else super().total_form_count()

    def initial_form_count(self) -> int:
        return min(self.held, super().initial_form_count()) if self.is_bound else super().initial_form_count()

    @property
    def rows_on_other_pages(self) -> models.QuerySet:
        """The saved rows that this page of the form does not hold."""
        everything = self.queryset
        if not self.per_page or self.paginator.num_pages < 2:
            return everything.none()
        return everything.exclude(pk__in=[row.pk for row in self.get_queryset()])

    def _construct_form(self, i: int, **kwargs: Any) -> forms.ModelForm:
        form = super()._construct_form(i, **kwargs)
        _tell_titles(form)
        return form

    def validate_unique(self) -> None:
        """Nothing: the gate is asked about all rows together, also whether two of them are the same."""

    def clean(self) -> None:
        if self.too_many_sent:
            raise ValidationError(self._refusal())
        super().clean()
        self._check_count()
        self._check_gate()

    def _check_count(self) -> None:
        limit = self.limit
        if limit is None:
            return
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        kept = [form for form in kept if not self._should_delete_form(form)]
        count = len(kept) + self.rows_on_other_pages.count()
        if count > limit:
            table = self.instance.definition.fields[self.table]
            raise ValidationError(describe_too_many_rows(table, count, limit))

    def _refusal(self) -> str:
        words = {"label": self.label, "count": f"{self.too_many_sent:,}", "most": MAX_NEW_ROWS}
        if self.limit is not None and self._allowed() < MAX_NEW_ROWS:
            counter = self.instance.definition.fields[self.counter].label.lower()
            words |= {"counter": counter, "limit": self._allowed()}
            return _("%(label)s: %(count)s rows were sent, but %(counter)s is %(limit)s. Nothing was saved.") % words
        return _("%(label)s: %(count)s rows were sent; add %(most)s at a time. Nothing was saved.") % words

    def _check_gate(self) -> None:
        """Hold the rows that were changed against the gate, all at once, and say beside each what it refuses."""
        changed = [form for form in self.forms if form.has_changed() and hasattr(form, "cleaned_data")]
        gone = [form for form in changed if self._should_delete_form(form)]
        written = [form for form in changed if form not in gone]
        befores = as_stored(self.model, [form.instance.pk for form in changed if form.instance.pk], current_viewer())
        writes = [
            IntendedWrite(
                form.instance,
                befores.get(form.instance.pk),
                current_viewer(),
                "rows",
                form.new_links(),
                skipped=frozenset(form._get_validation_exclusions()),
            )
            for form in written
        ]
        by_write = dict(zip(map(id, writes), written, strict=True))
        for refusal in check_writes(writes):
            error = ValidationError({refusal.field or NON_FIELD_ERRORS: refusal.message})
            by_write[id(refusal.write)].add_error(None, error)
        going = collect_deletion(self.model, [form.instance.pk for form in gone if form.instance.pk in befores])
        raise_all(check_removals(going.cascades, current_viewer(), ROWS_OFF))


def _tell_titles(form: forms.ModelForm) -> None:
    """Tell the pickers of a row the titles that were read along with it, so that no row costs a query."""
    for name, field in form.fields.items():
        widget = getattr(field.widget, "widget", field.widget)
        if isinstance(widget, RecordSelect) and name in form.instance._state.fields_cache:
            target = getattr(form.instance, name)
            widget.known = {str(target.pk): str(target)} if target else {}
