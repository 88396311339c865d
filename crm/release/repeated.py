"""What two branches have both added: the migration of the second must not add it once more.

Where a field or an entity that a migration adds is there already, with the same columns, the addition is left out.
Where the two differ, nothing can say which is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.utils.translation import gettext as _

MOVES = (migrations.RemoveField, migrations.RenameField, migrations.RenameModel, migrations.DeleteModel)
REMOVALS = (migrations.RemoveConstraint, migrations.RemoveIndex)
COLUMNS = (migrations.AddField, migrations.AlterField)


class Contradiction(Exception):
    """Two migrations add the same name as different columns."""


def without_repeats(operations: list[Operation], state: ProjectState, label: str) -> list[Operation]:
    """Return the operations of a migration without those whose outcome the state before it has already.

    Raises Contradiction where the outcome would be another one.
    """
    names = ("model_name_lower", "name_lower", "old_name_lower", "new_name_lower")
    moved = {getattr(operation, name, "") for operation in operations if isinstance(operation, MOVES) for name in names}
    known = {name: model for (app, name), model in state.models.items() if app == label and name not in moved}
    repeated = {
        (operation.model_name_lower, operation.name_lower)
        for operation in operations
        if isinstance(operation, migrations.AddField)
        and operation.name in _fields(known.get(operation.model_name_lower))
    }
    for model, name in repeated:
        last = [
            operation for operation in operations if isinstance(operation, COLUMNS) and _key(operation) == (model, name)
        ][-1]
        _check_same(known[model], last.name, last.field)
    kept: list[Operation] = []
    for operation in operations:
        if isinstance(operation, COLUMNS) and _key(operation) in repeated:
            continue
        if isinstance(operation, migrations.CreateModel) and operation.name_lower in known:
            kept += _rest_of(operation, known[operation.name_lower])
        elif not _is_there(operation, known, operations):
            kept.append(operation)
    return kept


def _key(operation: Any) -> tuple[str, str]:
    return operation.model_name_lower, operation.name_lower


def _fields(model: ModelState | None) -> dict[str, models.Field]:
    return model.fields if model else {}


def _check_same(model: ModelState, name: str, field: models.Field) -> None:
    if repr(model.fields[name].deconstruct()[1:]) != repr(field.deconstruct()[1:]):
        sentence = _("%(model)s.%(name)s is added by both, as different columns")
        raise Contradiction(sentence % {"model": model.name.lower(), "name": name})


def _is_there(operation: Operation, known: dict[str, ModelState], operations: list[Operation]) -> bool:
    """Say whether a constraint or an index that is added is there already, and not taken away just before."""
    named = getattr(operation, "constraint", None) or getattr(operation, "index", None)
    if (
        not isinstance(operation, migrations.AddConstraint | migrations.AddIndex)
        or operation.model_name_lower not in known
    ):
        return False
    removed = {(each.model_name_lower, each.name) for each in operations if isinstance(each, REMOVALS)}
    if (operation.model_name_lower, named.name) in removed:
        return False
    key = "constraints" if isinstance(operation, migrations.AddConstraint) else "indexes"
    return named.name in _names(known[operation.model_name_lower], key)


def _names(model: ModelState, key: str) -> set[str]:
    return {each.name for each in model.options.get(key, ())}


def _rest_of(operation: migrations.CreateModel, model: ModelState) -> Iterator[Operation]:
    """Yield what the creation of a model that is there already would add to it."""
    for name, field in operation.fields:
        if name in model.fields:
            _check_same(model, name, field)
        else:
            yield migrations.AddField(operation.name, name, field)
    for constraint in operation.options.get("constraints", ()):
        if constraint.name not in _names(model, "constraints"):
            yield migrations.AddConstraint(operation.name, constraint)
    for index in operation.options.get("indexes", ()):
        if index.name not in _names(model, "indexes"):
            yield migrations.AddIndex(operation.name, index)
