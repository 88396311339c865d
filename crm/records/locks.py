"""Row locks of what a write is judged by: held until the transaction ends, taken in the order of primary keys.

PostgreSQL alone has them; SQLite has one writer at a time. Whoever locks several rows of a model does it by a function
of this module, so that two transactions cannot wait for one another's rows (no deadlock).

A soft delete is an UPDATE, against which no foreign key holds a record. So a write that makes a link lead to a record
keeps that from deletion first, and only then asks whether it is there; and a deletion locks what it deletes first, and
only then looks for what links to it. Whoever comes second waits for the other, and sees what it did.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection, models

from crm.records.chunks import chunks


def has_row_locks() -> bool:
    """Say whether rows can be locked now: on a database that does it, within a transaction."""
    return connection.in_atomic_block and connection.features.has_select_for_no_key_update


def lock_in_order(rows: models.QuerySet) -> None:
    """Let others wait who want to write these rows, or to lock them likewise (FOR NO KEY UPDATE)."""
    if has_row_locks():
        list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def lock_record(record: models.Model) -> None:
    """Lock a record until the transaction ends, so that what is compared stays so until it is written."""
    lock_in_order(type(record)._base_manager.filter(pk=record.pk))


def select_for_write(rows: models.QuerySet) -> models.QuerySet:
    """Return a query that locks the rows as it reads them, in its order; outside a transaction, it locks none."""
    if not (connection.in_atomic_block and connection.features.has_select_for_update):
        return rows
    return rows.select_for_update(of=("self",), no_key=connection.features.has_select_for_no_key_update)


def keep_from_deletion(rows: models.QuerySet) -> None:
    """Let a deletion of these rows wait, but no other write of them (FOR KEY SHARE, as a foreign key does it).

    Django knows no such lock. `rows` are of one table, without joins.
    """
    if has_row_locks():
        sql, params = rows.order_by("pk").values_list("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} FOR KEY SHARE", params)


def lock_for_deletion(rows: models.QuerySet, keys: Collection[Any]) -> Collection[Any]:
    """Let everybody wait who links to records or writes them (FOR UPDATE); return those keys that are still in `rows`.

    Without such locks, all of the keys are returned.
    """
    if not has_row_locks():
        return keys
    present = set[Any]()
    for batch in chunks(sorted(keys)):
        locked = rows.filter(pk__in=batch).order_by("pk").select_for_update()
        present.update(locked.values_list("pk", flat=True))
    return [key for key in keys if key in present]
