"""Two hundred linked entities are planned and applied, and what that takes grows with their number and not its square."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from django.db.migrations.optimizer import MigrationOptimizer
from properties.strategies import Documents, dump
from properties.world import read_business, world

from tests.release.shop import new_shop

COUNT = 200
FEW, MANY = 8, 32
MOST = 1.5
"""How many times as much an entity may take where there are many as where there are few."""


def definitions(count: int) -> Documents:
    """Each entity links to the one before, to one far away, and to several; every eighth has rows."""
    documents: Documents = {"app.yaml": {"name": "Large"}}
    for number in range(count):
        before, far, others, part = (f"e{at % count:03}" for at in (number - 1, number * 7, number + 5, number + 1))
        fields: dict[str, Any] = {"name": {"type": "text", "required": True}, "amount": "money"}
        fields |= {"before": {"type": "link", "to": before}, "far": {"type": "link", "to": far}}
        fields |= {"others": {"type": "links", "to": others}}
        fields |= {"parts": {"type": "table", "of": part}} if number % 8 == 0 else {}
        documents[f"e{number:03}.yaml"] = {"fields": fields}
    return documents


def calls_of(act: Callable[[], Any]) -> int:
    """Return how many functions an act calls: the same on a machine that is busy."""
    calls, former = 0, sys.getprofile()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(former)
    return calls


def build(count: int) -> None:
    """Read, plan and make the tables of so many entities, and serve them."""
    with world() as here:
        business = read_business(here.label, definitions(count))
        here.install(business)
        here.migrate(here.to_do(business))
        assert here.to_do(business) == []


def growth(few: int, many: int) -> float:
    """Return how many times as much an entity takes among many as among few."""
    build(2)  # What is worked out once for all is no part of either.
    each = [calls_of(lambda count=count: build(count)) / count for count in (few, many)]
    print(f"{each[0]:,.0f} calls for each of {few}, {each[1]:,.0f} for each of {many}")
    return each[1] / each[0]


@pytest.mark.django_db(transaction=True)
def test_an_entity_takes_as_much_among_many_as_among_few():
    assert growth(FEW, MANY) < MOST


@pytest.mark.django_db(transaction=True)
def test_more_than_that_would_be_noticed(monkeypatch: pytest.MonkeyPatch):
    """The control: Django's own optimizer is about cubic in new models."""
    monkeypatch.setattr("crm.release.states.fold", lambda operations: MigrationOptimizer().optimize(operations, "made"))
    assert growth(4, 16) > MOST


def test_two_hundred_entities_apply_and_leave_nothing_to_do(tmp_path: Path):
    files = {name.removesuffix(".yaml"): dump(data) for name, data in definitions(COUNT).items()}
    with new_shop(tmp_path, files) as shop:
        assert shop.apply().count("add the entity ") == COUNT
        assert len(shop.columns()) == 4 * COUNT
