"""Records made up for a business: values of every type, awkward ones first, and links between the records."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from hypothesis import strategies as st

from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.sections import AppSection
from crm.fields.moments import LONGEST, read_duration
from crm.fields.numbers import BIGGEST, DIGITS

Values = Callable[[Any, AppSection], st.SearchStrategy]
Rows = dict[str, list[dict[str, Any]]]
"""Entity → its records: leaf → value; a link is the position of its target; what is left out is left to the default."""

WORDS = (
    "a", "b", "007", "-5", "=1+1", "+", "@x", "'x", "''=1", "O'Hara & \"Søn\"", "a;b", "a|b", "a\\", "a\\;b", "a\\|b|",
    ";", "|", "two\nlines", "two\r\nlines", "old\rMac", "a\tb", "a, b", "日本 🎉", "e\u0301", "\u202ereversed", "a\u2028b",
    "true", "null", "1e5", "1_000", "22:30", "2026-01-01", "{x}", "50% %s", "<b>&amp;", "#N/A", "[]", '{"a": 1}', "\ufeffx",
    "very " * 400 + "long",
)  # fmt: skip
LETTERS = "ab \n;|\\'\"=-é"
JSON_VALUES = (
    {}, [], "", "a", 0, 7, -1.5, True, False, 1e-7, 2**53 + 1, "=1+1", "null", {"a": None}, {"a": ""}, [None], [[]],
    {"a": [1, 2.5, None, "ü;|"], "b": {"c": False}}, '"quoted"', "two\nlines",
)  # fmt: skip
DAYS = (
    date(2026, 2, 28),
    date.min,
    date.max,
    date(1899, 12, 31),
    date(1900, 2, 28),
    date(1900, 3, 1),
    date(2024, 2, 29),
)
MOMENTS = (
    datetime(2026, 7, 1, tzinfo=UTC),
    datetime(1, 1, 3, tzinfo=UTC),
    datetime(9999, 12, 28, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    datetime(1883, 6, 1, 12, 0, 1, tzinfo=UTC),
)
EMAILS = ("a@example.org", "First.Last+tag@sub.example.co.uk", "o'hara@example.org", "=1@example.org")
URLS = (
    "https://example.org/a?b=c&d=%20;e|f",
    "http://example.org",
    "http://localhost:8000/#x",
    "https://münchen.example",
)
PHONES = ("+442079460018", "+14155552671", "+819012345678")
COLORS = ("#0d9488", "#ffffff", "#00aa00")
COUNTRIES = ("GB", "PT", "JP", "NA", "NO")
SLUGS = ("a", "rome-2026", "-", "_x", "1", "a-2")
FILES = ("a.pdf", "two words.pdf", "=1.pdf", "ü.pdf", "a;b.pdf")
PICTURES = ("a.png", "two words.png", "ü.png")
TAGS = ("red", "blue; green", "a|b", "=1", "ends with \\", "\\;", "Ä", "'quoted'", "007", "x" * 60)


def text(options: Any, app: AppSection) -> st.SearchStrategy:
    """Return lines of text: what people write, and what breaks files."""
    most = getattr(options, "max_length", 200)
    made = st.sampled_from(WORDS) | st.text(LETTERS, min_size=1, max_size=8)
    return made.map(lambda word: word[:most].strip() or "a")


def _whole(options: Any, app: AppSection) -> st.SearchStrategy:
    low = -BIGGEST if options.min is None else options.min
    high = BIGGEST if options.max is None else options.max
    return st.sampled_from([n for n in (0, 1, -1, 10**15 + 1, low, high) if low <= n <= high]) | st.integers(low, high)


def _decimal(places: Callable[[Any, AppSection], int]) -> Values:
    def make(options: Any, app: AppSection) -> st.SearchStrategy:
        exponent, most = places(options, app), 10**DIGITS - 1
        low = -most if options.min is None else int(options.min.scaleb(exponent))
        high = most if options.max is None else int(options.max.scaleb(exponent))
        known = [n for n in (0, 1, -150, low, high) if low <= n <= high]
        return (st.sampled_from(known) | st.integers(low, high)).map(lambda n: Decimal(n).scaleb(-exponent))

    return make


def _duration(options: Any, app: AppSection) -> st.SearchStrategy:
    low = read_duration(options.min) if options.min else -LONGEST
    high = read_duration(options.max) if options.max else LONGEST
    known = [one for one in (timedelta(), timedelta(hours=49, seconds=15), low, high) if low <= one <= high]
    return st.sampled_from(known) | st.timedeltas(low, high)


def _phone(options: Any, app: AppSection) -> st.SearchStrategy:
    return st.sampled_from(PHONES if options.strict else (*PHONES, "12", "call me; =1"))


def of(*values: Any) -> Values:
    """Return the strategy of a type that has a few telling values."""
    return lambda options, app: st.sampled_from(values)


VALUES: dict[str, Values] = {
    "text": text,
    "long_text": text,
    "integer": _whole,
    "decimal": _decimal(lambda options, app: options.places),
    "money": _decimal(lambda options, app: get_currency_precision(app.currency)),
    "percent": _decimal(lambda options, app: 2),
    "boolean": of(False, True),
    "date": lambda options, app: st.sampled_from(DAYS) | st.dates(),
    "datetime": lambda options, app: (
        st.sampled_from(MOMENTS) | st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28), timezones=st.just(UTC))
    ),
    "time": lambda options, app: st.sampled_from((time(), time(9, 30), time(23, 59, 59, 999_999))) | st.times(),
    "duration": _duration,
    "email": of(*EMAILS),
    "phone": _phone,
    "url": of(*URLS),
    "choice": lambda options, app: st.sampled_from(list(options.choices)),
    "tags": lambda options, app: st.lists(st.sampled_from(options.choices or TAGS), unique=True, max_size=3),
    "user": of(0, 1, 2),
    "file": of(*FILES),
    "image": of(*PICTURES),
    "country": of(*COUNTRIES),
    "color": of(*COLORS),
    "json": of(*JSON_VALUES),
    "sequence": lambda options, app: st.sampled_from(("X-7", "2026-00007", "B-2026-00003", "7", "a;b")),
    "slug": of(*SLUGS),
    "uuid": lambda options, app: st.integers(0, 2**128 - 1).map(lambda n: uuid.UUID(int=n)),
}
"""How values of a type are made. Links are positions of other records and made in `rows`; the rest holds nothing."""


def is_late(leaf: Field) -> bool:
    """Say whether a link is set once all records are there: it may lead to a record that is made later."""
    return leaf.target is not None and not getattr(leaf.options, "required", False)


@st.composite
def rows(draw: st.DrawFn, business: Business, most: int = 3) -> Rows:
    """Make up to `most` records of each entity, such that all that must be unique is."""
    made: Rows = {}
    for entity in business.entities.values():
        kept: list[dict[str, Any]] = []
        for _ in range(draw(st.integers(0, most))):
            record = _record(draw, entity, made)
            if record is not None and not _clashes(record, kept, entity, late=False):
                kept.append(record)
        made[entity.name] = kept
    for entity in business.entities.values():
        for leaf in filter(is_late, entity.leaves):
            for record in made[entity.name] if leaf.type.stored else ():
                _link(draw, leaf, record, made, entity)
    return made


def _record(draw: st.DrawFn, entity: Entity, made: Rows) -> dict[str, Any] | None:
    record: dict[str, Any] = {}
    for leaf in entity.leaves:
        if not leaf.type.stored or is_late(leaf):
            continue
        if leaf.target is not None:
            if not made.get(leaf.target.name):
                return None
            record[leaf.name] = draw(st.integers(0, len(made[leaf.target.name]) - 1))
        elif getattr(leaf.options, "required", False) or draw(st.integers(0, 3)):
            record[leaf.name] = draw(VALUES[leaf.type.name](leaf.options, entity.business.app))
        elif not _has_default(leaf) or draw(st.booleans()):
            record[leaf.name] = [] if leaf.type.many else leaf.type.empty(leaf)
    return record


def _has_default(leaf: Field) -> bool:
    apart = [name for group in groups(leaf.entity) for name in group]
    return getattr(leaf.options, "default", None) is not None and leaf.name not in apart


def _link(draw: st.DrawFn, leaf: Field, record: dict[str, Any], made: Rows, entity: Entity) -> None:
    positions = list(range(len(made[leaf.target.name])))
    if leaf.type.many:
        record[leaf.name] = draw(st.lists(st.sampled_from(positions), unique=True, max_size=3)) if positions else []
        return
    chosen = draw(st.integers(0, len(positions)))
    record[leaf.name] = positions[chosen - 1] if chosen else None
    if _clashes(record, [one for one in made[entity.name] if one is not record], entity, late=True):
        record[leaf.name] = None


def groups(entity: Entity) -> Iterator[list[str]]:
    """Yield the leaves that together must differ: unique ones, unique groups, and the key of files."""
    for leaf in entity.leaves:
        if leaf.type.stored and not leaf.type.many and leaf.type.column(leaf).unique:
            yield [leaf.name]
    yield from entity.section.unique
    yield entity.sections["transfer"].match_on


def _clashes(record: dict, others: list[dict], entity: Entity, late: bool) -> bool:
    for group in groups(entity):
        if any(is_late(entity.find(name)) for name in group) and not late:
            continue
        mine = [_comparable(record.get(name)) for name in group]
        if group and None not in mine and any([_comparable(one.get(name)) for name in group] == mine for one in others):
            return True
    return False


def _comparable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
