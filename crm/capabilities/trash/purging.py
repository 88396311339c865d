"""Purge: hard deletion of soft-deleted rows, children before their parents."""

from __future__ import annotations

import logging
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from crm.blueprint.nodes import Business, Entity
from crm.capabilities.trash.section import reached, restore_for
from crm.capabilities.trash.soft_delete import NotInTrash, delete_from_trash
from crm.records.changes import change_scope
from crm.records.deletion import Model
from crm.records.soft_delete import DELETED_AT

logger = logging.getLogger(__name__)


def expired(entity: Entity) -> models.QuerySet:
    """Return the records of an entity that can no longer be restored."""
    model: Model = apps.get_model(entity.business.label, entity.class_name)
    cause = reached(entity.business)[entity.name]
    return model._base_manager.filter(**{f"{DELETED_AT}__lt": timezone.now() - restore_for(cause)})


def purge(business: Business, dry_run: bool = False) -> tuple[dict[str, int], dict[str, int]]:
    """Remove what can no longer be restored; return how many went, and how many others still need, by entity."""
    entities = [business.entities[name] for name in reached(business)]
    if dry_run:
        return {one.name: expired(one).count() for one in entities}, {}
    gone, kept = dict.fromkeys((one.name for one in entities), 0), dict[str, int]()
    with change_scope(reason="Its time in the trash was over", source="purge"):
        again = True
        while again:
            again = False
            for entity in reversed(entities):
                removed, left = _remove(list(expired(entity).order_by("-pk")))
                gone[entity.name] += removed
                kept[entity.name] = left
                again = again or (removed > 0 and any(kept.values()))
    return gone, {name: count for name, count in kept.items() if count}


def _remove(records: list[Any]) -> tuple[int, int]:
    """Delete records for good; return how many went, and how many are still needed; one restored since is neither."""
    removed = left = 0
    for record in records:
        try:
            delete_from_trash(record)
        except NotInTrash:
            continue
        except (models.ProtectedError, ValidationError):  # A link that its going would empty may have to be there.
            logger.info("%s %s stays in the trash: it is still needed", record._meta.label, record.pk)
            left += 1
        else:
            removed += 1
    return removed, left
