"""Soft delete: deleted rows that can be restored stay in their tables, and querysets leave them out.

A model `keeps_deleted` where a capability gave it the columns; where its own records go `into_trash`, deleting one puts
it there.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from crm.records.identity import UniqueByKeys

DELETED_AT, DELETED_IN = "deleted_at", "deleted_in"
IN_TRASH = " (in the trash)"
NOT_DELETED = models.Q(**{f"{DELETED_AT}__isnull": True})


class UniqueUnlessDeleted(UniqueByKeys):
    """Keeps values from occurring twice outside the trash."""

    def __init__(self, *, fields: Any, name: str, **more: Any):
        super().__init__(fields=fields, name=name, **{"condition": NOT_DELETED, **more})


def not_deleted(model: type[models.Model]) -> models.QuerySet:
    """Return the rows of a model that are not in the trash; plain ones, that no computed value follows."""
    rows = model._base_manager.all()
    return rows.filter(NOT_DELETED) if getattr(model, "keeps_deleted", False) else rows


def is_deleted(record: Any) -> bool:
    return record.__dict__.get(DELETED_AT) is not None
