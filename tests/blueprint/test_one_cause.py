"""One cause, one message: whatever node of valid definitions is broken, its own problem is told, and no other."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as searching
from hypothesis import strategies as st

from crm.blueprint.compiler import compile_business
from crm.blueprint.problems import DefinitionError, Problem
from crm.blueprint.reader import Document, read_text
from crm.wiring import LANGUAGE
from tests.blueprint.writing import told

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "definitions" / "travel"
DOCUMENTS = {path.name: read_text(path.read_text(), path.name) for path in sorted(FOLDER.glob("*.yaml"))}


def nodes(data: Any, path: tuple = ()) -> Iterator[tuple]:
    if path:
        yield path
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from nodes(value, (*path, key))


NODES = [(name, path) for name, document in DOCUMENTS.items() for path in nodes(document.data)]
FIELDS = [
    (name, ("fields", field)) for name, document in DOCUMENTS.items() for field in document.data.get("fields", ())
]


def at(data: Any, path: tuple) -> Any:
    for key in path:
        data = data[key]
    return data


def changed(name: str, path: tuple, value: Any) -> Document:
    """Return a document with another value at a path; its places stay as they are."""
    document = DOCUMENTS[name]
    data = copy.deepcopy(document.data)
    at(data, path[:-1])[path[-1]] = value
    return Document(document.file, data, document.keys, document.values, document.lines)


def problems(documents: dict[str, Document], found: list[Problem] | None = None) -> list[Problem]:
    try:
        compile_business("travel", documents, LANGUAGE, list(found or []))
    except DefinitionError as error:
        return error.problems
    return []


def lines_of(name: str, path: tuple) -> range:
    """Return the lines on which a node stands: from its own to the last of what is in it."""
    document = DOCUMENTS[name]
    marks = [*document.keys.items(), *document.values.items()]
    lines = [line + 1 for spot, (line, _) in marks if spot[: len(path)] == path]
    return range(min(lines), max(lines) + 1)


def check(name: str, path: tuple, value: Any) -> None:
    (one,) = problems({**DOCUMENTS, name: changed(name, path, value)})
    assert one.place.file == name and one.place.line in lines_of(name, path), (path, value, str(one))


def test_the_definitions_are_valid_as_they_are():
    assert problems(DOCUMENTS) == [] and len(NODES) > 500


def test_a_node_of_the_wrong_kind():
    @searching(max_examples=150)
    @given(node=st.sampled_from(NODES))
    def holds(node):
        check(*node, [[1]])

    holds()


def test_a_key_that_is_none():
    sections = [(name, path) for name, path in NODES if isinstance(at(DOCUMENTS[name].data, path), dict)]
    tried = 0
    for name, path in sections[:: max(1, len(sections) // 80)]:
        found = problems({**DOCUMENTS, name: changed(name, (*path, "nonsense_here"), True)})
        tried += bool(found)  # some maps take any key
        assert len(found) <= 1 and all(one.place.file == name for one in found), (name, path, found)
    assert tried > 20


@pytest.mark.parametrize("broken", [{"type": "txet"}, 5, None, "lnik", [], "nonsense"])
def test_a_field_that_is_none(broken):
    for node in FIELDS[:: 3 if broken != {"type": "txet"} else 1]:
        check(*node, broken)


def test_an_option_that_a_field_does_not_have():
    for name, path in FIELDS:
        old = at(DOCUMENTS[name].data, path)
        check(name, path, {**(old if isinstance(old, dict) else {"type": old}), "nonsense": 1})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_file_that_is_no_yaml(name):
    with pytest.raises(DefinitionError) as caught:
        read_text("label: x\nfields: {a: [1", name)
    rest = {key: one for key, one in DOCUMENTS.items() if key != name}
    (one,) = problems(rest, caught.value.problems)
    assert one.place.file == name


def test_two_causes_are_told_together():
    found = told(
        thing="fields: {name: txet, other: {type: link, to: palce}, n: integer}\ntitle: '{name}'\nlist: {columns: [m, name]}",
        place="fields: {n: integer, m: {type: integer, compute: q + 1}}",
    )
    assert [one.split(":")[0] for one in found] == ["place.yaml", "thing.yaml", "thing.yaml", "thing.yaml"], found
    assert sum("'name'" in one for one in found) == 0
