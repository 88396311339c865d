"""Form fields of the list's filters: whatever an address holds is measured before the database is asked."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django_filters.fields import DateRangeField, ModelMultipleChoiceField, RangeField

from crm.blueprint.nodes import Field
from crm.builders.inputs import WholeKeys
from crm.fields.notation import UNDECIDED, form_notation, readings
from crm.fields.numbers import BIGGEST, read_number

MAX_KEYS = 100
"""How many records one filter can choose: each is a condition of the query, and databases nest them so deep only."""


LARGEST = Decimal(BIGGEST)


class AnyOf:
    """Filters by `IN`: django-filter joins ORs by `SELECT DISTINCT` over all columns, which costs the whole table."""

    field_name: str

    def filter(self, qs: models.QuerySet, value: Any) -> models.QuerySet:
        return qs.filter(**{f"{self.field_name}__in": list(value)}) if value else qs


class NumberField(forms.CharField):
    """One end of a range: typed as the business writes numbers, or plain, as addresses hold them.

    A number beyond all columns is as large as the largest that they hold.
    """

    def __init__(self, field: Field):
        super().__init__()
        self.notation = form_notation(field.business)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        numbers = readings(text)
        try:
            number = numbers[self.notation.decimal] if len(numbers) > 1 else read_number(text, UNDECIDED)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return max(-LARGEST, min(number, LARGEST))

    def run_validators(self, value: Any) -> None:
        """Nothing: the validators of texts have nothing to say of numbers."""


def _with_an_end(bounds: slice | None) -> slice | None:
    """Return nothing for a range without ends, as two blanks are: django-filter would compare with the range itself."""
    return None if bounds is None or (bounds.start is None and bounds.stop is None) else bounds


class NumbersField(RangeField):
    """Two numbers, the least and the greatest."""

    def __init__(self, field: Field, *args: Any, **kwargs: Any):
        super().__init__((NumberField(field), NumberField(field)), *args, **kwargs)

    def compress(self, data_list: list[Any]) -> slice | None:
        return _with_an_end(super().compress(data_list))


class NumbersFilter(django_filters.RangeFilter):
    """Filters by a least and a greatest number."""


class DaysField(DateRangeField):
    """Two dates; those whose beginning or end no clock in the world can show are refused."""

    def compress(self, data_list: list[Any]) -> slice | None:
        try:
            days = _to_the_last_hour(_with_an_end(super().compress(data_list)))
            for end in (days.start, days.stop) if days else ():
                if end is not None:
                    end.astimezone(UTC)
        except OverflowError:
            raise ValidationError(_("The date is too near the end of time.")) from None
        return days


def _to_the_last_hour(days: slice | None) -> slice | None:
    """Let the last day end when its last hour has passed twice, where the clocks go back at midnight (PEP 495)."""
    if days is None or days.stop is None:
        return days
    return slice(days.start, days.stop.replace(fold=1))


class DaysFilter(django_filters.DateFromToRangeFilter):
    """Filters by a first and a last day."""

    field_class = DaysField


class KeysField(WholeKeys, ModelMultipleChoiceField):
    """Several records, by their primary keys."""

    def _check_values(self, value: Any) -> Any:
        if len(value) > MAX_KEYS:
            raise ValidationError(_("Choose %(count)s at most.") % {"count": MAX_KEYS})
        return super()._check_values(value)


class RecordsFilter(AnyOf, django_filters.ModelMultipleChoiceFilter):
    """Filters by the records that a link leads to."""

    field_class = KeysField
