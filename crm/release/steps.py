"""A step of a plan: one change in words, how risky it is, and the operations that do it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import yaml
from django.db import migrations
from django.db.migrations.operations.base import Operation

from crm.blueprint.nodes import Field
from crm.blueprint.problems import Place
from crm.release import data_migrations

SAFE, BACKFILL, CONVERTS, LOSES, REFUSED = "safe", "fills rows", "converts", "loses data", "refused"


@dataclass
class Step:
    """One thing that applying does: in words, where it comes from, its risk, and its operations."""

    text: str
    risk: str
    place: Place | None = None
    notes: list[str] = field(default_factory=list)
    pre_operations: list[Operation] = field(default_factory=list)
    """What is done before every step's own operations: renames, archiving, and what goes from the history."""
    operations: list[Operation] = field(default_factory=list)
    history_operations: list[Operation] = field(default_factory=list)
    """The same for the tables of the history; run after every step's own."""


def data_migration(function: Callable[..., None], label: str, **what: Any) -> migrations.RunPython:
    """Return a data move as an operation of a migration."""
    return migrations.RunPython(partial(function, label=label, **what), data_migrations.do_nothing)


def pluralize(count: int, word: str = "record") -> str:
    """Return a count with its word: `1 record`, `1,200 records`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def describe_backfill(count: int, value: str, who: str = "record") -> str:
    """Say what records get: `1 record gets 5`."""
    return f"{pluralize(count, who)} {'gets' if count == 1 else 'get'} {value}"


def cure_of_missing_value(leaf: Field) -> str:
    """Say how rows without a value of a required field can be had, in options that the field's type has."""
    if leaf.document is not leaf.entity.document:
        return f"Rows of a table need their record: make an entity of its own for them ({leaf.place(key=True)})."
    options = type(leaf.options).model_fields
    if "backfill" in options:
        return "Give it a 'backfill:', or leave 'required' out."
    return f"{leaf.type.name.capitalize()} fields know no backfill: leave 'required' out until these records have one."


def format_value(value: Any) -> str:
    """Return a value as it would stand in YAML, on one line; text without quotes, unless it is empty."""
    plain = json.loads(json.dumps(value, default=str))
    if isinstance(plain, str):
        return plain or "''"
    text = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return text.strip().removesuffix("...").strip()
