"""Django's view of two schemas: what the migrations lead to, and what the definitions ask for."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from django.apps import apps as live_apps
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.operations.base import Operation
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ModelState, ProjectState

from crm.blueprint.nodes import Business
from crm.builders.models import build_models
from crm.wiring import CAPABILITIES


class _Registry(Apps):
    """A registry of its own for models that are only looked at; other apps' models are found among the live ones."""

    def __init__(self, label: str):
        super().__init__()
        self.apps_ready = self.models_ready = self.ready = True
        for name, app_models in live_apps.all_models.items():
            if name != label:
                self.all_models[name] = app_models

    def clear_cache(self) -> None:
        """Nothing to clear: clearing would reach the live models."""


def wanted_state(business: Business, others: ProjectState) -> ProjectState:
    """Return the project's state with the models that the definitions ask for, and all other apps as they are."""
    label = business.label
    module = ModuleType(f"definitions.{label}.wanted")
    registry = _Registry(label)
    build_models(business, CAPABILITIES, module, registry)
    state = others.clone()
    for key in [key for key in state.models if key[0] == label]:
        state.remove_model(*key)
    for model in registry.all_models[label].values():
        if not model._meta.auto_created:
            state.add_model(ModelState.from_model(model))
    return state


class _Detector(MigrationAutodetector):
    """Django's detector without what grows too fast with new models: its optimizer, and the sorting of their parts.

    The optimizer is about cubic, the sorting quadratic; `fold` makes both needless for new models.
    """

    def _sort_migrations(self) -> None:
        parts = {label: _new_models(operations) for label, operations in self.generated_operations.items()}
        self.generated_operations = {label: rest for label, (_, rest) in parts.items()}
        super()._sort_migrations()
        for label, (new, _) in parts.items():
            self.generated_operations[label] = [*new, *self.generated_operations[label]]

    def _optimize_migrations(self) -> None:
        """Left out on purpose."""


class _Questioner(MigrationQuestioner):
    """Answers that nothing is given to existing rows: the steps say what they get, or that it is missing."""

    def ask_not_null_addition(self, field_name: str, model_name: str) -> Any:
        return models.NOT_PROVIDED

    def ask_not_null_alteration(self, field_name: str, model_name: str) -> Any:
        return models.NOT_PROVIDED


def _new_models(operations: list[Operation]) -> tuple[list[Operation], list[Operation]]:
    """Part the operations that make up new models from all others."""
    names = {operation.name_lower for operation in operations if isinstance(operation, migrations.CreateModel)}
    new, rest = [], []
    for operation in operations:
        is_part = isinstance(operation, PARTS) and operation.model_name_lower in names
        (new if is_part or isinstance(operation, migrations.CreateModel) else rest).append(operation)
    return new, rest


PARTS = (migrations.AddField, migrations.AddIndex, migrations.AddConstraint)


def detect(before: ProjectState, after: ProjectState, label: str) -> list[Operation]:
    """Return the operations that lead from one state to the other, in an order that can be run."""
    changes = _Detector(before, after, _Questioner())._detect_changes(convert_apps={label})
    return fold([operation for migration in changes.get(label, []) for operation in migration.operations])


def fold(operations: list[Operation]) -> list[Operation]:
    """Put the columns, indexes and constraints of new models into their creation, targets before those that link.

    What Django's optimizer does for a general list of operations, in linear time for the one case that matters. New
    models may link in circles: `BatchedMigration` creates them as one.
    """
    new, rest = _new_models(operations)
    creations = {operation.name_lower: operation for operation in new if isinstance(operation, migrations.CreateModel)}
    parts: dict[str, list[Any]] = {name: [] for name in creations}
    for operation in new:
        if not isinstance(operation, migrations.CreateModel):
            parts[operation.model_name_lower].append(operation)
    return [*(_creation(creations[name], parts[name]) for name in _order(parts)), *rest]


def _order(parts: dict[str, list[Any]]) -> list[str]:
    """Order new models by their links, as far as those form no circle."""
    seen: set[str] = set()
    ordered: list[str] = []
    for start in sorted(parts):
        stack = [(start, iter(_targets(parts, start)))] if start not in seen else []
        seen.add(start)
        while stack:
            name, targets = stack[-1]
            next_target = next((target for target in targets if target not in seen), None)
            if next_target is None:
                ordered.append(stack.pop()[0])
            else:
                seen.add(next_target)
                stack.append((next_target, iter(_targets(parts, next_target))))
    return ordered


def _targets(parts: dict[str, list[Any]], name: str) -> list[str]:
    target_names = []
    for operation in parts[name]:
        target = getattr(getattr(getattr(operation, "field", None), "remote_field", None), "model", None)
        if target is not None:
            label = target if isinstance(target, str) else target._meta.label
            target_names.append(label.split(".")[-1].lower())
    return [target for target in target_names if target in parts]


def _creation(creation: migrations.CreateModel, parts: list[Any]) -> migrations.CreateModel:
    fields = [*creation.fields, *((add.name, add.field) for add in parts if isinstance(add, migrations.AddField))]
    options = dict(creation.options)
    for add in parts:
        if isinstance(add, migrations.AddIndex):
            options["indexes"] = [*options.get("indexes", []), add.index]
        elif isinstance(add, migrations.AddConstraint):
            options["constraints"] = [*options.get("constraints", []), add.constraint]
    return migrations.CreateModel(creation.name, fields, options, creation.bases, creation.managers)
