"""Writing in batches: what a batch needs to read along, and what becomes of one that the database refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from crm.blueprint.expressions.tree import Expression
from crm.blueprint.nodes import Entity
from crm.records.display import title_joins
from crm.records.stored import joins_of_rules

BATCH = 500
"""How many records are read, checked and written at a time."""
Write = TypeVar("Write")


def joins_of_checks(entity: Entity, more: Iterable[Expression] = ()) -> list[str]:
    """Return what to `select_related` so that no title, no rule and no condition costs a query a record."""
    return list(dict.fromkeys([*title_joins(entity), *joins_of_rules(entity, more)]))


def write_what_can_be(
    writes: list[Write], save: Callable[[list[Write]], Any], refuse: Callable[[Write, Exception], Any]
) -> int:
    """Save a batch and return how much of it was; of one that is refused, each half, down to the record that is why."""
    if not writes:
        return 0
    try:
        with transaction.atomic():
            save(writes)
        return len(writes)
    except (ValidationError, IntegrityError) as error:
        if len(writes) == 1:
            refuse(writes[0], error)
            return 0
    half = len(writes) // 2
    return sum(write_what_can_be(part, save, refuse) for part in (writes[:half], writes[half:]))
