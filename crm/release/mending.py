"""Adds what the migrations have made and the database has lost: tables, columns and unique constraints."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.migrations.state import ProjectState

from crm.release.batched import BatchedMigration
from crm.release.differences import Missing
from crm.release.states import detect
from crm.release.tables import Table


def add_missing(missing: Iterable[Missing], claimed: dict[str, Table], state: ProjectState, label: str) -> None:
    """Bring the database back to what its migrations claim: `state`, whose tables are `claimed`."""
    actual = state.clone()
    for difference in missing:
        _forget(difference, claimed, actual, label)
    migration = type("Migration", (BatchedMigration,), {})("missing", label)
    migration.operations = detect(actual, state, label)
    with connection.schema_editor(atomic=True) as editor:
        migration.apply(actual, editor)


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
