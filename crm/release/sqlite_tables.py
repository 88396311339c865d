"""Lets columns that another branch has left survive, where SQLite changes a table by making it anew.

Django makes the new table of the columns that its state knows, so whatever else the table holds would be gone without a
word: after `git checkout` of another branch, the next release would lose the values of the first one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL


class LeftOverColumn(models.Field):
    """A column as the database declares it; of no use but to be copied into the table that is made anew."""

    def __init__(self, declared: str = "", **options: Any):
        super().__init__(**options)
        self.declared = declared

    def db_type(self, connection: Any) -> str:
        return self.declared


@contextmanager
def columns_kept(editor: Any, without: Collection[tuple[str, str]] = ()) -> Iterator[None]:
    """Let a schema editor of SQLite keep the columns that the state does not know, apart from some tables' columns."""
    if editor.connection.vendor != "sqlite":
        yield
        return
    remake = editor._remake_table

    def remake_with_all(model: type[models.Model], create_field: Any = None, **options: Any) -> None:
        table = model._meta.db_table
        known = {field.column for field in model._meta.local_concrete_fields}
        gone = {column for name, column in without if name == table}
        columns = _left_over(editor.connection, table, known | gone | {getattr(create_field, "column", None)})
        indexes = _indexes(editor.connection, table, set(columns))
        for name, column in columns.items():
            model.add_to_class(name, column)
        try:
            remake(model, create_field=create_field, **options)
        finally:
            for name, column in columns.items():
                model._meta.local_fields.remove(column)
                delattr(model, name)
            model._meta._expire_cache()
        editor.deferred_sql += indexes

    editor._remake_table = remake_with_all
    try:
        yield
    finally:
        del editor._remake_table


def _left_over(connection: Any, table: str, known: set[str]) -> dict[str, LeftOverColumn]:
    """Return the columns of a table that are not known, apart from those that the database computes."""
    columns = {}
    with connection.cursor() as cursor:
        cursor.execute('SELECT "from", "table", "to" FROM pragma_foreign_key_list(%s)', [table])
        links = {column: (target, key) for column, target, key in cursor.fetchall()}
        cursor.execute('SELECT name, type, "notnull", dflt_value FROM pragma_table_xinfo(%s) WHERE hidden = 0', [table])
        for name, declared, is_required, default in cursor.fetchall():
            if name not in known:
                options = {} if default is None else {"db_default": RawSQL(default.replace("%", "%%"), ())}
                columns[name] = LeftOverColumn(declared + _reference(connection, links.get(name)), **options)
                columns[name].null = not is_required
                columns[name]._unique = _is_unique(cursor, table, name)
    return columns


def _reference(connection: Any, link: tuple[str, str] | None) -> str:
    if link is None:
        return ""
    table, column = (connection.ops.quote_name(name) for name in link)
    return f" REFERENCES {table} ({column}) DEFERRABLE INITIALLY DEFERRED"


def _is_unique(cursor: Any, table: str, column: str) -> bool:
    """Say whether the declaration of a column itself makes it unique, and no index made for it does."""
    cursor.execute(
        "SELECT group_concat(c.name) FROM pragma_index_list(%s) i, pragma_index_info(i.name) c "
        "WHERE i.origin = 'u' GROUP BY i.name",
        [table],
    )
    return (column,) in cursor.fetchall()


def _indexes(connection: Any, table: str, columns: set[str]) -> list[str]:
    """Return the SQL of the indexes that are on one of these columns: they go with the table that is made anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT m.sql, c.name FROM sqlite_master m, pragma_index_info(m.name) c "
            "WHERE m.type = 'index' AND m.tbl_name = %s AND m.sql IS NOT NULL",
            [table],
        )
        return list(dict.fromkeys(sql for sql, column in cursor.fetchall() if column in columns))
