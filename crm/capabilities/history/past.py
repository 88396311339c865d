"""Time travel: records as they were at a moment, whose links lead to what their targets were then (as of)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Max, Min

from crm.blueprint.nodes import Field
from crm.capabilities.history.versions import keeps, links_of
from crm.records import access
from crm.records.display import path_joins, title_joins
from crm.records.record import Record
from crm.records.soft_delete import NOT_DELETED

logger = logging.getLogger(__name__)


class Past:
    """A business as it was at a moment; read from the versions, so that nothing of it can be changed."""

    def __init__(self, moment: datetime):
        self.moment = moment

    def versions(self, user: Any, model: type[Record]) -> models.QuerySet:
        """Return the versions in force then, of those records that were there and that the user may see.

        Whoever may not see all records of an entity sees those that were theirs then, and are still there and theirs.
        """
        versions = model.history.filter(history_id__in=self._newest(model)).exclude(history_type="-")
        if model.keeps_deleted:
            versions = versions.filter(NOT_DELETED)
        if not access.may_hide_rows(user, model.definition):
            return versions
        try:
            then = access.visible_rows(user, model, among=versions)
        except FieldError as error:  # A rule reads a field whose values are not kept: nobody knows if it held then.
            logger.info("No version of %s is shown where rows are hidden: %s", model._meta.label, error)
            return versions.none()
        return then.filter(id__in=access.visible_rows(user, model).values("pk"))

    def records(self, versions: Iterable[Any], chains: Collection[list[Field]]) -> list[Record]:
        """Return records with the values of versions of one model, in their order.

        All that their titles and the ends of `chains` are made of is as it was then, in a number of queries that does
        not grow with the rows; only fields whose values are not kept are as they are now.
        """
        versions = list(versions)
        if not versions:
            return []
        entity = versions[0].instance_type.definition
        joins = {join for chain in chains for join in path_joins(entity, chain)} | set(title_joins(entity))
        many = {chain[-1].name for chain in chains if len(chain) == 1 and chain[-1].type.many}
        return self._records(versions, sorted(joins), sorted(many))

    def _records(self, versions: list[Any], joins: Collection[str] = (), many: Collection[str] = ()) -> list[Record]:
        model = versions[0].instance_type
        kept = [one.attname for one in versions[0].tracked_fields]
        records = [model(**{name: getattr(one, name) for name in kept}) for one in versions]
        for record in records:
            record._state.adding, record._state.db = False, versions[0]._state.db
        _take_from_now(model, records, kept)
        self._link(model, records, joins)
        for name in many:
            self._link_many(model._meta.get_field(name), records, versions)
        return records

    def _newest(self, model: type[Record], **where: Any) -> models.QuerySet:
        until = model.history.filter(history_date__lte=self.moment, **where).order_by()
        return until.values("id").annotate(newest=Max("history_id")).values("newest")

    def _link(self, model: type[models.Model], records: list[models.Model], joins: Collection[str]) -> None:
        """Let the links along some joins lead to the past."""
        further: dict[str, list[str]] = {}
        for join in joins:
            name, _, rest = join.partition("__")
            further.setdefault(name, []).extend([rest] if rest else [])
        for name, rest in further.items():
            field = model._meta.get_field(name)
            keys = {getattr(record, field.attname) for record in records} - {None}
            targets = self._targets(field.related_model, keys, rest)
            for record in records:
                field.set_cached_value(record, targets.get(getattr(record, field.attname)))

    def _link_many(self, field: models.ManyToManyField, records: list[models.Model], versions: list[Any]) -> None:
        kept = links_of(versions, field)
        targets = self._targets(field.related_model, {key for keys in kept.values() for key in keys}, ())
        for record, version in zip(records, versions, strict=True):
            rows = field.related_model._base_manager.all()
            rows._result_cache = [targets[key] for key in kept[version.history_id] if key in targets]
            record.__dict__.setdefault("_prefetched_objects_cache", {})[field.name] = rows

    def _targets(self, model: type[models.Model], keys: set[Any], joins: Collection[str]) -> dict[Any, models.Model]:
        """Return what some records of a model were then: deleted ones as they were last, later ones as at first."""
        if not keys or not hasattr(model, "history"):
            return model._base_manager.in_bulk(keys)
        chosen = set(self._newest(model, id__in=keys).values_list("id", "newest"))
        later = keys - {key for key, _ in chosen}
        first = model.history.filter(id__in=later).order_by().values("id").annotate(first=Min("history_id"))
        wanted = {version for _, version in chosen} | set(first.values_list("first", flat=True))
        versions = list(model.history.filter(history_id__in=wanted))
        records = self._records(versions, joins) if versions else []
        access.mark_hidden(records)
        return {one.pk: one for one in records}


def _take_from_now(model: type[models.Model], records: list[models.Model], kept: Collection[str]) -> None:
    """Give records the present values of the columns whose values are not kept."""
    others = [one.attname for one in model._meta.concrete_fields if one.attname not in kept]
    rows = model._base_manager.filter(pk__in=[one.pk for one in records]).values_list("pk", *others) if others else ()
    now = {key: values for key, *values in rows}
    for record in records:
        for name, value in zip(others, now.get(record.pk, ()), strict=False):
            setattr(record, name, value)


def is_kept(model: type[Record], chain: list[Field]) -> bool:
    """Say whether the past can tell what stands at the end of a path: each step of it is kept, and leads to one."""
    if any(step.type.many for step in chain[:-1]):
        return False
    holders = [model._meta.apps.get_model(step.business.label, step.entity.class_name) for step in chain]
    return all(keeps(holder, leaf) for holder, step in zip(holders, chain, strict=True) for leaf in step.leaves)
