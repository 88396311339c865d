"""Writes records with every type of field to files and reads them back; tells in JSON what differed.

Runs in a process of its own, as the business `every`: test_round_trip.py starts it.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import models, transaction

from crm.blueprint.nodes import Entity, Field
from crm.capabilities.transfer.keys import name_of
from crm.capabilities.transfer.resource import export_rows
from crm.capabilities.transfer.runs import import_file
from crm.fields.comparison import fold_text
from crm.fields.reading import Reading
from crm.management.entities import business_here
from crm.models import Tag
from crm.records.display import is_empty

FORMATS = ("csv", "xlsx", "json")
ORDER = ("shelf", "book", "leaflet", "thing", "line")
DELETED = ("line", "thing", "book", "shelf")
"""Leaflets stay: only their `id` names them."""
NASTY = (
    "=1+1", "+44 20 7946 0018", "-5", "-", "@SUM(A1)", "'=1", "''=1", "'", "''", "'quoted'", '"double"', 'a "b" c', "a,b",
    "a;b", "a\\;b", "a\\", "\\", "a|b", "a\\|b", "a\\\\|b", "|", ";", "x;\\", "007", "1.0", "1e5", "1,234", "true", "None",
    "null", "NULL", "'NULL", "NA", "n/a", "2026-01-02", "12:30", "ünïcödé", "日本語", "عربي", "👩‍👩‍👧", "á", "é\u0301", "a\tb",
    "#N/A", "#REF!", "{x}", "<b>&amp;", "%s %d", "\u200bzero", "x" * 200, "_x000B_", "a=b", "tab\tinside",
)  # fmt: skip
LONG = (
    "two\nlines",
    "two\r\nlines\r\n\r\nand more",
    "=1\n+2",
    'a\n"b"\n,c;',
    "vertical\x0btab",
    "x\x1fy",
    "'=\n'",
    "z" * 30_000,
)
# fmt: off
EXTRA: dict[str, tuple[Any, ...]] = {
    "line_of_text": NASTY,
    "story": (*NASTY, *LONG),
    "count": (0, -1, 2**63 - 1, -(2**63) + 1, 10**15, 123_456_789_012_345_678),
    "measure": tuple(map(Decimal, ("0", "-0.000001", "99999999.999999", "-99999999.999999", "0.1", "12345678.123456"))),
    "price": tuple(map(Decimal, ("0.000", "-0.001", "99999999999.999", "-12345678901.234", "0.1"))),
    "share": tuple(map(Decimal, ("0", "0.01", "-100", "999999999999.99"))),
    "day": (date(1, 1, 1), date(1582, 10, 15), date(1899, 12, 31), date(1900, 2, 28), date(1900, 3, 1), date(9999, 12, 31)),
    "moment": (
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
        datetime(2026, 3, 8, 7, 0, tzinfo=UTC),
        datetime(2026, 7, 1, 12, 0, 0, 123_456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(1850, 1, 1, 12, 0, 1, tzinfo=UTC),
        datetime(2500, 6, 1, 0, 0, 0, 1, tzinfo=UTC),
    ),
    "clock": (time(0, 0), time(23, 59, 59, 999_999), time(12, 0, 0, 1)),
    "lasts": (-timedelta(minutes=90), timedelta(days=400, seconds=1), timedelta(microseconds=1), -timedelta(microseconds=5)),
    "written_phone": ("030-0074321", "+44", "=1+1", "(5) 555-4729", "call 5 to 7; ask for Ann"),
    "data": ([], {}, "", "text", "=1", 0, False, {"a": ""}, {"a": None, "b": {}}, [None], -1.5, 10**20, {"ü": "\u2028"}),
    "country": ("NA",),
}
# fmt: on


def model(name: str) -> Any:
    business = business_here()
    return apps.get_model(business.label, business.entities[name].class_name)


def values(leaf: Field) -> list[Any]:
    """Return the values of a field, nothing among them: those that its type gives as examples, and nasty ones."""
    raws = leaf.options.choices if leaf.type.input == "select" else leaf.type.examples
    examples = [leaf.type.parse(raw, leaf, Reading()) for raw in raws]
    return [leaf.type.empty(leaf), *examples, *EXTRA.get(leaf.name, ())]


def make_records() -> None:
    """Make as many things as the field with the most values needs; every value stands in one of them."""
    distinct = list(
        {fold_text(text[:60]): text for text in NASTY}.values()
    )  # Codes and tags are compared by this form.
    shelves = [model("shelf").objects.create(code=text) for text in distinct]
    books = [
        model("book").objects.create(name=text, printed=date(1999, 1, 1 + index % 9), shelf=shelves[index // 2])
        for index, text in enumerate(NASTY)
    ]
    for name, code in (("x|y", "z"), ("x", "y|z")):
        shelf, _ = model("shelf").objects.get_or_create(code=code)
        books.insert(0, model("book").objects.create(name=name, printed=date(2000, 1, 1), shelf=shelf))
    leaflets = [model("leaflet").objects.create(name="the same") for _ in range(3)]
    people = [get_user_model().objects.create(username=name) for name in ("ann", "+bob", "@carl", "-d.e_f@g")]
    entity = business_here().entities["thing"]
    topics = entity.fields["topics"]
    tags = [Tag.objects.create(scope=topics.type.scope(topics), name=word[:60]) for word in distinct]
    targets = {"shelf": shelves, "book": books, "leaflet": leaflets, "owner": people}
    many = {"books": books, "shelves": shelves, "topics": tags}
    plain = [leaf for leaf in entity.leaves if leaf.type.stored and leaf.type.reference(leaf) is None]
    apart = {leaf.name for leaf in plain if leaf.type.sets_on_save or leaf.type.input in {"file", "image"}} | {"key"}
    known = {leaf.name: values(leaf) for leaf in plain if leaf.name not in apart}
    for index in range(max(map(len, [*known.values(), NASTY])) + 2):
        found = {name: some[index % len(some)] for name, some in known.items()}
        found |= {name: some[index % len(some)] for name, some in targets.items() if index % 5}
        thing = model("thing")(key=distinct[index] if index < len(distinct) else f"key {index}", **found)
        if index % 7 == 0:
            thing.letter.save("a letter;= x.pdf", ContentFile(b"%PDF"), save=False)
            thing.picture.save("picture.png", ContentFile(b"PNG"), save=False)
        thing.save()
        for name, some in many.items():
            getattr(thing, name).set(some[index : index + index % 4])
        for position in range(index % 3):
            model("line").objects.create(thing=thing, position=position, remark=NASTY[index % len(NASTY)])


def shown(record: models.Model, leaf: Field) -> Any:
    """Return a value for comparison: of links, how files name them."""
    value, reference = getattr(record, leaf.name), leaf.type.reference(leaf)
    if reference is None:
        return value
    if reference.many:
        return sorted(name_of(one, reference) for one in value.all())
    return None if value is None else name_of(value, reference)


def state() -> dict[tuple[str, str], dict[str, Any]]:
    """Return every record by entity and key, field by field."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name in ORDER:
        entity = business_here().entities[name]
        number = count()
        for record in model(name).objects.order_by("pk"):
            keys = [str(shown(record, entity.find(one))) for one in entity.sections["transfer"].match_on]
            leaves = [leaf for leaf in entity.leaves if leaf.type.stored]
            found[name, " / ".join(keys) or str(next(number))] = {leaf.name: shown(record, leaf) for leaf in leaves}
    return found


def differences(before: dict, after: dict) -> list[str]:
    """Say what is not as it was."""
    told = [f"{one} is gone or new" for one in before.keys() ^ after.keys()]
    for one in before.keys() & after.keys():
        entity = business_here().entities[one[0]]
        for name, old in before[one].items():
            kind, new = entity.find(name).type, after[one][name]
            if not (old == new or kind.equals(old, new)) or is_empty(old) != is_empty(new):
                told.append(f"{one} {name}: {str(old)[:80]!r} became {str(new)[:80]!r}")
    return told


def export(entity: Entity, format: str) -> bytes:
    return export_rows(entity, model(entity.name).objects.order_by("pk"), format)


def take_in(entity: Entity, format: str, data: bytes) -> dict[str, Any]:
    _, found = import_file(entity, f"{entity.name}.{format}", data)
    changes = [f"{row.number}: {row.changes}"[:300] for row in found.rows if row.changes]
    return {**found.counts, "told": [*found.refusals, *map(str, found.errors), *changes][:20]}


def round_trip(format: str) -> dict[str, Any]:
    """Export, import unchanged, delete, and import again; then everything is put back for the next format."""
    entities = business_here().entities
    before = state()
    files = {name: export(entities[name], format) for name in ORDER}
    unchanged = {name: take_in(entities[name], format, files[name]) for name in ORDER}
    with transaction.atomic():
        for name in DELETED:
            model(name).objects.all().delete()
        Tag.objects.all().delete()
        restored = {name: take_in(entities[name], format, files[name]) for name in reversed(DELETED)}
        found = differences(before, state())
        transaction.set_rollback(True)
    return {"unchanged": unchanged, "restored": restored, "differences": found}


if __name__ == "__main__":
    make_records()
    counts = {name: model(name).objects.count() for name in ORDER}
    print(json.dumps({"counts": counts, **{format: round_trip(format) for format in FORMATS}}, default=str))
