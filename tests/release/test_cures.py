"""What a plan advises can be done: an option that it names is one that the field's type has. Over all types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.wiring import FIELD_TYPES
from tests.release.shop import Shop, new_shop
from tests.support.workplace import copied

OPTION = re.compile(r"'(\w+)(?::[^']*)?'")
KINDS = {kind.name: kind for kind in FIELD_TYPES if "required" in kind.Options.model_fields}


def field(kind: str, **more: object) -> str:
    return json.dumps({"type": kind, **KINDS[kind].example_options, **more})


def entity(*lines: str) -> str:
    return "\n".join(["fields:", "  name: text", *(f"  {line}" for line in lines)])


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An entity with a field of every type that may be required, and a record that has none of the values."""
    files = {
        "app": "name: All",
        "other": entity(),
        "part": entity(),
        "thing": entity(*(f"{kind}_field: {field(kind)}" for kind in KINDS)),
    }
    with new_shop(tmp_path_factory.mktemp("every"), files) as shop:
        shop.run("apply", "--yes")
        shop.shell(
            "from django.apps import apps\n"
            "for name in ('thing', 'part'): apps.get_model('shop', name).objects.create(name='One')"
        )
        yield shop


@pytest.fixture
def things(every: Shop, tmp_path: Path) -> Iterator[Shop]:
    with copied(every, tmp_path) as shop:
        yield shop


def advice(plan: str) -> dict[str, str]:
    """Return what a plan says below each refused step that is about a field of a thing, by the type of the field."""
    lines = re.findall(r"^  x .*?thing\.(\w+)_(?:field|new)\b.*\n((?:      .*\n)+)", plan, re.MULTILINE)
    return {name: "".join(notes) for name, *notes in lines}


def named_options(told: dict[str, str]) -> list[tuple[str, str]]:
    known = {key for kind in FIELD_TYPES for key in kind.Options.model_fields}
    return [(kind, key) for kind, text in told.items() for key in OPTION.findall(text) if key in known]


@pytest.mark.parametrize("name", ["field", "new"], ids=["becomes required", "is added"])
def test_the_cure_of_a_missing_value_is_one_that_there_is(things: Shop, name: str):
    things.write("thing", entity(*(f"{kind}_{name}: {field(kind, required=True)}" for kind in KINDS)))
    told = advice(things.plan())
    assert {"link", "user", "integer", "date"} <= told.keys()
    named = named_options(told)
    assert named and [(kind, key) for kind, key in named if key not in KINDS[kind].Options.model_fields] == []


def test_records_that_become_rows_have_a_cure_too(things: Shop):
    things.edit("thing", ("fields:\n", "fields:\n  rows: {type: table, of: part}\n"))
    told = things.plan()
    assert "1 record would have no value. Rows of a table need their record: make an entity of its own" in told
    things.execute("DELETE FROM shop_part")
    things.apply()
