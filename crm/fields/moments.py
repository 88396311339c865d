"""Dates, times of day, moments and durations."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import NOT_PROVIDED, Func
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from pydantic import Field as Key

from crm.blueprint.bounds import MAX_TEXT, shorten
from crm.blueprint.language import Report
from crm.blueprint.nodes import Field
from crm.fields import columns
from crm.fields.base import FieldType
from crm.fields.cell_values import text_of
from crm.fields.notation import Notation, read_text
from crm.fields.numbers import locale_of
from crm.fields.options import Keyed
from crm.fields.reading import Reading


class Today(Func):
    """The database's date of today."""

    template = "CURRENT_DATE"
    arity = 0
    output_field = models.DateField()


def zone_of(field: Field) -> ZoneInfo:
    """Return the time zone of the business."""
    return ZoneInfo(field.business.app.time_zone)


def _by_formats(text: str, reading: Reading) -> datetime | None:
    for pattern in reading.dates:
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    return None


def _formats(reading: Reading, fallback: str) -> str:
    return " or ".join(reading.dates) or fallback


class Date(FieldType):
    name = "date"
    summary = "A day. `default: today` is the day of adding."
    kind = "date"
    Options = Keyed
    examples = ("2026-02-28", "2024-02-29", "1931-12-31")
    filter = "date"
    input = "date"
    breaks = False

    def column(self, field: Field) -> models.Field:
        return columns.Date(**self.common(field))

    def default_words(self, field: Field) -> dict[str, Any]:
        return {"today": timezone.localdate}

    def db_default(self, field: Field) -> Any:
        default = super().db_default(field)
        return Today() if default is NOT_PROVIDED and self.default(field) is not NOT_PROVIDED else default

    def display(self, value: Any, field: Field) -> str:
        return format_date(value, "medium", locale=locale_of(field.business))

    def serialize(self, value: date, field: Field) -> str:
        return value.isoformat()

    def parse(self, raw: Any, field: Field, reading: Reading) -> date:
        if isinstance(raw, datetime):
            return raw.date()
        if isinstance(raw, date):
            return raw
        text = text_of(raw)
        if parsed := _by_formats(text, reading):
            return parsed.date()
        try:
            plain = parse_date(text)
            moment = None if plain else parse_datetime(text)
        except ValueError:
            plain = moment = None
        if moment and moment.time() == time():
            return moment.date()
        if plain is None:
            raise ValueError(f"{shorten(text)} is not a date; write it as {_formats(reading, '2026-12-31')}.")
        return plain

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


EARLIEST, LATEST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""The first and the last moment that every time zone can show."""


def check_moment(moment: datetime) -> None:
    """Refuse a moment that some time zone could not show. Raises ValidationError."""
    if timezone.is_aware(moment) and not EARLIEST <= moment <= LATEST:
        raise ValidationError(f"{moment:%Y-%m-%d} is too near the end of time.")


class DateTime(FieldType):
    name = "datetime"
    summary = "A moment: a day and a time, in the time zone of the business. `default: now` is the moment of adding."
    kind = "datetime"
    Options = Keyed
    examples = ("2026-02-28 14:30:00", "2026-07-01 00:00:00", "2026-10-25 01:30:00+00:00")
    filter = "date"
    input = "datetime"
    breaks = False

    def column(self, field: Field) -> models.Field:
        return columns.DateTime(**self.common(field))

    def validators(self, field: Field) -> list:
        return [check_moment]

    def default_words(self, field: Field) -> dict[str, Any]:
        return {"now": timezone.now}

    def db_default(self, field: Field) -> Any:
        default = super().db_default(field)
        return Now() if default is NOT_PROVIDED and self.default(field) is not NOT_PROVIDED else default

    def display(self, value: datetime, field: Field) -> str:
        local, locale = value.astimezone(zone_of(field)), locale_of(field.business)
        return f"{format_date(local, 'medium', locale=locale)}, {format_time(local.time(), 'short', locale=locale)}"

    def serialize(self, value: datetime, field: Field) -> str:
        """Return local time; with its offset where the clock shows that hour twice."""
        local = value.astimezone(zone_of(field))
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return local.isoformat(sep=" ") if twice else local.replace(tzinfo=None).isoformat(sep=" ")

    def parse(self, raw: Any, field: Field, reading: Reading) -> datetime:
        """Return the moment in UTC: a local one of the hour that comes twice would equal no other, not even itself."""
        parsed, zone = self._moment(raw, reading), zone_of(field)
        try:
            moment = (parsed if timezone.is_aware(parsed) else parsed.replace(tzinfo=zone)).astimezone(UTC)
            local = moment.astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            raise ValueError(f"{shorten(str(raw).strip())} is too near the end of time.") from None
        if timezone.is_naive(parsed) and local != parsed:
            raise ValueError(f"{shorten(str(raw).strip())} does not exist: the clocks were put forward then.")
        return moment

    @staticmethod
    def _moment(raw: Any, reading: Reading) -> datetime:
        if isinstance(raw, datetime):
            return raw
        if isinstance(raw, date):
            return datetime.combine(raw, time())
        text = text_of(raw)
        moment = _by_formats(text, reading)
        try:
            moment = moment or parse_datetime(text)
            day = None if moment else parse_date(text)
        except ValueError:
            moment = day = None
        if day:
            return datetime.combine(day, time())
        if moment is None:
            raise ValueError(f"{shorten(text)} is not a moment; write it as {_formats(reading, '2026-12-31 14:30')}.")
        return moment

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"}


class Time(FieldType):
    name = "time"
    summary = "A time of day."
    kind = "time"
    Options = Keyed
    examples = ("09:30:00", "00:00:00", "23:59:59")
    input = "time"
    breaks = False

    def column(self, field: Field) -> models.Field:
        return columns.Time(**self.common(field))

    def display(self, value: time, field: Field) -> str:
        return format_time(value, "short", locale=locale_of(field.business))

    def serialize(self, value: time, field: Field) -> str:
        return value.isoformat()

    def parse(self, raw: Any, field: Field, reading: Reading) -> time:
        if isinstance(raw, datetime):
            return raw.time()
        if isinstance(raw, time):
            return raw
        text = text_of(raw)
        try:
            parsed = None if re.search(r"[zZ+-]", text) else parse_time(text)  # Django would drop the zone.
        except ValueError:
            parsed = None
        if parsed is None:
            raise ValueError(f"{shorten(text)} is not a time of day; write it as 14:30.")
        return parsed

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^\d\d:\d\d:\d\d"}


class DurationOptions(Keyed):
    min: str | None = Key(None, description="The shortest, as 30m or 1:30.")
    max: str | None = Key(None, description="The longest, as 8h or 1:30.")


UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
WORDS = re.compile(
    r"(\d[\d.,]*)\s*(?:(w)(?:eeks?)?|(d)(?:ays?)?|(h)(?:(?:ou)?rs?)?|(m)(?:in(?:ute)?s?)?|(s)(?:ec(?:ond)?s?)?)(?![a-z])\s*"
)
CLOCK = re.compile(r"(-?)(\d{1,6}):([0-5]\d)(?::([0-5]\d(?:\.\d{1,6})?))?\Z")
LONGEST = timedelta(days=36_500)


def read_duration(raw: Any, notation: Notation | None = None) -> timedelta:
    """Read 1:30, 1:30:15, 90m, 1h 30m, 2d or 6 weeks; months and years are no lengths of time."""
    if isinstance(raw, timedelta):
        return raw
    if isinstance(raw, time):
        return timedelta(hours=raw.hour, minutes=raw.minute, seconds=raw.second)
    text = text_of(raw)[: MAX_TEXT + 1].lower()
    clock = CLOCK.match(text)
    if clock:
        sign, hours, minutes, seconds = clock.groups()
        duration = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds or 0))
        duration = -duration if sign else duration
    elif text and len(text) <= MAX_TEXT and WORDS.sub("", text) == "":
        parts = [(float(read_text(number, notation)), "".join(unit)) for number, *unit in WORDS.findall(text)]
        try:
            duration = sum((timedelta(**{UNITS[unit]: number}) for number, unit in parts), timedelta())
        except OverflowError:
            raise ValueError(f"{shorten(raw)} is too long.") from None
    else:
        raise ValueError(f"{shorten(raw)} is not a duration; write it as 1:30, 90m, 1h 30m or 30d.")
    if abs(duration) > LONGEST:
        raise ValueError(f"{shorten(raw)} is too long.")
    return duration


class Duration(FieldType):
    name = "duration"
    summary = "A length of time, written as 1:30, 90m, 1h 30m or 2d."
    kind = "duration"
    Options = DurationOptions
    examples = ("1:30:00", "0:00:00", "49:00:15")
    input = "duration"
    align = "right"
    writes_numbers = True

    def column(self, field: Field) -> models.Field:
        return columns.Duration(**self.common(field))

    def check(self, field: Field, report: Report) -> None:
        for key in ("min", "max"):
            try:
                read_duration(getattr(field.options, key) or "0m")
            except ValueError as error:
                report(f"{key!r}: {error}", key)
                return
        low, high = field.options.min, field.options.max
        if low and high and read_duration(low) > read_duration(high):
            report(f"'min' ({low}) is more than 'max' ({high})", "min")
        super().check(field, report)

    def validate(self, value: timedelta, field: Field) -> timedelta:
        low, high = field.options.min, field.options.max
        if low and value < read_duration(low):
            raise ValueError(f"must be {low} at least.")
        if high and value > read_duration(high):
            raise ValueError(f"may be {high} at most.")
        return value

    def display(self, value: timedelta, field: Field) -> str:
        minutes, seconds = divmod(int(abs(value).total_seconds()), 60)
        hours, minutes = divmod(minutes, 60)
        parts = [f"{hours} h"] if hours else []
        parts += [f"{minutes} min"] if minutes else []
        parts += [f"{seconds} s"] if seconds or not parts else []
        return ("-" if value < timedelta() else "") + " ".join(parts)

    def serialize(self, value: timedelta, field: Field) -> str:
        total = abs(value)
        minutes, seconds = divmod(int(total.total_seconds()), 60)
        fraction = f".{total.microseconds:06}".rstrip("0") if total.microseconds else ""
        sign = "-" if value < timedelta() else ""
        return f"{sign}{minutes // 60}:{minutes % 60:02}:{seconds:02}{fraction}"

    def parse(self, raw: Any, field: Field, reading: Reading) -> timedelta:
        return read_duration(raw, reading.numbers)

    def number_texts(self, cell: str) -> list[str]:
        return [number for number, *_ in WORDS.findall(cell.lower())]

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^-?\d+:\d\d:\d\d"}
