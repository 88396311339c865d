"""Soft delete: deleted rows that can be restored stay in their tables, and querysets leave them out.

A model `keeps_deleted` where a capability gave it the columns; where its own records go `into_trash`, deleting one puts
it there.
"""

from __future__ import annotations

from typing import Any

from django.db import models

DELETED_AT, DELETED_IN = "deleted_at", "deleted_in"
IN_TRASH = " (in the trash)"
NOT_DELETED = models.Q(**{f"{DELETED_AT}__isnull": True})


class UniqueUnlessDeleted(models.UniqueConstraint):
    """Keeps values from occurring twice outside the trash; to migrations it is a constraint like any other."""

    def __init__(self, *, fields: Any, name: str, **more: Any):
        super().__init__(fields=fields, name=name, **{"condition": NOT_DELETED, **more})

    def deconstruct(self) -> tuple[str, tuple, dict[str, Any]]:
        _, args, kwargs = super().deconstruct()
        return "django.db.models.UniqueConstraint", args, kwargs

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: a record names it among its unique checks, as it does with unique columns."""


def not_deleted(model: type[models.Model]) -> models.QuerySet:
    """Return the rows of a model that are not in the trash; plain ones, that no computed value follows."""
    rows = model._base_manager.all()
    return rows.filter(NOT_DELETED) if getattr(model, "keeps_deleted", False) else rows


def is_deleted(record: Any) -> bool:
    return record.__dict__.get(DELETED_AT) is not None


def unique_unless_deleted(model: type[models.Model]) -> list[tuple[str, ...]]:
    """Return the columns whose values may occur once outside the trash."""
    return [tuple(one.fields) for one in model._meta.constraints if isinstance(one, UniqueUnlessDeleted)]


def is_unique(model: type[models.Model], name: str) -> bool:
    """Say whether no two present records may have the same value in a column."""
    return model._meta.get_field(name).unique or (name,) in unique_unless_deleted(model)
