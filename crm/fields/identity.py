"""What names a record to people and systems: formatted numbers, slugs, UUIDs; and JSON from elsewhere."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Sequence
from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import NOT_PROVIDED
from django.utils import timezone
from django.utils.text import slugify
from pydantic import Field as Key
from pydantic import field_validator

from crm.blueprint.bounds import shorten
from crm.blueprint.language import Report
from crm.blueprint.nodes import Field
from crm.blueprint.problems import did_you_mean
from crm.blueprint.sections import Flag, Name
from crm.fields import columns
from crm.fields.base import FieldType
from crm.fields.cell_values import text_of
from crm.fields.comparison import key_name
from crm.fields.counter import raise_counter, take_numbers
from crm.fields.limits import check_storable
from crm.fields.options import Options, Stored
from crm.fields.reading import Reading
from crm.fields.text import Text

NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")
HALF = re.compile("[\ud800-\udfff]")
SLOT = re.compile(r"\{(n(?::0?\d{1,2})?|year|month)\}")


class SequenceOptions(Options):
    format: str = Key("{n}", max_length=60, description="How it is written; `{n}`, `{n:05}`, `{year}` and `{month}`.")
    gapless: Flag = Key(
        False, description="Whether a save that fails gives its number back, at the price of saves waiting for another."
    )
    start: int = Key(1, ge=0, strict=True, description="The first number.")
    read_only: Flag = Key(
        True,
        description="Whether forms only show the number; `false` lets people type one instead. Files may bring theirs.",
    )

    @field_validator("format")
    @classmethod
    def _has_number(cls, value: str) -> str:
        rest = SLOT.sub("", value)
        if "{" in rest or "}" in rest:
            raise ValueError("only {n}, {n:05}, {year} and {month} may stand in braces")
        if not re.search(r"\{n(:0?\d{1,2})?\}", value):
            raise ValueError("the number {n} is missing")
        return value


class SequenceType(Text):
    name = "sequence"
    summary = (
        "A number given at saving, in a format: B-2026-00001. It starts again with each year or month named in it."
    )
    Options = SequenceOptions
    examples = ("B-2026-00001", "B-2026-00002")
    example_options = {"format": "B-{year}-{n:05}"}
    input = "given"
    breaks = False
    sets_on_save = True

    def column(self, field: Field) -> models.Field:
        return columns.Char(max_length=80, **self.common(field, unique=True, blank=True, null=True))

    def nullable(self, field: Field) -> bool:
        return True

    def validators(self, field: Field) -> list:
        return [MaxLengthValidator(80), check_storable]

    def fill(self, records: Sequence[models.Model], field: Field) -> None:
        """Give each record without a number the next one, behind the numbers that other records came with."""
        self._step_over([one for one in records if one._state.adding and getattr(one, field.name)], field)
        empty = [record for record in records if not getattr(record, field.name)]
        if not empty:
            return
        now = timezone.localtime()
        prefix = self._period(field, f"{now.year:04}", f"{now.month:02}")
        model = type(empty[0])
        while empty:
            key = self._counter(field, prefix)
            first = take_numbers(key, len(empty), field.options.start, gapless=field.options.gapless)
            numbers = [self._write(prefix, first + index) for index in range(len(empty))]
            taken = _taken(model, field, numbers)
            free = [number for number in numbers if number not in taken]
            for number in free:
                setattr(empty.pop(0), field.name, number)

    def _step_over(self, records: Sequence[models.Model], field: Field) -> None:
        """Set the counters behind the numbers of new records that have one already."""
        pattern = re.escape(field.options.format)
        for word, digits in (("year", r"(?P<year>\d{4})"), ("month", r"(?P<month>\d{2})")):
            pattern = pattern.replace(re.escape(f"{{{word}}}"), digits, 1).replace(re.escape(f"{{{word}}}"), r"\d+")
        pattern = re.sub(r"\\\{n(:\d+)?\\\}", r"(?P<n>\\d{1,17})", pattern, count=1)
        highest: dict[str, int] = {}
        for record in records:
            match = re.fullmatch(pattern, str(getattr(record, field.name)))
            if match:
                parts = match.groupdict()
                prefix = self._period(field, parts.get("year", ""), parts.get("month", ""))
                highest[prefix] = max(highest.get(prefix, 0), int(parts["n"]))
        for prefix, number in highest.items():
            raise_counter(self._counter(field, prefix), number, gapless=field.options.gapless)

    @staticmethod
    def _period(field: Field, year: str, month: str) -> str:
        return field.options.format.replace("{year}", year).replace("{month}", month)

    @staticmethod
    def _counter(field: Field, prefix: str) -> str:
        return f"{field.business.label}.{field.entity.name}.{field.name}:{prefix}"

    @staticmethod
    def _write(prefix: str, number: int) -> str:
        return re.sub(r"\{n(?::(0?)(\d{1,2}))?\}", lambda match: _pad(number, match), prefix)


def _pad(number: int, match: re.Match) -> str:
    width = int(match[2] or 0)
    return str(number).rjust(width, "0" if match[1] else " ").strip()


def _taken(model: type[models.Model], field: Field, values: Sequence[str]) -> set[str]:
    """Return which values are those of records already, by the column that keeps them apart."""
    twin = key_name(field.name)
    if all(column.name != twin for column in model._meta.concrete_fields):  # a migration of former times
        rows = model._base_manager.filter(**{f"{field.name}__in": values})
        return set(rows.values_list(field.name, flat=True))
    keys = {field.type.comparison_key(value, field): value for value in values}
    taken_keys = model._base_manager.filter(**{f"{twin}__in": list(keys)}).values_list(twin, flat=True)
    return {keys[key] for key in taken_keys}


class SlugOptions(Options):
    source: Name | None = Key(None, alias="from", description="The field that it is made of when left empty.")


class SlugType(Text):
    name = "slug"
    summary = "A word for web addresses, unique; made of another field when left empty."
    Options = SlugOptions
    examples = ("alpine-lakes", "rome-2026")
    reads_as_title = False
    input = "slug"
    sets_on_save = True

    def column(self, field: Field) -> models.Field:
        return columns.Slug(
            max_length=100, **self.common(field, unique=True, blank=True, null=True, db_index=NOT_PROVIDED)
        )

    def nullable(self, field: Field) -> bool:
        return True

    def validators(self, field: Field) -> list:
        return []

    def check(self, field: Field, report: Report) -> None:
        source = field.options.source
        if source and source not in field.entity.fields:
            report(f"there is no field {source!r}", "from", hint=did_you_mean(source, field.entity.fields))

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        text = text_of(raw)
        if not re.fullmatch(r"[-\w]{1,100}", text, re.ASCII):
            raise ValueError(f"{shorten(text)} may hold letters, digits, '-' and '_' only.")
        return text

    def validate(self, value: str, field: Field) -> str:
        return value

    def fill(self, records: Sequence[models.Model], field: Field) -> None:
        """Make the missing slugs of the source field; a number tells equal ones apart."""
        source = field.options.source
        empty = [record for record in records if source and not getattr(record, field.name) and getattr(record, source)]
        bases = {id(record): slugify(str(getattr(record, source)))[:90] or uuid.uuid4().hex[:8] for record in empty}
        model = type(empty[0]) if empty else None
        for record in empty:
            base = bases[id(record)]
            near = model._base_manager.filter(**{f"{field.name}__istartswith": base})
            words = [*near.values_list(field.name, flat=True), *(getattr(other, field.name) or "" for other in records)]
            taken = {word.lower() for word in words}
            free = (word for word in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if word not in taken)
            setattr(record, field.name, next(free))


class UuidOptions(Options):
    unique: Flag = Key(True, description="Whether two records may have the same value.")


class Uuid(FieldType):
    name = "uuid"
    summary = "A UUID, given to every new record: a name of the record for other systems."
    Options = UuidOptions
    examples = ("6f1a1a52-6c1c-4b5e-9d8f-0a4d6a1c2b3e",)
    sortable = False
    input = "given"
    sets_on_save = True

    def column(self, field: Field) -> models.Field:
        return columns.Uuid(**self.common(field))

    def fill(self, records: Sequence[models.Model], field: Field) -> None:
        for record in records:
            if getattr(record, field.name) is None:
                setattr(record, field.name, uuid.uuid4())

    def nullable(self, field: Field) -> bool:
        return True

    def serialize(self, value: Any, field: Field) -> str:
        return str(value)

    def parse(self, raw: Any, field: Field, reading: Reading) -> uuid.UUID:
        try:
            return uuid.UUID(text_of(raw))
        except ValueError:
            raise ValueError(f"{shorten(text_of(raw))} is not a UUID.") from None

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}


class Json(FieldType):
    name = "json"
    summary = "Data of any shape, as JSON: for what other systems send along."
    Options = Stored
    examples = ({"a": [1, 2.5, None]}, [1, "x"], 7)
    sortable = False
    usable_as_key = False
    listable = True
    input = "json"

    def column(self, field: Field) -> models.Field:
        return columns.Json(**self.common(field, db_default=NOT_PROVIDED))

    def display(self, value: Any, field: Field) -> str:
        """Write the keys in one order: SQLite keeps that of the text, PostgreSQL has its own."""
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def serialize(self, value: Any, field: Field) -> str:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def parse(self, raw: Any, field: Field, reading: Reading) -> Any:
        try:
            text = raw if isinstance(raw, str) else json.dumps(raw, allow_nan=False, default=_number)
            return json.loads(text, parse_constant=_number, parse_float=_number)
        except (ValueError, TypeError, RecursionError) as error:
            reason = str(error).split(":")[0]
            raise ValueError(f"{str(raw)[:40]!r} is not JSON ({reason}).") from None

    def validate(self, value: Any, field: Field) -> Any:
        text = json.dumps(value, ensure_ascii=False)
        if NUL.search(text) or HALF.search(text):
            raise ValueError("holds a NUL or half of a character, which no database keeps.")
        return value

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "contentMediaType": "application/json"}


def _number(value: Any) -> float:
    """Return a number that JSON can hold: neither Infinity nor what would become it, such as 1e999."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no number of JSON")
    return number
