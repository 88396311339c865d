"""What a field's values may not be: below or above its limits, and text that no database keeps."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator

from crm.blueprint.bounds import UNSTORABLE
from crm.blueprint.language import Report
from crm.blueprint.nodes import Field


def limits_of(field: Field) -> tuple[Any, Any]:
    """Return the field's `min` and `max`, or None."""
    return getattr(field.options, "min", None), getattr(field.options, "max", None)


def check_limits(field: Field, report: Report) -> None:
    """Report a `min` above `max`."""
    low, high = limits_of(field)
    if low is not None and high is not None and low > high:
        report(f"'min' ({low}) is more than 'max' ({high})", "min")


def check_storable(text: Any) -> None:
    """Refuse text that no database keeps: NUL characters and lone surrogates. Raises ValidationError."""
    ProhibitNullCharactersValidator()(text)
    if UNSTORABLE.search(str(text)):
        raise ValidationError("Halves of characters are not allowed.", code="surrogates_not_allowed")
