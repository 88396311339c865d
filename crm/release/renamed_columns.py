"""Renames that the database has and the files have not, or the other way round: after `git checkout`, forth or back.

Each release notes what its migrations rename. So a column that is missing, beside one that is left over and that a
release called so, is known to be the same one: it is moved, and not added empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation

from crm.release import data_migrations
from crm.release.tables import Column, Table


@dataclass(frozen=True)
class Rename:
    """A rename that a migration has done: of a model, or (`model`) of a field of it.

    Where `model` is a field (`hive.state`), it is a choice that was exchanged.
    """

    migration: str
    model: str
    before: str
    after: str

    def as_data(self) -> list[str]:
        """Return it as a release notes it."""
        return [self.migration, self.model, self.before, self.after]


def renames_of(migration: str, operations: Iterable[Operation]) -> Iterator[Rename]:
    """Yield what the operations of a migration rename."""
    for operation in operations:
        if isinstance(operation, migrations.RenameField):
            yield Rename(migration, operation.model_name_lower, operation.old_name, operation.new_name)
        elif isinstance(operation, migrations.RenameModel):
            yield Rename(migration, "", operation.old_name_lower, operation.new_name_lower)
        elif isinstance(operation, migrations.RunPython):
            yield from _exchanges_of(migration, operation.code)


def _exchanges_of(migration: str, code: Any) -> Iterator[Rename]:
    if isinstance(code, partial) and code.func is data_migrations.exchange:
        field = f"{code.keywords['model'].lower()}.{code.keywords['name']}"
        for before, after in code.keywords["values"].items():
            yield Rename(migration, field, before, after)


def in_order(renames: Iterable[Rename]) -> list[Rename]:
    """Return renames in the order of their migrations, which begin with their number."""
    return sorted(renames, key=lambda rename: rename.migration.partition("_")[0])


@dataclass(frozen=True)
class RenamedColumn:
    """A column, or the table of a many-to-many field, that the database has by another name than the files claim."""

    table: str
    """The table of the records (or versions) that the field is of."""
    wanted: str
    actual: str
    """The field, as the files call it and as the database does."""
    wanted_place: tuple[str, str]
    actual_place: tuple[str, str]
    """Table and column; the column is empty where it is the table of a many-to-many field."""
    rename: Rename
    is_same: bool
    """Whether it is of the type that the files claim, so that it can be moved."""


def find_renamed(
    claimed: dict[str, Table], actual: dict[str, Table], renames: Iterable[Rename]
) -> Iterator[RenamedColumn]:
    """Yield the columns that are claimed and missing, and that the database has by a name they had before or after."""
    names: dict[str, list[Rename]] = {}
    for rename in renames:
        names.setdefault(rename.model, []).append(rename)
    for table in claimed.values():
        model: Any = table.model
        if table.name not in actual:
            yield from _history_of_many(table.name, model._meta.model_name, claimed, actual, names.get("", []))
        if table.name not in actual or model._meta.model_name not in names:
            continue
        for field in [*model._meta.local_concrete_fields, *model._meta.local_many_to_many]:
            wanted = _place(field, field.name)
            if _has(actual, wanted):
                continue
            for name, rename in other_names(field.name, names[model._meta.model_name]):
                place = _place(field, name)
                if _has(actual, place) and not _has(claimed, place):
                    is_same = not place[1] or _facts(actual, place) == _facts(claimed, wanted)
                    yield RenamedColumn(table.name, field.name, name, wanted, place, rename, is_same)
                    break


def _history_of_many(
    table: str, model: str, claimed: dict[str, Table], actual: dict[str, Table], renames: list[Rename]
) -> Iterator[RenamedColumn]:
    """Yield the table that the history of a many-to-many field has by another name: it has a model of its own."""
    prefix = table.removesuffix(model)
    owner, _, wanted = model.partition("_")
    for other, rename in other_names(model, renames):
        other_owner, _, name = other.partition("_")
        place = (f"{prefix}{other}", "")
        if wanted and owner == other_owner and _has(actual, place) and not _has(claimed, place):
            yield RenamedColumn(f"{prefix}{owner}", wanted, name, (table, ""), place, rename, True)
            return


def _place(field: models.Field, name: str) -> tuple[str, str]:
    """Return the table and column of a field, if it were called so."""
    table = field.model._meta.db_table
    if field.many_to_many:
        return f"{table}_{name}", ""
    return table, name + field.column.removeprefix(field.name)


def _has(tables: dict[str, Table], place: tuple[str, str]) -> bool:
    table, column = place
    return table in tables and (not column or column in tables[table].columns)


def _facts(tables: dict[str, Table], place: tuple[str, str]) -> tuple[str, bool]:
    column: Column = tables[place[0]].columns[place[1]]
    return column.type, column.null


def other_names(name: str, renames: list[Rename]) -> Iterator[tuple[str, Rename]]:
    """Yield all names that a field or a model had before or after, each with a rename that leads there."""
    seen, todo = {name}, [name]
    for current in todo:
        for rename in reversed(renames):
            for other in {rename.before: [rename.after], rename.after: [rename.before]}.get(current, ()):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
                    yield other, rename


def move_renamed(
    columns: Iterable[RenamedColumn], claimed: dict[str, Table], actual: dict[str, Table], editor: Any
) -> None:
    """Give columns the names that the files claim, and their unique constraints too; values stay where they are."""
    columns = list(columns)
    quote = editor.quote_name
    for column in columns:
        (table, name), (wanted_table, wanted_name) = column.actual_place, column.wanted_place
        if name:
            editor.execute(f"ALTER TABLE {quote(table)} RENAME COLUMN {quote(name)} TO {quote(wanted_name)}")
        else:
            editor.execute(f"ALTER TABLE {quote(table)} RENAME TO {quote(wanted_table)}")
    for table in sorted({column.table for column in columns}):
        former = {
            column.wanted_place[1]: column.actual_place[1]
            for column in columns
            if column.table == table and column.wanted_place[1]
        }
        for unique, name in claimed[table].unique.items():
            present = actual[table].unique.get(frozenset(former.get(column, column) for column in unique), "")
            if name and present and name != present and unique & former.keys():
                _rename_index(editor, present, name)


def _rename_index(editor: Any, name: str, wanted: str) -> None:
    """Give an index another name; on PostgreSQL, the constraint that it is of is renamed with it."""
    quote = editor.quote_name
    if connection.vendor == "postgresql":
        editor.execute(f"ALTER INDEX {quote(name)} RENAME TO {quote(wanted)}")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = %s", [name])
        row = cursor.fetchone()
    if row and row[0]:  # Else it belongs to the table itself, and SQLite never asks for its name.
        editor.execute(f"DROP INDEX {quote(name)}")
        editor.execute(row[0].replace(quote(name), quote(wanted), 1))
