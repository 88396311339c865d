"""Row locks of what a write is judged by: held until the transaction ends, taken in the order of primary keys.

PostgreSQL alone has them; SQLite has one writer at a time. Whoever locks several rows of a model does it by a function
of this module, so that two transactions cannot wait for one another's rows (no deadlock).
"""

from __future__ import annotations

from django.db import connection, models


def lock_in_order(rows: models.QuerySet) -> None:
    """Let others wait who want to write these rows, or to lock them likewise (FOR NO KEY UPDATE)."""
    if connection.in_atomic_block and connection.features.has_select_for_no_key_update:
        list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))
