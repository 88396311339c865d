"""Drops what another branch has left in the database, after its values were archived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from crm.release.batched import kept_numbers
from crm.release.data_migrations import CHUNK, plain
from crm.release.differences import Difference, LeftOver, UnknownMigration
from crm.release.tables import Table


def drop_left_over(differences: Iterable[Difference], claimed: dict[str, Table], label: str) -> None:
    """Archive and drop all that is left over, and forget the migrations that are not here: a later merge runs them.

    Runs in the transaction of its caller.
    """
    differences = list(differences)
    left = [difference for difference in differences if isinstance(difference, LeftOver)]
    columns = [place for difference in left for place in difference.columns]
    for table, column in columns:
        _archive(table, column, f"{label}.left_over")
    with connection.schema_editor(atomic=True) as editor, kept_numbers(connection, label):
        constraints = [difference.constraint for difference in left if difference.constraint]
        if (
            connection.vendor == "sqlite"
        ):  # It drops no column that is unique, indexed or a link: the table is made anew.
            for table in sorted({table for table, column in columns if column} | {table for table, _ in constraints}):
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
    for difference in differences:
        if isinstance(difference, UnknownMigration):
            MigrationRecorder(connection).record_unapplied(label, difference.name)


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
