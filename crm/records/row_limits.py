"""Rows of a table are as many as their parent's field says: checked for every way in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from crm.blueprint.nodes import Entity, Field
from crm.records.soft_delete import not_deleted


def tables_with_limit(entity: Entity) -> list[Field]:
    """Return the table fields whose number of rows a field of the entity gives."""
    return [one for one in entity.fields.values() if one.type.rows and one.options.rows]


def parents_with_limit(entity: Entity) -> list[Field]:
    """Return the tables of other entities, limited in number, that this entity's records are rows of."""
    holders = entity.pointing_here()
    return [one for one in holders if one.type.rows and one.options.rows]


def row_limit_errors(table: Field, keys: Collection[Any]) -> Iterator[str]:
    """Say which of the parents have more rows than they allow."""
    parent = apps.get_model(table.business.label, table.entity.class_name)
    child = apps.get_model(table.business.label, table.target.class_name)
    link, limit = table.entity.name, table.entity.fields[table.options.rows]
    ordered = list(keys)
    for start in range(0, len(ordered), 500):
        counts = not_deleted(child).filter(**{f"{link}__in": ordered[start : start + 500]}).values(link).order_by()
        over = counts.annotate(n=models.Count("pk")).filter(n__gt=models.F(f"{link}__{limit.name}"))
        found = {row[link]: row["n"] for row in over}
        for one in parent._default_manager.filter(pk__in=found):
            allowed = getattr(one, limit.name)
            yield f"{one}: {found[one.pk]} {table.label.lower()}, but {limit.label.lower()} is {allowed}."


def check_row_limits(model: type[models.Model], records: Collection[models.Model]) -> None:
    """Raise ValidationError where written records left a parent with too many rows."""
    entity, complaints = model.definition, []
    for table in parents_with_limit(entity):
        complaints += row_limit_errors(table, {getattr(one, f"{table.entity.name}_id") for one in records})
    for table in tables_with_limit(entity):
        complaints += row_limit_errors(table, {one.pk for one in records})
    if complaints:
        raise ValidationError(complaints)


def check_row_limit(record: models.Model) -> None:
    """Raise ValidationError where saving a record would leave too many rows; forms with rows check for themselves."""
    entity = record.definition
    for table in parents_with_limit(entity):
        parent, limit = getattr(record, table.entity.name, None), table.options.rows
        if parent is None or parent.pk is None or getattr(parent, limit) is None:
            continue
        held = not_deleted(type(record)).filter(**{table.entity.name: parent}).exclude(pk=record.pk).count()
        if held + 1 > getattr(parent, limit):
            label = table.entity.fields[limit].label.lower()
            text = f"{parent} has {held} {table.label.lower()} already; its {label} is {getattr(parent, limit)}."
            raise ValidationError({table.entity.name: text})
    for table in tables_with_limit(entity):
        child = apps.get_model(table.business.label, table.target.class_name)
        limit = getattr(record, table.options.rows)
        held = not_deleted(child).filter(**{entity.name: record}).count() if record.pk else 0
        if limit is not None and held > limit:
            raise ValidationError({table.options.rows: f"There are {held} {table.label.lower()} already."})
