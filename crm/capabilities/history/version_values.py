"""The values of a version that can be written back to its record, and the link targets that are gone meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from crm.capabilities.history.versions import links_of, title_of_gone
from crm.records.link_guards import is_tied
from crm.records.record import Record
from crm.records.soft_delete import not_deleted


def column_names(version: Any) -> list[str]:
    """Return the columns that a version holds and that can be written back: no key, no date, nothing computed."""
    definition = version.instance_type.definition
    given = {"id", "updated", *definition.storage}
    return [column.attname for column in version.tracked_fields if column.attname not in given]


def missing_targets(model: type[Record], versions: Iterable[Any]) -> dict[str, set[Any]]:
    """Return the keys that versions link to and that no record can be linked to any more, by the link's column."""
    versions, gone_keys = list(versions), {}
    tracked = set(column_names(versions[0])) if versions else set()
    for link in (column for column in model._meta.concrete_fields if column.related_model):
        if link.attname not in tracked:
            continue
        keys = {getattr(version, link.attname) for version in versions} - {None}
        gone_keys[link.attname] = keys - set(targets_left(model, link).filter(pk__in=keys).values_list("pk", flat=True))
    return gone_keys


def former_links(versions: Sequence[Any], many: models.ManyToManyField) -> list[tuple[set[Any], set[Any]]]:
    """Return the keys that each version had many-to-many links to: those to be linked to again, and the others."""
    kept = [set(keys) for keys in links_of(versions, many).values()]
    keys = set[Any]().union(*kept)
    left = set(targets_left(versions[0].instance_type, many).filter(pk__in=keys).values_list("pk", flat=True))
    return [(keys & left, keys - left) for keys in kept]


def describe_missing_links(many: models.ManyToManyField, keys: Iterable[Any]) -> str:
    """Say which targets of a many-to-many link are gone."""
    names = ", ".join(title_of_gone(many.related_model, key) for key in sorted(keys))
    return _("%(field)s had %(targets)s") % {"field": str(many.verbose_name).lower(), "targets": names}


def targets_left(model: type[Record], link: models.ForeignKey | models.ManyToManyField) -> models.QuerySet:
    """Return the rows that a link of a version may lead to again; where links are kept, those in the trash, too."""
    target = link.related_model
    return not_deleted(target) if is_tied(model, link.name) else target._base_manager.all()


def describe_missing_target(model: type[Record], name: str, key: Any) -> str:
    """Say which target is gone. Raises ValidationError where the record cannot be without it."""
    link = next(column for column in model._meta.concrete_fields if column.attname == name)
    words = {"field": str(link.verbose_name).lower(), "target": title_of_gone(link.related_model, key)}
    if not link.null:
        raise ValidationError(_("its %(field)s was %(target)s, and it cannot be without one.") % words)
    return _("%(field)s was %(target)s") % words
