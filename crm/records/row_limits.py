"""Rows of a table are as many as their parent's field says: a guard before the write, and the count after it.

The count after the write is taken under a lock of the parents: of two acts at once that each keep the limit, and would
exceed it together, the second waits for the first, and counts its rows too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Entity, Field
from crm.records.chunks import chunks
from crm.records.deferred_checks import check_or_defer
from crm.records.intended_write import Batch, Refusal
from crm.records.locks import lock_in_order
from crm.records.rules import RuleBroken
from crm.records.soft_delete import not_deleted


def tables_with_limit(entity: Entity) -> list[Field]:
    """Return the table fields whose number of rows a field of the entity gives."""
    return [one for one in entity.fields.values() if one.type.rows and one.options.rows]


def parents_with_limit(entity: Entity) -> list[Field]:
    """Return the tables of other entities, limited in number, that this entity's records are rows of."""
    holders = entity.pointing_here()
    return [one for one in holders if one.type.rows and one.options.rows]


def refuse_rows_beyond_limits(batch: Batch) -> Iterator[Refusal]:
    """Refuse rows that their parent has no room for, and parents that would have less room than rows."""
    if not batch.way_in.is_row_in_form:
        for table in parents_with_limit(batch.entity):
            yield from _without_room(batch, table)
    if not batch.way_in.has_rows_in_form:
        for table in tables_with_limit(batch.entity):
            yield from _with_less_room(batch, table)


def _without_room(batch: Batch, table: Field) -> Iterator[Refusal]:
    link, limit = table.entity.name, table.entity.fields[table.options.rows]
    coming = [write for write in batch.writes if write.appears or link in write.changes]
    parents = {getattr(write.record, f"{link}_id") for write in coming} - {None}
    if not parents:
        return
    moving = {write.record.pk for write in coming if write.record.pk is not None}
    held = _held(batch.model, link, parents, moving)
    known = apps.get_model(table.business.label, table.entity.class_name)._base_manager.in_bulk(list(parents))
    for write in coming:
        parent = known.get(getattr(write.record, f"{link}_id"))
        most = getattr(parent, limit.name) if parent is not None else None
        if most is None:
            continue
        if held[parent.pk] >= most:
            words = {"parent": parent, "count": held[parent.pk], "rows": table.label.lower(), "most": most}
            text = _("%(parent)s has %(count)s %(rows)s already; its %(limit)s is %(most)s.")
            yield Refusal(write, text % {**words, "limit": limit.label.lower()}, link)
        held[parent.pk] += 1


def _with_less_room(batch: Batch, table: Field) -> Iterator[Refusal]:
    link, limit = table.entity.name, table.options.rows
    child = apps.get_model(table.business.label, table.target.class_name)
    narrowed = [write for write in batch.writes if write.record.pk is not None and limit in write.changes]
    held = _held(child, link, {write.record.pk for write in narrowed})
    for write in narrowed:
        most, count = getattr(write.record, limit), held[write.record.pk]
        if most is not None and count > most:
            yield Refusal(write, describe_too_many_rows(table, count, most), limit)


def describe_too_many_rows(table: Field, count: int, most: int) -> str:
    """Say that a parent has, or would have, more rows than its field says."""
    limit = table.entity.fields[table.options.rows]
    words = {"count": count, "rows": table.label.lower(), "limit": limit.label.lower(), "most": most}
    return _("%(count)s %(rows)s, but %(limit)s is %(most)s.") % words


def _held(child: Any, link: str, parents: Collection[Any], moving: Collection[Any] = ()) -> Counter:
    """Count the rows of parents, without those that are about to be moved themselves."""
    counts: Counter = Counter()
    for batch in chunks(sorted(parents)):
        rows = not_deleted(child).filter(**{f"{link}__in": batch}).order_by()
        counts.update(dict(rows.values_list(link).annotate(count=models.Count("pk"))))
    for batch in chunks(sorted(moving)):
        rows = not_deleted(child).filter(pk__in=batch, **{f"{link}__isnull": False})
        counts.subtract(rows.values_list(link, flat=True))
    return counts


def check_row_limits(model: type[models.Model], keys: Collection[Any], columns: Collection[str] | None = None) -> None:
    """Count the rows of parents that were written, and of those whose rows were. Raises RuleBroken for the first."""
    entity = model.definition
    for table in parents_with_limit(entity) if keys else ():
        link = table.entity.name
        if columns is None or link in columns:
            rows = not_deleted(model)
            batches = chunks(sorted(keys))
            parents = {key for batch in batches for key in rows.filter(pk__in=batch).values_list(link, flat=True)}
            parent_model = apps.get_model(table.business.label, table.entity.class_name)
            check_or_defer(_check, parent_model, table, parents - {None})
    for table in tables_with_limit(entity) if keys else ():
        if columns is None or table.options.rows in columns:
            check_or_defer(_check, model, table, keys)


def _check(parent: type[models.Model], table: Field, keys: Collection[Any]) -> None:
    child = apps.get_model(table.business.label, table.target.class_name)
    link, limit = table.entity.name, table.entity.fields[table.options.rows]
    for batch in chunks(sorted(keys)):
        lock_in_order(parent._base_manager.filter(pk__in=batch))
        counts = not_deleted(child).filter(**{f"{link}__in": batch}).values(link).order_by()
        over = counts.annotate(n=models.Count("pk")).filter(n__gt=models.F(f"{link}__{limit.name}")).order_by(link)
        row = over.first()
        if row is not None:
            holder = parent._base_manager.get(pk=row[link])
            most = getattr(holder, limit.name)
            raise RuleBroken(None, holder, describe_too_many_rows(table, row["n"], most))
