"""The columns that rows on a page need, for `only()`: what they show, their titles, and what row-level rules ask.

A column that is left out here would be read row by row when it is asked for (a deferred field, an N+1 query); the tests
of lists count their queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import apps
from django.db import models

from crm.blueprint.expressions.computing import ON_READ
from crm.blueprint.expressions.tree import Aggregate, Node, Path
from crm.blueprint.nodes import Entity, Field
from crm.records import access
from crm.records.display import lookup_path
from crm.records.soft_delete import DELETED_AT

DEPTH = 3
"""So many links deep titles are read along with their rows, as `title_joins` does."""


def model_of(entity: Entity) -> type[models.Model]:
    return apps.get_model(entity.business.label, entity.class_name)


def joins_of(columns: Iterable[str]) -> list[str]:
    """Return what to `select_related` for columns along links: `customer__owner__name` takes two joins."""
    relation_paths = (column.split("__")[:-1] for column in columns)
    return sorted({"__".join(path[: length + 1]) for path in relation_paths for length in range(len(path))})


def title_columns(entity: Entity, depth: int = DEPTH) -> set[str]:
    """Return the columns by which records are named, and found to be the viewer's to see."""
    columns = {"id", *rule_columns(entity)}
    if model_of(entity).keeps_deleted:
        columns.add(DELETED_AT)
    for slot in entity.title.slots:
        if slot.path != ("id",):
            columns |= chain_columns(entity.follow(".".join(slot.path)), depth)
    return columns


def rule_columns(entity: Entity) -> set[str]:
    """Return the columns that tell whether the viewer sees a record."""
    columns: set[str] = set()
    for rule in access.rules_of_viewer(entity):
        columns |= _expression_columns(rule.root)
    for table, is_restricted in access.parents_of_viewer(entity):
        columns.add(table.entity.name)
        if is_restricted:
            columns |= _prefixed(table.entity.name, {"id", *rule_columns(table.entity)})
    return columns


def chain_columns(chain: Sequence[Field], depth: int = DEPTH) -> set[str]:
    """Return the columns that show what stands at the end of a path; many-to-many targets are read on their own."""
    columns: set[str] = set()
    prefix = ""
    for step in chain[:-1]:
        if step.parts:
            continue
        prefix = f"{prefix}__{step.name}" if prefix else step.name
        columns |= {prefix, *_prefixed(prefix, {"id", *(rule_columns(step.target) if step.target else ())})}
    for leaf in chain[-1].leaves:
        columns |= _prefixed(prefix, _leaf_columns(leaf, depth))
    return columns


def _leaf_columns(leaf: Field, depth: int) -> set[str]:
    if leaf.storage == ON_READ:
        return _expression_columns(leaf.computed.root)
    if leaf.type.many or not leaf.stored:
        return set()
    if leaf.type.reference(leaf) is None or (leaf.target is not None and not depth):
        return {leaf.name}
    return {leaf.name, *_prefixed(leaf.name, target_columns(leaf, depth))}


def target_columns(leaf: Field, depth: int) -> set[str]:
    """Return the columns by which the target of a link is named."""
    if leaf.target is not None:
        return title_columns(leaf.target, depth - 1)
    target = apps.get_model(leaf.type.reference(leaf).model)
    return set(leaf.type.columns_displayed(leaf)) or {column.name for column in target._meta.concrete_fields}


def _expression_columns(node: Node) -> set[str]:
    """Return the columns of a record that Python reads to evaluate an expression; children are queried on their own."""
    if isinstance(node, Path):
        return _path_columns(node) if node.steps and not node.of_user else set()
    if isinstance(node, Aggregate):
        return chain_columns(node.relation_path, 0) if node.relation_path else set()
    return {column for part in node.parts for column in _expression_columns(part)}


def _path_columns(node: Path) -> set[str]:
    """Return the columns of a path in an expression; of a record at its end, the key is all that is compared."""
    end, columns = node.steps[-1], chain_columns(node.steps, 0)
    if end.type.reference(end) is not None and not end.type.many:
        columns.add(f"{lookup_path(list(node.steps))}__id")
    return columns


def _prefixed(prefix: str, columns: Iterable[Any]) -> set[str]:
    return {f"{prefix}__{column}" for column in columns} if prefix else set(columns)
