"""Forms of records and of their rows: nothing is overwritten unseen, and rows are as many as their parent says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection
from django.db.models import Count, Max
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from crm.builders.inputs import RecordSelect
from crm.records.changes import MAX_REASON, REASON
from crm.records.rules import RuleBroken
from crm.records.soft_delete import is_deleted

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

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._kept_choices: set[str] = set()
        self._keep_choices()

    def _keep_choices(self) -> None:
        """Let a choice that is none any more stay until someone chooses another: saving must not empty it."""
        for name, field in self.fields.items():
            value = getattr(self.instance, name, None) if isinstance(field, forms.TypedChoiceField) else None
            if value and str(value) not in {str(key) for key, _ in field.widget.choices}:
                field.choices = [*field.choices, (value, f"{value} (no longer a choice)")]
                self._kept_choices.add(name)

    def _get_validation_exclusions(self) -> set[str]:
        """Leave out what was none of the choices before, and was not changed."""
        kept = {name for name in self._kept_choices if name not in self.changed_data}
        return {*super()._get_validation_exclusions(), *kept}

    def add_error(self, field: str | None, error: Any) -> None:
        if field is None and hasattr(error, "error_dict"):
            told: dict[str, list] = {}
            for name, errors in error.error_dict.items():
                told.setdefault(name if name in self.fields else NON_FIELD_ERRORS, []).extend(errors)
            error = ValidationError(told)
        super().add_error(field, error)


class RecordForm(EntityForm):
    """The form of a record: asks for a reason, and refuses to overwrite what someone else saved meanwhile."""

    reason_required = False
    holds_rows = False

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance._rows_in_form = self.holds_rows
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
        if connection.features.has_select_for_no_key_update:
            rows = type(self.instance)._base_manager.filter(pk=self.instance.pk)
            list(rows.select_for_update(no_key=True).values_list("pk"))
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


class RowsFormSet(PaginationInlineFormSet):
    """Child rows; with `rows`, never more of them than the parent says."""

    counter = ""
    label = ""
    table = ""

    def _construct_form(self, i: int, **kwargs: Any) -> forms.ModelForm:
        form = super()._construct_form(i, **kwargs)
        form.instance._rows_in_form = True
        _tell_titles(form)
        return form

    def clean(self) -> None:
        super().clean()
        limit = getattr(self.instance, self.counter, None) if self.counter else None
        if limit is None:
            return
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        kept = [form for form in kept if not self._should_delete_form(form)]
        if len(kept) > limit:
            counter = self.instance.definition.fields[self.counter].label
            raise ValidationError(f"{self.label}: {len(kept)} are too many; {counter.lower()} is {limit}.")


def _tell_titles(form: forms.ModelForm) -> None:
    """Tell the pickers of a row the titles that were read along with it, so that no row costs a query."""
    for name, field in form.fields.items():
        widget = getattr(field.widget, "widget", field.widget)
        if isinstance(widget, RecordSelect) and name in form.instance._state.fields_cache:
            target = getattr(form.instance, name)
            widget.known = {str(target.pk): str(target)} if target else {}
