"""The values of a version that can be written back to its record, and the link targets that are gone meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.capabilities.history.versions import title_of_gone
from crm.records.record import Record
from crm.records.soft_delete import not_deleted


def column_names(version: Any) -> list[str]:
    """Return the columns that a version holds and that can be written back: no key, no date, nothing computed."""
    definition = version.instance_type.definition
    given = {"id", "updated", *definition.storage}
    return [column.attname for column in version.tracked_fields if column.attname not in given]


def missing_targets(model: type[Record], versions: Iterable[Any]) -> dict[str, set[Any]]:
    """Return the keys that versions link to and that are no record's any more, by the link's column."""
    versions, gone_keys = list(versions), {}
    tracked = set(column_names(versions[0])) if versions else set()
    for link in (column for column in model._meta.concrete_fields if column.related_model):
        if link.attname not in tracked:
            continue
        keys = {getattr(version, link.attname) for version in versions} - {None}
        gone_keys[link.attname] = keys - set(
            not_deleted(link.related_model).filter(pk__in=keys).values_list("pk", flat=True)
        )
    return gone_keys


def describe_missing_target(model: type[Record], name: str, key: Any) -> str:
    """Say which target is gone. Raises ValidationError where the record cannot be without it."""
    link = next(column for column in model._meta.concrete_fields if column.attname == name)
    words = {"field": str(link.verbose_name).lower(), "target": title_of_gone(link.related_model, key)}
    if not link.null:
        raise ValidationError(_("its %(field)s was %(target)s, and it cannot be without one.") % words)
    return _("%(field)s was %(target)s") % words
