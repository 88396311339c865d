"""Forms of records and of their rows: nothing is overwritten unseen, and rows are as many as their parent says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import Count, Max
from django.forms.formsets import TOTAL_FORM_COUNT
from django.forms.models import InlineForeignKeyField
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from crm.blueprint.bounds import is_key
from crm.blueprint.nodes import Field
from crm.builders.inputs import RecordSelect
from crm.builders.mixins import leads_to_hidden
from crm.records.access import current_viewer
from crm.records.changes import MAX_REASON, REASON
from crm.records.deletion import collect_deletion
from crm.records.display import display, field_value
from crm.records.gate import ROWS_OFF, check_removals, check_writes, raise_all
from crm.records.intended_write import Entering, IntendedWrite
from crm.records.row_limits import describe_too_many_rows
from crm.records.rules import UNREAD, RuleBroken, hidden_fields
from crm.records.soft_delete import is_deleted
from crm.records.stored import as_stored
from crm.records.writes import lock

VERSION_TOKEN = "record_seen"
CURRENT_RULE_ERROR: ContextVar[RuleBroken | None] = ContextVar("broken", default=None)
"""The rule that the saving of a form broke, while the form is shown once more."""


@contextmanager
def showing_rule_error(broken: RuleBroken) -> Iterator[None]:
    token = CURRENT_RULE_ERROR.set(broken)
    try:
        yield
    finally:
        CURRENT_RULE_ERROR.reset(token)


class EntityForm(forms.ModelForm):
    """Base ModelForm. Errors on fields that are not in the form become non-field errors."""

    way_in: str | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._refused: dict[str, Any] = {}
        """What was typed into fields that something is wrong with: Django drops it, but rules must judge by it."""
        self._keep_choices()

    def _keep_choices(self) -> None:
        """Let a choice that is none any more stay until someone chooses another: saving must not empty it."""
        for name, field in self.fields.items():
            value = getattr(self.instance, name, None) if isinstance(field, forms.TypedChoiceField) else None
            if value and str(value) not in {str(key) for key, _label in field.widget.choices}:
                field.choices = [*field.choices, (value, f"{value} (no longer a choice)")]

    def new_links(self) -> dict[str, set[Any]]:
        """Return the new targets of the many-to-many fields that were changed: field → primary keys."""
        changed = [name for name in self._many() if name in self.changed_data]
        return {name: {target.pk for target in self.cleaned_data[name]} for name in changed}

    def _many(self) -> list[str]:
        """Return the many-to-many fields whose input could be read."""
        cleaned = getattr(self, "cleaned_data", {})
        return [leaf.name for leaf in self.instance.definition.leaves if leaf.type.many and leaf.name in cleaned]

    def _clean_fields(self) -> None:
        """Validate each input; remember what was typed where it can be read, though it is not allowed."""
        super()._clean_fields()
        self._keep_moments()
        for name in set(self._errors or ()) & set(self.fields) - set(self._refused):
            field, raw = self.fields[name], self[name].data
            if isinstance(field, forms.FileField | InlineForeignKeyField):
                continue
            with suppress(ValidationError, ValueError, TypeError):
                self._refused[name] = field.to_python(raw)

    def _keep_moments(self) -> None:
        """Keep moments that nobody changed: inputs show no fractions, nor which of two hours is meant."""
        moments = [name for name, field in self.fields.items() if isinstance(field, forms.SplitDateTimeField)]
        for name in set(moments) - set(self.changed_data):
            if self.instance.pk is not None and self.initial.get(name):
                self.cleaned_data[name] = self.initial[name]
                self._errors.pop(name, None)

    def _post_clean(self) -> None:
        """Let Django fill the record in and hold it against the gate, which is told how it comes in.

        It is judged with all that was typed: a rule of one field must not take another, refused one for empty. What
        cannot even be read is unknown, and so is whatever a rule says of it.
        """
        columns = {column.name: column for column in self.instance._meta.concrete_fields}
        for name, value in self._refused.items():
            if name in columns:
                columns[name].save_form_data(self.instance, value)
        wrong = set(self._errors or ()) & set(columns)
        setattr(self.instance, UNREAD, frozenset(wrong - set(self._refused)))
        self.instance.entering = Entering(self.way_in, self.new_links())
        super()._post_clean()
        self._leave_hidden_links()

    def _leave_hidden_links(self) -> None:
        """Keep the targets of many-to-many fields that are not asked for: with what was typed, they are hidden."""
        for name in set(self._many()) & hidden_fields(self.instance):
            is_new = self.instance.pk is None
            self.cleaned_data[name] = [] if is_new else list(getattr(self.instance, name).all())

    def add_error(self, field: str | None, error: Any) -> None:
        if field is not None and field in self.cleaned_data:
            self._refused[field] = self.cleaned_data[field]
        if field is None and hasattr(error, "error_dict"):
            told: dict[str, list] = {}
            for name, errors in error.error_dict.items():
                told.setdefault(name if name in self.fields else NON_FIELD_ERRORS, []).extend(errors)
            error = ValidationError(told)
        super().add_error(field, error)
        for errors in self._errors.values():  # what the saving broke, the gate may say once more
            errors.data = list({message: each for each, message in zip(errors.data, errors, strict=True)}.values())


class RecordForm(EntityForm):
    """The form of a record: asks for a reason, and refuses to overwrite what someone else saved meanwhile."""

    reason_required = False
    way_in = "form"

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            return
        self._keep_links()
        self.fields[REASON] = reason_field(self.reason_required)
        self.fields[VERSION_TOKEN] = forms.CharField(required=False, widget=forms.HiddenInput, initial=self._state_now)

    def _keep_links(self) -> None:
        """Let a link keep the target that it has, though nothing else may link to what is in the trash."""
        for name, field in self.fields.items():
            if isinstance(field, forms.ModelChoiceField) and not isinstance(field, forms.ModelMultipleChoiceField):
                target = getattr(self.instance, name, None)
                if target is not None and is_deleted(target):
                    field.queryset = field.queryset | type(target)._base_manager.filter(pk=target.pk)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        broken = CURRENT_RULE_ERROR.get()
        if broken is not None:
            self._tell(broken)
        seen = cleaned.get(VERSION_TOKEN)
        if seen and self.instance.pk and seen != self._state_locked():
            raise ValidationError(
                "Someone else saved this record while you were editing. Nothing of yours was saved, so that "
                "nothing of theirs is lost: open it in a second window, see its history, and save again there.",
                code="stale",
            )
        return cleaned

    def _tell(self, broken: RuleBroken) -> None:
        """Say which rule the saving of this form broke: beside its field, or above the form for another record."""
        name = broken.field
        is_mine = isinstance(broken.record, type(self.instance))
        message = broken.messages[0] if is_mine else f"{broken.record}: {broken.messages[0]}"
        self.add_error(name if is_mine and name in self.fields else None, message)

    def _state_locked(self) -> str:
        """Return the state once whoever is saving the record now is done; who comes next waits for this one."""
        lock(self.instance)
        return self._state_now()

    def _state_now(self) -> str:
        """Return when the record was last saved, and when its rows were, and how many there are."""
        model, record = type(self.instance), self.instance
        stamps = list(model._default_manager.filter(pk=record.pk).values_list("updated", flat=True))
        for table in record.definition.fields.values():
            if table.type.rows:
                child = model._meta.apps.get_model(model._meta.app_label, table.target.class_name)
                rows = child._default_manager.filter(**{record.definition.name: record.pk})
                stamps += rows.aggregate(last=Max("updated"), count=Count("pk")).values()
        return " ".join(one.isoformat() if hasattr(one, "isoformat") else str(one) for one in stamps)


def reason_field(required: bool) -> forms.CharField:
    """Return the input that asks why something is changed."""
    help_text = "Kept in the history beside the change."
    widget = UnfoldAdminTextInputWidget()
    return forms.CharField(
        label="Reason for the change", required=required, max_length=MAX_REASON, help_text=help_text, widget=widget
    )


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
        self.absolute_max = math.inf  # `refused` is asked instead

    @cached_property
    def held(self) -> int:
        """How many saved rows this page of the form holds."""
        return len(self.get_queryset())

    @property
    def limit(self) -> int | None:
        """How many rows the parent allows."""
        return getattr(self.instance, self.counter, None) if self.counter else None

    @cached_property
    def refused(self) -> int:
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
        return self.held if self.refused else super().total_form_count()

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
        if self.refused:
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
        words = {"label": self.label, "count": f"{self.refused:,}", "most": MAX_NEW_ROWS}
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
