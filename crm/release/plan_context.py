"""What the steps of a plan are made from: both businesses, both migration states, and the tables as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from crm.blueprint.nodes import Business, Entity, Field
from crm.fields.comparison import source_name
from crm.release import data_migrations

VERSIONS = "Historical"
"""What the models of the history are called after: `HistoricalTrip` holds the versions of `Trip`."""


@dataclass
class Renames:
    """What models and columns were called before this plan renames them."""

    models: dict[str, str] = field(default_factory=dict)
    columns: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            if isinstance(operation, migrations.RenameModel):
                before, after = operation.old_name_lower, operation.new_name_lower
                self.models[after] = self.models.pop(before, before)
            elif isinstance(operation, migrations.RenameField):
                self.columns[operation.model_name_lower, operation.new_name] = operation.old_name

    def model(self, name: str) -> str:
        return self.models.get(name.lower(), name.lower())

    def column(self, model: str, name: str) -> str:
        return self.columns.get((model.lower(), name), name)


@dataclass
class PlanContext:
    """`now` is the state of the tables, `wanted` the one asked for; all are asked by the new names.

    A field is found by its record's model and by that of its versions.
    """

    old_business: Business
    new_business: Business
    from_state: ProjectState
    to_state: ProjectState
    renames: Renames
    release: str
    counts: bool = True
    """False where the database lags behind its migrations, so that rows cannot be looked at."""

    @property
    def label(self) -> str:
        return self.new_business.label

    @cached_property
    def _tables(self) -> set[str]:
        return set(connection.introspection.table_names()) if self.counts else set()

    def table(self, model: str) -> type[models.Model] | None:
        """Return a model as its table is now, or None where the database does not have it."""
        name = self.renames.model(model)
        if (self.label, name) not in self.from_state.models:
            return None
        model_class = self.from_state.apps.get_model(self.label, name)
        return model_class if model_class._meta.db_table in self._tables else None

    def rows(self, model: str) -> models.QuerySet | None:
        table = self.table(model)
        return table._base_manager.all() if table else None

    def rows_with(self, model: str, name: str) -> models.QuerySet | None:
        """Return the rows of a model whose table has that column; a history that does not track it has none."""
        rows, column = self.rows(model), self.renames.column(record_of(model), name)
        if rows is None or column not in {field.name for field in rows.model._meta.get_fields()}:
            return None
        return rows

    def count(self, model: str) -> int:
        rows = self.rows(model)
        return rows.count() if rows is not None else 0

    def column(self, model: str, name: str) -> models.Field:
        """Return a column as it is now."""
        return self.from_state.models[self.label, self.renames.model(model)].fields[self.renames.column(model, name)]

    def filled(self, model: str, name: str) -> int:
        """Count the rows that hold something in a column; of a column for several records, what they hold."""
        rows = self.rows_with(model, name)
        if rows is not None:
            return with_value(rows, self.renames.column(record_of(model), name)).count()
        return self.count(f"{model}_{name}")

    def empty(self, model: str, name: str) -> int:
        """Count the rows that hold nothing in a column."""
        return self.count(model) - self.filled(model, name)

    def wanted_column(self, model: str, name: str) -> models.Field | None:
        """Return a column as it will be, or None where there will be none."""
        model_state = self.to_state.models.get((self.label, model.lower()))
        return model_state.fields.get(name) if model_state else None

    def constraints(self, model: str) -> list[models.UniqueConstraint]:
        """Return the constraints of a model as it is now."""
        return self.from_state.models[self.label, self.renames.model(model)].options.get("constraints", [])

    def unique_groups(self, model: str) -> set[tuple[str, ...]]:
        """Return the fields that may occur once after this plan, alone or together, by the definitions' names."""
        state = self.to_state.models.get((self.label, model.lower()))
        if state is None:
            return set()
        alone = [(name,) for name, column in state.fields.items() if column.unique]
        groups = [constraint.fields for constraint in state.options.get("constraints", ())]
        return {tuple(map(source_name, names)) for names in [*alone, *groups]}

    def kept_constraints(self, model: str, name: str) -> list[models.UniqueConstraint]:
        """Return the constraints that name a column, now and after this plan."""
        names = {constraint.name for constraint in self.constraints(model)}
        wanted = self.to_state.models[self.label, model.lower()].options.get("constraints", ())
        return [constraint for constraint in wanted if constraint.name in names and name in constraint.fields]

    def entity(self, business: Business, model: str) -> Entity | None:
        record = record_of(model)
        return next((entity for entity in business.entities.values() if entity.class_name.lower() == record), None)

    def leaf(self, model: str, name: str) -> Field | None:
        """Return the field of a column as the definitions ask for it."""
        entity = self.entity(self.new_business, model)
        return entity.find(name) if entity else None

    def leaf_before(self, model: str, name: str) -> Field | None:
        """Return the field of a column as it is in force."""
        record = record_of(model)
        entity = self.entity(self.old_business, self.renames.model(record))
        return entity.find(self.renames.column(record, name)) if entity else None

    def former_field(self, leaf: Field) -> Field | None:
        """Return what a field of the definitions is in force, by the name that this plan renames it from."""
        return self.leaf_before(leaf.entity.class_name, leaf.name)

    def field_migration_kwargs(self, leaf: Field) -> dict[str, Any]:
        """Return what a data move must know of a field, as plain data for the migration."""
        return {"entity": leaf.entity.name, "name": leaf.name, "raw": raw_of(leaf), "app": self._app()}

    def _app(self) -> dict[str, Any]:
        keys = ("name", "currency", "time_zone", "region", "languages")
        app = self.new_business.app
        return {key: getattr(app, key) for key in keys if getattr(app, key) is not None}


def record_of(model: str) -> str:
    """Return the name of the record's model, in small letters, also for that of its versions."""
    return model.lower().removeprefix(VERSIONS.lower())


def with_value(rows: models.QuerySet, name: str) -> models.QuerySet:
    """Return the rows that hold something in a column; of a many-to-many column, the rows of its table."""
    column = rows.model._meta.get_field(name)
    if column.many_to_many:
        return column.remote_field.through._base_manager.all()
    if isinstance(column, models.BooleanField):
        return rows.filter(**{name: True})
    filled = rows.exclude(**{f"{column.attname}__isnull": True})
    return filled.exclude(**{name: ""}) if isinstance(column, data_migrations.TEXTS) else filled


def raw_of(leaf: Field) -> Any:
    """Return a leaf's raw definition as plain data, as if it stood alone: what it is computed from is left out."""
    if leaf.whole is None and not leaf.record and leaf.document is leaf.entity.document:
        raw = _plain(leaf.document.data["fields"][leaf.name])
        return {key: value for key, value in raw.items() if key != "compute"} if isinstance(raw, dict) else raw
    options = leaf.options.model_dump(exclude_unset=True, by_alias=True)
    return _plain({"type": leaf.type.name, **options})


def _plain(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {str(key): _plain(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_plain(value) for value in raw]
    return raw if raw is None or isinstance(raw, str | int | bool) else str(raw)
