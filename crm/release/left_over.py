"""Drops what another branch has left in the database: its values are archived, or kept for the same column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from crm.release.batched import kept_numbers
from crm.release.data_migrations import CHUNK, plain
from crm.release.differences import Difference, LeftOver, UnknownMigration
from crm.release.sqlite_tables import columns_kept
from crm.release.tables import Table


def drop_left_over(differences: Iterable[Difference], claimed: dict[str, Table], label: str) -> None:
    """Archive and drop all that is left over, and forget the migrations that are not here: a later merge runs them.

    Runs in the transaction of its caller.
    """
    differences = list(differences)
    left = [difference for difference in differences if isinstance(difference, LeftOver)]
    for table, column in (place for difference in left for place in difference.columns):
        _archive(table, column, f"{label}.left_over")
    _drop(left, claimed, label)
    forget_migrations(label, [each.name for each in differences if isinstance(each, UnknownMigration)])


def forget_migrations(label: str, names: Iterable[str]) -> None:
    """Let the database take migrations for new that it has run, and whose files are not here."""
    for name in names:
        MigrationRecorder(connection).record_unapplied(label, name)


def _drop(left: list[LeftOver], claimed: dict[str, Table], label: str) -> None:
    columns = [place for difference in left for place in difference.columns]
    with connection.schema_editor(atomic=True) as editor, kept_numbers(connection, label):
        constraints = [difference.constraint for difference in left if difference.constraint]
        if (
            connection.vendor == "sqlite"
        ):  # It drops no column that is unique, indexed or a link: the table is made anew.
            with columns_kept(editor, without=columns):
                for table in sorted({table for table, name in columns if name} | {table for table, _ in constraints}):
                    editor._remake_table(claimed[table].model)
        else:
            for table, name in constraints:
                _drop_constraint(editor, table, name)
            for table, column in columns:
                if column:
                    names = {"table": editor.quote_name(table), "column": editor.quote_name(column)}
                    editor.execute(editor.sql_delete_column % names)
        for table, column in columns:
            if not column:
                editor.execute(editor.sql_delete_table % {"table": editor.quote_name(table)})


@contextmanager
def values_adopted(
    left: list[LeftOver], claimed: dict[str, Table], generated: set[tuple[str, str]], label: str
) -> Iterator[None]:
    """Keep the values of columns that the migrations which run meanwhile add just so.

    The columns go, so that the migrations find the tables as they claim them, and their values are put back behind. The
    database computes those itself that are `generated`.
    """
    places = [place for difference in left for place in difference.columns]
    quote = connection.ops.quote_name
    keys = {}
    with connection.cursor() as cursor:
        for number, (table, column) in enumerate(places):
            keys[table] = quote(connection.introspection.get_primary_key_column(cursor, table) or "id")
            cursor.execute(  # Names from the catalog alone.
                f"CREATE TEMPORARY TABLE adopted_{number} AS SELECT {keys[table]} AS key, {quote(column)} AS value "  # noqa: S608
                f"FROM {quote(table)} WHERE {quote(column)} IS NOT NULL"
            )
    if places:
        _drop(left, claimed, label)
    yield
    with connection.cursor() as cursor:
        for number, (table, column) in enumerate(places):
            if (table, column) not in generated:
                cursor.execute(
                    f"UPDATE {quote(table)} SET {quote(column)} = kept.value "  # noqa: S608
                    f"FROM adopted_{number} kept WHERE {quote(table)}.{keys[table]} = kept.key"
                )
            cursor.execute(f"DROP TABLE adopted_{number}")


def _drop_constraint(editor: Any, table: str, name: str) -> None:
    quoted = editor.quote_name(name)
    editor.execute(f"ALTER TABLE {editor.quote_name(table)} DROP CONSTRAINT IF EXISTS {quoted}")
    editor.execute(f"DROP INDEX IF EXISTS {quoted}")


def _archive(table: str, column: str, release: str) -> None:
    """Keep the values of a column, or the rows of a table, as JSON by primary key."""
    archive = apps.get_model("crm", "Archive").objects
    for rows in _rows(table, column):
        archive.create(release=release, table=table, column=column, rows=rows)


def _rows(table: str, column: str) -> Iterator[dict[str, dict[str, Any]]]:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        key = connection.introspection.get_primary_key_column(cursor, table) or "id"
        chosen = f"{quote(key)}, {quote(column)}" if column else f"{quote(key)}, t.*"
        where = f"WHERE {quote(column)} IS NOT NULL" if column else ""
        cursor.execute(f"SELECT {chosen} FROM {quote(table)} t {where} ORDER BY 1")  # noqa: S608
        names = [one[0] for one in cursor.description][1:]
        while rows := cursor.fetchmany(CHUNK):
            yield {
                str(key): {name: plain(value) for name, value in zip(names, values, strict=True)}
                for key, *values in rows
            }
