"""The form of a record: it asks for a reason, and overwrites nothing unseen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Max
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextInputWidget

from crm.builders.entity_form import EntityForm
from crm.records.changes import MAX_REASON, REASON
from crm.records.locks import lock_record
from crm.records.rules import RuleBroken
from crm.records.soft_delete import is_deleted

VERSION_TOKEN = "record_seen"
"""The hidden input with the state of the record that the form was made of."""
CURRENT_RULE_ERROR: ContextVar[RuleBroken | None] = ContextVar("broken", default=None)
"""The rule that the saving of a form broke, while the form is shown once more."""


@contextmanager
def showing_rule_error(broken: RuleBroken) -> Iterator[None]:
    """Let forms that are made meanwhile tell a rule that their saving broke."""
    token = CURRENT_RULE_ERROR.set(broken)
    try:
        yield
    finally:
        CURRENT_RULE_ERROR.reset(token)


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
            text = _(
                "Someone else saved this record while you were editing. Nothing of yours was saved, so that "
                "nothing of theirs is lost: open it in a second window, see its history, and save again there."
            )
            raise ValidationError(text, code="stale")
        return cleaned

    def _tell(self, broken: RuleBroken) -> None:
        """Say which rule the saving of this form broke: beside its field, or above the form for another record."""
        name = broken.field
        is_mine = isinstance(broken.record, type(self.instance))
        message = broken.messages[0] if is_mine else f"{broken.record}: {broken.messages[0]}"
        self.add_error(name if is_mine and name in self.fields else None, message)

    def _state_locked(self) -> str:
        """Return the state once whoever is saving the record now is done; who comes next waits for this one."""
        lock_record(self.instance)
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
    help_text = _("Kept in the history beside the change.")
    widget = UnfoldAdminTextInputWidget()
    label = _("Reason for the change")
    return forms.CharField(label=label, required=required, max_length=MAX_REASON, help_text=help_text, widget=widget)
