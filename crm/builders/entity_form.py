"""What forms of records and forms of rows have in common: what they refuse and keep, and how they ask the gate."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.models import InlineForeignKeyField
from django.utils.translation import gettext as _

from crm.records.intended_write import NOTHING, Entering, own_leaves
from crm.records.rules import UNREAD, hidden_fields


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
                field.choices = [*field.choices, (value, _("%(value)s (no longer a choice)") % {"value": value})]

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
        self._refuse_missing()
        self._leave_hidden_links()

    def _refuse_missing(self) -> None:
        """Say what a new record cannot be saved without, and this form does not ask for; its gate leaves that out."""
        for leaf in own_leaves(self.instance.definition) if self.instance.pk is None else ():
            value = getattr(self.instance, self.instance._meta.get_field(leaf.name).attname)
            if leaf.name not in self.fields and leaf.type.needs_value(leaf) and value in NOTHING:
                text = _("It is required, and this form does not ask for it.")
                self.add_error(None, ValidationError({leaf.name: text}))

    def _leave_hidden_links(self) -> None:
        """Keep the targets of many-to-many fields that are not asked for: with what was typed, they are hidden."""
        for name in set(self._many()) & hidden_fields(self.instance):
            is_new = self.instance.pk is None
            self.cleaned_data[name] = [] if is_new else list(getattr(self.instance, name).all())

    def _named(self, name: str, errors: list[ValidationError]) -> list[str]:
        """Return what is said of a field that this form does not ask for, led by its label."""
        leaf = self.instance.definition.find(name)
        return [f"{leaf.label}: {text}" if leaf else text for error in errors for text in error.messages]

    def add_error(self, field: str | None, error: Any) -> None:
        if field is not None and field in self.cleaned_data:
            self._refused[field] = self.cleaned_data[field]
        if field is None and hasattr(error, "error_dict"):
            told: dict[str, list] = {}
            for name, errors in error.error_dict.items():
                is_asked = name in self.fields or name == NON_FIELD_ERRORS
                told.setdefault(name if is_asked else NON_FIELD_ERRORS, []).extend(
                    errors if is_asked else self._named(name, errors)
                )
            error = ValidationError(told)
        super().add_error(field, error)
        for errors in self._errors.values():  # what the saving broke, the gate may say once more
            errors.data = list({message: each for each, message in zip(errors.data, errors, strict=True)}.values())
