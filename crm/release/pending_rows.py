"""Pending migrations held against the rows of this database, before they are run.

A branch that makes a field required, or converts it, looked at the rows of its own database. Those of another one may
have no value there, or one that does not fit: then the migration would fail in the middle of `apply`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from crm.fields.comparison import is_key_name, source_name
from crm.release import data_migrations
from crm.release.data_migrations import NAMED
from crm.release.differences import Difference
from crm.release.plan_context import VERSIONS, record_of
from crm.release.steps import format_value, pluralize

FILLED = (data_migrations.fill_empty, data_migrations.fill_rows, data_migrations.fill_keys)


def unfit_rows(label: str, pending: Iterable[migrations.Migration], state: ProjectState) -> Iterator[Difference]:
    """Yield what the rows that are there make fail in pending migrations; `state` is that of the tables."""
    walk = _Walk(label, state)
    for migration in pending:
        for operation in migration.operations:
            for model, fault in walk.faults(operation):
                sentence = _("The migration %(migration)s cannot be run: %(fault)s")
                values = {"migration": migration.name, "fault": fault}
                yield Difference(sentence % values, _way_out(is_history=_is_history(model)), blocks=True)
            walk.take(operation)


def _way_out(is_history: bool) -> str:
    anew = _("let the branch that made the migration make it anew, with a 'backfill:' where values are missing.")
    if is_history:
        return _("Versions are not edited: %(anew)s") % {"anew": anew}
    mend = _(
        "Mend these records with the files that this database was brought to (git checkout), in the admin or by an "
        "import, then come back and apply. Or %(anew)s"
    )
    return mend % {"anew": anew}


def _is_history(model: str) -> bool:
    return model.lower().startswith(VERSIONS.lower())


class _Walk:
    """Goes through operations in their order, and knows by which names the tables have what they speak of."""

    def __init__(self, label: str, state: ProjectState):
        self.label, self.actual, self.state = label, state, state.clone()
        self.state.__dict__.pop("apps", None)
        self.tables = {name: name for app, name in state.models if app == label}
        self.columns = {
            (name, column): column
            for app, name in state.models
            if app == label
            for column in state.models[app, name].fields
        }
        self.treated: set[tuple[str, str]] = set()
        """The columns, by model, that a data migration has filled or cut to their length."""

    def take(self, operation: Operation) -> None:
        """Go behind an operation."""
        if isinstance(operation, migrations.RenameModel):
            before, after = operation.old_name_lower, operation.new_name_lower
            self.tables[after] = self.tables.pop(before, "")
            for model, column in [key for key in self.columns if key[0] == before]:
                self.columns[after, column] = self.columns.pop((model, column))
        elif isinstance(operation, migrations.RenameField):
            name = self.columns.pop((operation.model_name_lower, operation.old_name), "")
            self.columns[operation.model_name_lower, operation.new_name] = name
        elif isinstance(operation, migrations.AddField | migrations.RemoveField):
            self.columns.pop((operation.model_name_lower, operation.name), None)
        elif (call := _call(operation)) is not None and call.func in (*FILLED, data_migrations.shorten):
            self.treated.add((call.keywords["model"].lower(), call.keywords.get("column") or call.keywords["name"]))
        operation.state_forwards(self.label, self.state)

    def faults(self, operation: Operation) -> Iterator[tuple[str, str]]:
        """Yield each model with rows that an operation would fail on, and why."""
        call = _call(operation)
        model = call.keywords.get("model", "") if call is not None else getattr(operation, "model_name", "")
        yield from ((model, fault) for fault in self._faults(operation, call))

    def _faults(self, operation: Operation, call: partial | None) -> Iterator[str]:
        if isinstance(operation, migrations.AlterField):
            yield from self._faults_of_column(operation)
        elif isinstance(operation, migrations.AddConstraint) and isinstance(
            operation.constraint, models.UniqueConstraint
        ):
            yield from self._doubles(operation.model_name_lower, list(operation.constraint.fields))
        elif call is not None and call.func is data_migrations.convert_column:
            yield from self._faults_of_conversion(**call.keywords)

    def _rows(self, model: str, *names: str) -> models.QuerySet | None:
        """Return the rows of a model as its table is now; None where that does not have these columns yet."""
        table = self.tables.get(model.lower())
        if not table or not all(self.columns.get((model.lower(), name)) for name in names):
            return None
        return self.actual.apps.get_model(self.label, table)._base_manager.order_by("pk")

    def _faults_of_column(self, operation: migrations.AlterField) -> Iterator[str]:
        model, name, after = operation.model_name_lower, operation.name, operation.field
        rows, before = self._rows(model, name), self.state.models[self.label, model].fields[name]
        if rows is None:
            return
        column, is_treated = self.columns[model, name], (model, name) in self.treated
        if before.null and not after.null and not is_treated and not _is_filled(after):
            empty = rows.filter(**{f"{column}__isnull": True})
            if count := empty.count():
                sentence = _("%(name)s becomes required, and %(rows)s no value: %(first)s.")
                yield sentence % {**self._told(model, name, count), "first": _first(empty)}
        shorter = after.max_length and (before.max_length is None or before.max_length > after.max_length)
        if shorter and isinstance(after, data_migrations.TEXTS) and not is_treated:
            long = rows.annotate(_length=Length(column)).filter(_length__gt=after.max_length)
            if count := long.count():
                sentence = _("%(name)s takes %(length)s letters, and %(rows)s more: %(first)s.")
                yield sentence % {**self._told(model, name, count), "length": after.max_length, "first": _first(long)}
        if after.unique and not before.unique:
            yield from self._doubles(model, [name])

    def _doubles(self, model: str, names: list[str]) -> Iterator[str]:
        rows = self._rows(model, *names)
        if rows is None or not names or any(map(is_key_name, names)):  # Its migration names the doubles itself.
            return
        columns = [self.columns[model, name] for name in names]
        rows = rows.exclude(models.Q(*((f"{name}__isnull", True) for name in columns), _connector=models.Q.OR))
        if (model, "deleted_at") in self.columns:
            rows = rows.filter(deleted_at__isnull=True)
        doubles = rows.order_by(*columns).values(*columns).annotate(count=models.Count("pk")).filter(count__gt=1)
        if count := doubles.count():
            first = "; ".join(" + ".join(format_value(double[name]) for name in columns) for double in doubles[:NAMED])
            sentence = _("%(name)s must be unique, and %(count)s more than once: %(first)s.")
            told = f"{pluralize(count, 'value')} {'occurs' if count == 1 else 'occur'}"
            yield sentence % {"name": self._name(model, " + ".join(names)), "count": told, "first": first}

    def _faults_of_conversion(self, *, model: str, source: str, **what: Any) -> Iterator[str]:
        """Try the values of a column that is converted, each as the migration will."""
        rows = self._rows(model, source)
        if rows is None or not what["strict"] or not rows.exists():
            return
        build: Callable[[str], Any] = lambda key: data_migrations.field_of(  # noqa: E731
            what["label"], what["entity"], what["name"], what[key], what["app"]
        )
        old, new = build("old") if what["old"] else None, build("new")
        values = (getattr(new.options, key, None) for key in ("backfill", "default"))
        needs_value = what["fill"] and all(value is None for value in values)
        failed, count = [], 0
        for batch in data_migrations.chunks(rows, self.columns[model.lower(), source]):
            for key, value in batch:
                if why := _why_not(value, old, new, needs_value):
                    count += 1
                    failed += [f"{key}: {format_value(value)}: {why}"] if count <= NAMED else []
        if count:
            sentence = _("%(name)s becomes %(type)s, and %(rows)s none: %(first)s")
            told = self._told(model.lower(), source, count)
            yield sentence % {**told, "type": new.type.name, "first": " ".join(failed)}

    def _told(self, model: str, name: str, count: int) -> dict[str, str]:
        who = "version" if _is_history(model) else "record"
        return {"name": self._name(model, name), "rows": f"{pluralize(count, who)} {'has' if count == 1 else 'have'}"}

    def _name(self, model: str, name: str) -> str:
        owner = f"{record_of(model)}.{source_name(name)}"
        return _("the history of %(name)s") % {"name": owner} if _is_history(model) else owner


def _call(operation: Operation) -> partial | None:
    """Return the call of a data migration, with what it is called with; None for other operations."""
    code = operation.code if isinstance(operation, migrations.RunPython) else None
    return code if isinstance(code, partial) else None


def _is_filled(field: models.Field) -> bool:
    """Say whether the database gives a value to the rows that have none, as the column stops taking NULL."""
    return field.has_db_default() or connection.schema_editor()._effective_default(field) is not None


def _first(rows: models.QuerySet) -> str:
    keys = list(rows.values_list("pk", flat=True)[: NAMED + 1])
    return ", ".join(map(str, keys[:NAMED])) + (", …" if keys[NAMED:] else "")


def _why_not(value: Any, old: Any, new: Any, needs_value: bool) -> str:
    """Return why a value cannot be converted; nothing where it can."""
    try:
        converted = data_migrations.convert_value(value, old, new)
    except ValueError as error:
        return str(error)
    return _("there is no value.") if converted is None and needs_value else ""
