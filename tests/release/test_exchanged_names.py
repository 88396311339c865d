"""`was:` where names meet: exchanged, in circles, and onto a name that something else has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from properties.world import World, read_business, world

from crm.release.steps import REFUSED, Step

TEXTS = {"a": "text", "b": "text", "c": "text"}


def documents(**entities: dict) -> dict[str, dict]:
    """Return the definitions of a business with these entities; each is its fields, and `was` where it has one."""
    made = {"app.yaml": {"name": "Names", "currency": "EUR", "roles": {}, "menu": {}}}
    for name, fields in entities.items():
        entity: dict = {"fields": {key: value for key, value in fields.items() if key != "was"}}
        made[f"{name}.yaml"] = {"was": fields["was"], **entity} if "was" in fields else entity
    return made


class Folder:
    """A business whose definitions change; each is planned from those in force."""

    def __init__(self, here: World):
        self.here, self.in_force = here, read_business(here.label, documents())

    def plan(self, **entities: dict) -> list[Step]:
        return self.here.plan(self.in_force, read_business(self.here.label, documents(**entities))).steps

    def apply(self, **entities: dict) -> None:
        after = read_business(self.here.label, documents(**entities))
        self.here.install(after)
        plan = self.here.plan(self.in_force, after)
        assert not plan.with_risk(REFUSED), plan.steps
        self.here.migrate(plan.operations)
        self.in_force = after
        assert not self.plan(**entities)

    def insert(self, table: str, **values: str) -> None:
        with connection.cursor() as cursor:
            moments = {"created": "2026-01-01 00:00:00Z", "updated": "2026-01-01 00:00:00Z"}
            row = {**values, **moments}
            marks = ", ".join(["%s"] * len(row))
            name = f"{self.here.label}_{table}"
            cursor.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def values(self, table: str, *columns: str) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {self.here.label}_{table}")
            return [tuple(row) for row in cursor.fetchall()]


@pytest.fixture
def folder(transactional_db) -> Iterator[Folder]:
    with world() as here:
        yield Folder(here)


def refusals(steps: list[Step]) -> dict[str, list[str]]:
    return {step.text: step.notes for step in steps if step.risk == REFUSED}


@pytest.mark.parametrize("former", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a"}])
def test_fields_that_exchange_their_names_are_refused_with_the_way_out(folder: Folder, former: dict[str, str]):
    folder.apply(thing=TEXTS)
    crossed = {name: {"type": "text", "was": former[name]} if name in former else "text" for name in TEXTS}
    told = refusals(folder.plan(thing=crossed))
    assert list(told) == [f"exchange the names of the fields of thing: {' and '.join(former)}"]
    assert told.popitem()[1] == [
        "This takes two releases. In the first, call what was b 'a_new' for now, with 'was: b', and apply; in the "
        "second, 'a' with 'was: a_new'."
    ]


def test_the_way_out_exchanges_the_names(folder: Folder):
    folder.apply(thing=TEXTS)
    folder.insert("thing", a="A", b="B", c="C")
    between = {"a_new": {"type": "text", "was": "b"}, "b": {"type": "text", "was": "a"}, "c": "text"}
    folder.apply(thing=between)
    folder.apply(thing={"a": {"type": "text", "was": "a_new"}, "b": {"type": "text", "was": "a"}, "c": "text"})
    assert folder.values("thing", "a", "b", "c") == [("B", "A", "C")]


def test_entities_that_exchange_their_names_are_refused(folder: Folder):
    folder.apply(cat={"a": "text"}, dog={"a": "text"})
    told = refusals(folder.plan(cat={"a": "text", "was": "dog"}, dog={"a": "text", "was": "cat"}))
    assert list(told) == ["exchange the names of the entities cat and dog"]


def test_a_name_that_something_else_has_is_not_taken(folder: Folder):
    folder.apply(thing=TEXTS, cat={"a": "text"}, dog={"a": "text"})
    renamed = {"b": {"type": "text", "was": "a"}, "c": "text"}
    told = refusals(folder.plan(thing=renamed, dog={"a": "text", "was": "cat"}))
    assert told == {
        "rename the field thing.a to b, with its history": [
            "There is a field b already. If a is to take its place, remove or rename that first, in a release of its "
            "own; else leave 'was' out."
        ],
        "rename the entity cat to dog, with its history": [
            "There is an entity dog already. If cat is to take its place, remove or rename that first, in a release of "
            "its own; else leave 'was' out."
        ],
    }


def test_names_are_handed_on_in_a_row_whatever_their_order(folder: Folder):
    folder.apply(thing=TEXTS)
    folder.insert("thing", a="A", b="B", c="C")
    after = {name: {"type": "text", "was": was} for name, was in (("b", "a"), ("d", "c"), ("c", "b"))}
    folder.apply(thing=after)
    assert folder.values("thing", "b", "c", "d") == [("A", "B", "C")]


def test_a_was_that_was_carried_out_long_ago_moves_nothing_again(folder: Folder):
    folder.apply(thing={"c": "text"})
    folder.apply(thing={"b": {"type": "text", "was": "c"}})
    folder.apply(thing={"b": {"type": "text", "was": "c"}, "c": "text"})
    folder.insert("thing", b="B", c="C")
    told = refusals(
        folder.plan(thing={"a": {"type": "text", "was": "b"}, "b": {"type": "text", "was": "c"}, "c": "text"})
    )
    assert told == {
        "rename the field thing.b to a, with its history": [
            "thing.b is still there, too: remove it, or leave 'was' out."
        ]
    }
    folder.apply(thing={"a": {"type": "text", "was": "b"}, "c": "text"})
    assert folder.values("thing", "a", "c") == [("B", "C")]


def test_names_that_cross_where_only_one_is_there_are_refused_and_end(folder: Folder):
    folder.apply(thing={"b": "text"})
    told = refusals(folder.plan(thing={"a": {"type": "text", "was": "b"}, "b": {"type": "text", "was": "a"}}))
    assert list(told) == ["rename the field thing.b to a, with its history"]
