"""An action done with many records: read, checked and written in batches, where no record's step decides another's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from crm.blueprint.expressions.computing import GENERATED, MATERIALIZED, reads
from crm.blueprint.expressions.tree import Aggregate, Expression, Path
from crm.blueprint.nodes import Entity, Field
from crm.capabilities.workflow.compiler import NAME, Action, Workflow, workflow_of
from crm.capabilities.workflow.models import Transition
from crm.capabilities.workflow.transitions import (
    TransitionNotAllowed,
    intended_step,
    lacks_comment,
    not_allowed,
    perform,
    sentence_of,
    transition_of,
    unmet_condition,
    wrong_state,
)
from crm.expressions import compile_sql
from crm.records.batches import BATCH, joins_of_checks, write_what_can_be
from crm.records.changes import Change, change_scope
from crm.records.chunks import chunks
from crm.records.computed import compile_context
from crm.records.dependencies import dependency_graph
from crm.records.gate import check_each, error_of
from crm.records.intended_write import IntendedWrite
from crm.records.record import Record
from crm.records.soft_delete import not_deleted
from crm.records.writes import write_records


@dataclass
class Outcome:
    """How many records took the step, and the others with the reason."""

    done: int = 0
    skipped: list[tuple[Record, str]] = field(default_factory=list)

    def skip(self, record: Record, why: str) -> None:
        self.skipped.append((record, why))


def perform_all(rows: models.QuerySet, action: Action, user: Any, comment: str) -> Outcome:
    """Do an action with each of some records; one after another where a step could decide about the next."""
    outcome, workflow = Outcome(), workflow_of(rows.model.definition)
    comment = comment.strip()
    with transaction.atomic():
        keys = list(dict.fromkeys(rows.order_by("pk").values_list("pk", flat=True)))
        if not is_independent(rows.model.definition, workflow, action):
            _one_by_one(rows.model, keys, action, user, comment, outcome)
            return outcome
        reason = f"{action.label}: {comment}" if comment else action.label
        with change_scope(user, reason, NAME) as change:
            for batch in chunks(keys, BATCH):
                _Batch(rows.model, workflow, action, change, comment, outcome).perform(batch)
    return outcome


def _one_by_one(
    model: type[Record], keys: list[Any], action: Action, user: Any, comment: str, outcome: Outcome
) -> None:
    for batch in chunks(keys, BATCH):
        for record in model._default_manager.filter(pk__in=batch).order_by("pk"):
            try:
                perform(record, action.name, user, comment)
                outcome.done += 1
            except TransitionNotAllowed as refused:
                outcome.skip(record, " ".join(refused.messages))


@dataclass
class _Batch:
    model: type[Record]
    workflow: Workflow
    action: Action
    change: Change
    comment: str
    outcome: Outcome

    def perform(self, keys: list[Any]) -> None:
        records = self._read(keys)
        missing, unmet = self._missing_rows(keys), self._unmet(keys)
        writes = []
        for record in records:
            why = self._why_not(record, missing, unmet)
            if why:
                self.outcome.skip(record, why)
            else:
                writes.append(intended_step(record, self.workflow, self.action, self.change.user))
        allowed, refused = check_each(writes)
        for write, refusals in refused:
            self._refuse(write, error_of(refusals))
        self.outcome.done += write_what_can_be(allowed, self._save, self._refuse)

    def _read(self, keys: list[Any]) -> list[Record]:
        entity, action = self.model.definition, self.action
        expressions = [expression for _, expression in action.sets]
        joins = joins_of_checks(entity, [*expressions, *([action.condition] if action.condition else [])])
        rows = self.model._default_manager.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",))
        records = list(rows.select_related(*joins) if joins else rows)
        many = [one.name for one in action.require if one.type.many and one.stored]
        models.prefetch_related_objects(records, *many)
        return records

    def _missing_rows(self, keys: list[Any]) -> dict[Field, set[Any]]:
        """Return which of the records have no rows in the tables that the action requires."""
        missing = {}
        for table in (one for one in self.action.require if one.type.rows):
            child, link = apps.get_model(table.business.label, table.target.class_name), table.entity.name
            held = child._default_manager.filter(**{f"{link}__in": keys}).order_by().values_list(link, flat=True)
            missing[table] = set(keys) - set(held)
        return missing

    def _unmet(self, keys: list[Any]) -> set[Any]:
        """Return which of the records the action's condition does not hold of, as the database says."""
        if self.action.condition is None:
            return set()
        condition = compile_sql.condition(self.action.condition, compile_context(apps, user=self.change.user))
        return set(keys) - set(not_deleted(self.model).filter(condition, pk__in=keys).values_list("pk", flat=True))

    def _why_not(self, record: Record, missing: dict[Field, set[Any]], unmet: set[Any]) -> str:
        why = not_allowed(record, self.action, self.change.user) or wrong_state(record, self.workflow, self.action)
        if not why and self.action.comment == "required" and not self.comment:
            why = lacks_comment(self.action)
        if why:
            return why
        tables = {one for one, keys in missing.items() if record.pk in keys}
        return unmet_condition(record, self.action, self.change.user, tables=tables, is_unmet=record.pk in unmet)

    def _save(self, writes: list[IntendedWrite]) -> None:
        records = [write.record for write in writes]
        names = [self.workflow.field.name, *(leaf.name for leaf, _ in self.action.sets)]
        write_records(self.model, updated=records, columns=list(dict.fromkeys(names)))
        kind, name = ContentType.objects.get_for_model(self.model), self.workflow.field.name
        sources = [getattr(write.before, name) for write in writes]
        pairs = zip(records, sources, strict=True)
        steps = [transition_of(kind, one, source, self.action, self.comment, self.change) for one, source in pairs]
        Transition.objects.bulk_create(steps)

    def _refuse(self, write: IntendedWrite, error: Exception) -> None:
        told = error if isinstance(error, ValidationError) else ValidationError(_("A value was taken meanwhile."))
        self.outcome.skip(write.before, sentence_of(told, write.before, self.workflow))


# Whether one record's step can decide about another's


def is_independent(entity: Entity, workflow: Workflow, action: Action) -> bool:
    """Return whether what an action asks of a record cannot be changed by the same action on another record.

    `if: count(trip.bookings, status == 'confirmed') < trip.places` can: the first step may take the last place.
    """
    if action.then:
        return False
    changed = _changed_elsewhere(entity, {workflow.field.name, *(leaf.name for leaf, _ in action.sets)})
    asked = [expression for _, expression in action.sets]
    asked += [action.condition] if action.condition is not None else []
    return not any(read in changed for expression in asked for read in _reads_of(expression, entity))


def _reads_of(expression: Expression, entity: Entity) -> Iterator[tuple[str, str, bool]]:
    """Yield what an expression reads: entity, field, and whether it is of another record than its own."""
    for node in expression.root.walk():
        if isinstance(node, Path):
            steps = [step for step in node.steps if not step.parts]
            yield from (one for at, step in enumerate(steps) for one in _columns_of(step, at > 0))
        elif isinstance(node, Aggregate):
            for step in (*node.relation_path, node.link, *node.value):
                yield from _columns_of(step, True)
            inner = (part for part in node.where.walk() if isinstance(part, Path)) if node.where is not None else ()
            for path in inner:
                yield from (one for step in path.steps for one in _columns_of(step, True))


def _columns_of(leaf: Field, is_elsewhere: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield the column of a field, or those that are read where it has none, or one that the database computes."""
    yield leaf.entity.name, leaf.name, is_elsewhere
    if leaf.computed is not None and leaf.storage != MATERIALIZED:
        for read in reads(leaf.computed):
            yield from _columns_of(read, is_elsewhere or read.entity is not leaf.entity)


def _changed_elsewhere(entity: Entity, names: set[str]) -> set[tuple[str, str, bool]]:
    """Return what writes of some columns can change: columns, kept values and those that depend on them in turn.

    The last part says whether it is seen from another record: a column of the written record itself is.
    """
    graph = dependency_graph(entity.business)
    todo = [(entity.name, name, False) for name in names]
    known: set[tuple[str, str, bool]] = set()
    while todo:
        source_column = todo.pop()
        if source_column in known:
            continue
        known.add(source_column)
        source, column, is_elsewhere = source_column
        for dependency, columns in graph.of_source(source):
            crosses = is_elsewhere or bool(dependency.lookup_path or dependency.link)
            todo += [(dependency.target, name, crosses) for name in columns.get(column, ())]
        owner = entity.business.entities[source]
        todo += [
            (source, name, is_elsewhere)
            for name, storage in owner.storage.items()
            if storage == GENERATED and any(read.name == column for read in reads(owner.find(name).computed))
        ]
    # Read from elsewhere, even a record's own column is another record's; read by itself, only what crossed is.
    return {(source, name, True) for source, name, _ in known} | {
        (source, name, False) for source, name, crossed in known if crossed
    }
