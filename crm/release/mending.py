"""Brings the database to what its migrations claim: what it has lost is added, what it calls otherwise is renamed."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.migrations.state import ProjectState

from crm.blueprint.names import camel
from crm.fields.comparison import is_key_name
from crm.release.batched import BatchedMigration
from crm.release.data_migrations import rename_field
from crm.release.differences import Missing, Renamed
from crm.release.plan import ReleasePlan
from crm.release.renamed_columns import move_renamed
from crm.release.states import detect
from crm.release.tables import Table


def add_missing(plan: ReleasePlan) -> None:
    """Bring the database back to what its migrations claim."""
    state, label = plan.state, plan.business.label
    renamed = [difference for difference in plan.missing if isinstance(difference, Renamed)]
    actual = state.clone()
    for difference in plan.missing:
        if not isinstance(difference, Renamed):
            _forget(difference, plan.claimed, actual, label)
    migration = type("Migration", (BatchedMigration,), {})("missing", label)
    migration.operations = detect(actual, state, label)
    with connection.schema_editor(atomic=True) as editor:
        move_renamed([column for each in renamed for column in each.columns], plan.claimed, plan.actual, editor)
        migration.apply(actual, editor)
        for difference in renamed:
            _move_what_belongs_to_it(difference, state, editor, label)


def _move_what_belongs_to_it(difference: Renamed, state: ProjectState, editor: Any, label: str) -> None:
    """Let tags, numbers and uploads follow a renamed field."""
    for column in difference.columns:
        if f"{label}_{camel(difference.entity).lower()}" == column.table and not is_key_name(column.wanted):
            names = {"entity": difference.entity, "before": column.actual, "after": column.wanted}
            rename_field(state.apps, editor, label=label, **names)


def _forget(difference: Missing, claimed: dict[str, Table], state: ProjectState, label: str) -> None:
    """Take out of a state what the database does not have."""
    model = claimed[difference.table].model
    if model._meta.auto_created:
        owner = model._meta.auto_created
        many = next(field for field in owner._meta.local_many_to_many if field.remote_field.through is model)
        state.remove_field(label, owner._meta.model_name, many.name)
    elif not difference.column and not difference.unique:
        state.remove_model(label, model._meta.model_name)
    else:
        names = {field.column: field.name for field in model._meta.local_concrete_fields}
        if difference.column:
            _forget_constraints(state, label, model._meta.model_name, {names[difference.column]})
            state.remove_field(label, model._meta.model_name, names[difference.column])
        else:
            unique = {names[column] for column in difference.unique}
            _forget_constraints(state, label, model._meta.model_name, unique, exactly=True)
            if len(unique) == 1:
                loose = state.models[label, model._meta.model_name].fields[unique.pop()].clone()
                loose._unique = False
                state.alter_field(label, model._meta.model_name, names[next(iter(difference.unique))], loose, True)


def _forget_constraints(state: ProjectState, label: str, model: str, fields: set[str], exactly: bool = False) -> None:
    options = state.models[label, model].options
    for key in ("constraints", "indexes"):
        kept = []
        for constraint in options.get(key, ()):
            names = set(getattr(constraint, "fields", ()))
            if not (names == fields if exactly and key == "constraints" else not exactly and names & fields):
                kept.append(constraint)
        if key in options:
            options[key] = kept
