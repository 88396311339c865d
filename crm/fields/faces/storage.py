"""What the database keeps of a field: its model column, its defaults, and the values given at saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models import NOT_PROVIDED

from crm.blueprint.nodes import Field
from crm.fields.reading import Reading


class StorageFace:
    """The model column of a field type, what stands in it from the start, and what is given at saving."""

    stored = True
    """False where the field has no value of its own in the database, but parts, or rows elsewhere."""
    many = False
    """True where the value is several records."""
    rows = False
    """True where these records are edited within this one, and deleted with it."""
    sets_on_save = False
    """True where the type gives values at saving; see `fill`."""

    def column(self, field: Field) -> models.Field | None:
        """Return the model field, or None for a type that keeps nothing of its own."""
        raise NotImplementedError

    def common(self, field: Field, **more: Any) -> dict[str, Any]:
        """Return the column's arguments that most types share."""
        options = field.options
        null = self.nullable(field)
        values: dict[str, Any] = {
            "verbose_name": field.label,
            "help_text": options.help or "",
            "null": null,
            "blank": not getattr(options, "required", False),
            "unique": getattr(options, "unique", False),
            "db_index": getattr(options, "index", False) and not getattr(options, "unique", False),
            "validators": self.validators(field),
            **self._defaults(field),
        }
        return {key: value for key, value in {**values, **more}.items() if value is not NOT_PROVIDED}

    def _defaults(self, field: Field) -> dict[str, Any]:
        """A column's default for Python, and the database's own so that an older release can still insert."""
        default, defaults = self.default(field), {}
        if default is not NOT_PROVIDED:
            defaults["default"] = default
        in_database = self.db_default(field)
        if in_database is not NOT_PROVIDED:
            defaults["db_default"] = in_database
            defaults.setdefault("default", None if self.empty(field) is None else self.empty(field))
        return defaults

    def nullable(self, field: Field) -> bool:
        """Say whether nothing is stored as NULL."""
        return not field.options.required

    def empty(self, field: Field) -> Any:
        """Return the value that means nothing."""
        return None

    def validators(self, field: Field) -> list[Callable[[Any], None]]:
        """Return the validators of the column: limits, lengths, shapes."""
        return []

    def default(self, field: Field) -> Any:
        """Return the default of a new record: a value, a callable, or NOT_PROVIDED."""
        raw = getattr(field.options, "default", None)
        if raw is None:
            return NOT_PROVIDED
        words = self.default_words(field)
        return words[str(raw)] if str(raw) in words else self.parse(raw, field, Reading())

    def needs_value(self, field: Field) -> bool:
        """Say whether a new record cannot be saved unless somebody gives the field a value."""
        is_given = getattr(field.options, "default", None) is not None or self.sets_on_save
        return getattr(field.options, "required", False) and not is_given

    def default_words(self, field: Field) -> Mapping[str, Callable[[], Any]]:
        """Return the words that stand for a default found out at saving, such as `today`."""
        return {}

    def db_default(self, field: Field) -> Any:
        """Return the database's own default: the default or backfill where it is a value, else NOT_PROVIDED."""
        default = self.default(field)
        if default is not NOT_PROVIDED and not callable(default):
            return default
        backfill = getattr(field.options, "backfill", None)
        if backfill is not None:
            return self.parse(backfill, field, Reading())
        empty = self.empty(field)
        return NOT_PROVIDED if self.nullable(field) or empty is None else empty

    def fill(self, records: Sequence[models.Model], field: Field) -> None:
        """Give a value to each record that has none, all at once, in the transaction that saves them."""

    def replaced_values(self, field: Field) -> dict[str, str]:
        """Return the values that take the place of others, which the field no longer takes: old → new."""
        return {}
