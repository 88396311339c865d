"""The dependency graph of computed fields: what their materialized values read, and how the dependents are found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from crm.blueprint.expressions.computing import GENERATED, MATERIALIZED, computed_reads
from crm.blueprint.expressions.tree import Aggregate, Node, Path
from crm.blueprint.nodes import Business, Entity, Field

LAST = 1_000_000
"""The level of what comes after all computed fields."""


class Trigger(StrEnum):
    """What stands in the graph among the names of columns and of fields, and is neither."""

    CREATED = "+"
    """Among the columns that are read: the record was created."""
    RULES = "="
    """Among the fields to recompute: check the record's rules that aggregate children, after all computed fields."""


@dataclass(frozen=True)
class Dependency:
    """How the records of a materialized field are found from a record that it reads.

    `lookup_path` leads by links from the field's record to the read one, or to the parent of the children that are
    read; `link` is the children's link to that parent, and `inner_path` leads from a child to the read record.
    """

    target: str
    source: str
    lookup_path: str = ""
    link: str = ""
    child: str = ""
    inner_path: str = ""


@dataclass
class DependencyGraph:
    """All dependencies of a business: what each reads, and the fields that must be recomputed then."""

    dependencies: dict[Dependency, dict[str, set[str]]] = field(default_factory=dict)
    """Dependency → column that is read → names of the materialized fields."""
    level: dict[tuple[str, str], int] = field(default_factory=dict)
    """(entity, materialized field) → how many of them must be recomputed before it."""

    def add(self, dependency: Dependency, column: str, field_name: str) -> None:
        """Note that a field must be recomputed where a column is written, or at a trigger."""
        self.dependencies.setdefault(dependency, {}).setdefault(column, set()).add(field_name)

    def of_source(self, entity: str) -> list[tuple[Dependency, dict[str, set[str]]]]:
        """Return the dependencies that read records of an entity, with the columns that each reads."""
        return [
            (dependency, columns) for dependency, columns in self.dependencies.items() if dependency.source == entity
        ]


@lru_cache(maxsize=8)
def dependency_graph(business: Business) -> DependencyGraph:
    """Return the dependency graph of a business."""
    graph, levels = DependencyGraph(), dict[Field, int]()
    for entity in business.entities.values():
        for name, storage in entity.storage.items():
            if storage == MATERIALIZED:
                leaf = entity.find(name)
                graph.level[entity.name, name] = _level(leaf, levels)
                graph.add(Dependency(entity.name, entity.name), Trigger.CREATED, name)
                for dependency, column in _dependencies(leaf, leaf.computed.root, ""):
                    graph.add(dependency, column, name)
        graph.level[entity.name, Trigger.RULES] = LAST
        for dependency, column in _rule_dependencies(entity):
            graph.add(dependency, column, Trigger.RULES)
    return graph


def _level(leaf: Field, known: dict[Field, int]) -> int:
    if leaf not in known:
        inner = [_level(one, known) + (one.storage == MATERIALIZED) for one in computed_reads(leaf)]
        known[leaf] = max(inner, default=0)
    return known[leaf]


def computing_order(entity: Entity) -> list[Field]:
    """Return the computed fields of an entity, each behind those of the same record that it reads."""
    ordered: list[Field] = []

    def visit(leaf: Field) -> None:
        for operand in computed_reads(leaf):
            if operand.entity is entity and operand not in ordered:
                visit(operand)
        if leaf not in ordered:
            ordered.append(leaf)

    for name in entity.computed:
        visit(entity.find(name))
    return ordered


def _rule_dependencies(entity: Entity) -> Iterator[tuple[Dependency, str]]:
    """Yield how a record is found from its children, where a rule reads these."""
    for node in (one for rule in entity.rules.checks for one in rule.check.root.walk()):
        if isinstance(node, Aggregate) and not node.relation_path:
            yield from _child_dependencies(entity, node, "")


def _dependencies(leaf: Field, root: Node, lookup_path: str) -> Iterator[tuple[Dependency, str]]:
    if isinstance(root, Path):
        yield from _path_dependencies(leaf.entity, root.steps, lookup_path)
    elif isinstance(root, Aggregate):
        yield from _child_dependencies(leaf.entity, root, lookup_path)
    else:
        for part in root.parts:
            yield from _dependencies(leaf, part, lookup_path)


def _path_dependencies(entity: Entity, steps: Iterable[Field], lookup_path: str) -> Iterator[tuple[Dependency, str]]:
    for step in steps:
        if step.parts:
            continue
        yield Dependency(entity.name, step.entity.name, lookup_path), step.name
        if step.storage == GENERATED:
            for path in (one for one in step.computed.root.walk() if isinstance(one, Path)):
                yield from _path_dependencies(entity, path.steps, lookup_path)
        lookup_path = f"{lookup_path}__{step.name}" if lookup_path else step.name


def _child_dependencies(entity: Entity, node: Aggregate, lookup_path: str) -> Iterator[tuple[Dependency, str]]:
    yield from _path_dependencies(entity, node.relation_path, lookup_path)
    parent = "__".join(filter(None, [lookup_path, *(step.name for step in node.relation_path)]))
    child = node.link.entity

    def inside(steps: Iterable[Field], inner: str) -> Iterator[tuple[Dependency, str]]:
        for step in steps:
            if step.parts:
                continue
            yield Dependency(entity.name, step.entity.name, parent, node.link.name, child.name, inner), step.name
            if step.storage == GENERATED:
                for path in (one for one in step.computed.root.walk() if isinstance(one, Path)):
                    yield from inside(path.steps, inner)
            inner = f"{inner}__{step.name}" if inner else step.name

    yield from inside([node.link], "")
    yield from inside(node.value, "")
    for path in (one for one in node.where.walk() if isinstance(one, Path)) if node.where else ():
        yield from inside(path.steps, "")
