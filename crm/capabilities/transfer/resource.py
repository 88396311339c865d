"""The resource of an entity: django-import-export's view of its columns, made of the fields' types."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import models
from import_export import resources
from import_export.fields import Field as ResourceField
from import_export.formats import base_formats
from import_export.widgets import Widget

from crm.blueprint.nodes import Entity, Field
from crm.capabilities.transfer.columns import file_fields
from crm.capabilities.transfer.formula_injection import csv_text, encode, escape, escape_null_word
from crm.capabilities.transfer.gc_pause import gc_disabled
from crm.capabilities.transfer.keys import join_words, key_fields, key_joins, name_of
from crm.capabilities.transfer.notations import export_notation
from crm.fields.moments import zone_of
from crm.fields.reading import Reading
from crm.records import access
from crm.records.computed import annotate_on_read

FORMATS = {"csv": base_formats.CSV, "xlsx": base_formats.XLSX, "json": base_formats.JSON}
NATIVE = (bool, int, Decimal, date, time)
EXACT = 10**15
"""Spreadsheets calculate with 15 digits."""
FIRST_DAY = date(1900, 3, 1)
"""Spreadsheets count their days from 1900, and take that for a leap year."""


class FaceWidget(Widget):
    """Writes and reads a value with the methods of its field's type; `format` is the file's."""

    def __init__(self, leaf: Field | None, nulls: Collection[str] = ()):
        super().__init__()
        self.leaf = leaf
        self.nulls = nulls
        self.notation = export_notation(leaf.entity) if leaf is not None else None
        self.format = "csv"

    def render(self, value: Any, obj: models.Model | None = None, **kwargs: Any) -> Any:
        if self.leaf is None:
            return value
        if value is None:
            return None if self.format == "json" else ""
        if self.leaf.type.reference(self.leaf) is not None:
            return self._safe(self._name(value))
        if self.format == "xlsx":
            return self._safe(self._native(value))
        if self.format == "csv":
            return self._safe(self.leaf.type.written(value, self.leaf, self.notation))
        return self._safe(self.leaf.type.serialize(value, self.leaf))

    def _safe(self, cell: Any) -> Any:
        """Return a cell that means the same to whoever reads the file."""
        if self.format == "json":
            return self._mark(cell) if cell != "" else None
        if self.format == "csv":
            return escape(self._mark(cell), is_csv=True)
        if not isinstance(cell, str):
            return cell
        return encode(escape(self._mark(cell)), self.leaf.label)

    def _mark(self, cell: Any) -> Any:
        return escape_null_word(cell, self.nulls) if self.nulls else cell

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        reading = Reading(numbers=self.notation)
        return self.leaf.type.validate(self.leaf.type.parse(value, self.leaf, reading), self.leaf)

    def _name(self, value: Any) -> Any:
        reference = self.leaf.type.reference(self.leaf)
        if not reference.many:
            return "" if access.is_hidden(value) else name_of(value, reference)
        names = sorted(name_of(one, reference) for one in value if not access.is_hidden(one))
        return names if self.format == "json" else join_words(names)

    def _native(self, value: Any) -> Any:
        """Return what a spreadsheet calculates with: numbers, dates and times that it holds exactly; else as in CSV."""
        plain = self.leaf.type.serialize(value, self.leaf)
        if isinstance(value, datetime):
            local = value.astimezone(zone_of(self.leaf)).replace(tzinfo=None)
            is_plain = plain == local.isoformat(sep=" ")
            return local if is_plain and not local.microsecond and local.date() >= FIRST_DAY else plain
        if isinstance(value, date):
            return value if value >= FIRST_DAY else plain
        if isinstance(value, time):
            return plain if value.microsecond else value
        if isinstance(value, int) and abs(value) >= EXACT:
            return str(plain)
        return value if isinstance(value, NATIVE) and isinstance(plain, str | int | float) else plain


class LeafColumn(ResourceField):
    """A column of a file: a field of the record, or its `id`."""

    def __init__(self, name: str, leaf: Field | None):
        nulls = leaf.entity.sections["transfer"].nulls if leaf is not None else ()
        super().__init__(attribute=name, column_name=name, widget=FaceWidget(leaf, nulls), dehydrate_method=None)
        self.leaf = leaf

    def get_value(self, instance: models.Model) -> Any:
        value = getattr(instance, self.attribute)
        return list(value.all()) if self.leaf is not None and self.leaf.type.many else value

    def export(self, instance: models.Model, **kwargs: Any) -> Any:
        return self.widget.render(self.get_value(instance), instance)


class EntityResource(resources.Resource):
    """Exports the records of one entity."""

    def __init__(self, format: str = "csv", **kwargs: Any):
        super().__init__(**kwargs)
        for column in self.fields.values():
            column.widget.format = format

    def get_queryset(self) -> models.QuerySet:
        raise LookupError("an export always says which records")

    def iter_queryset(self, queryset: models.QuerySet) -> Iterator[models.Model]:
        yield from queryset.iterator(chunk_size=2_000)


def resource_class(entity: Entity, with_id: bool) -> type[EntityResource]:
    """Build the resource of an entity; `id` leads the columns where the natural key cannot name every record."""
    leaves = file_fields(entity)
    columns = {"id": LeafColumn("id", None)} if with_id else {}
    columns |= {leaf.name: LeafColumn(leaf.name, leaf) for leaf in leaves}
    return type(f"{entity.class_name}Resource", (EntityResource,), columns)


@gc_disabled()
def export_rows(entity: Entity, rows: models.QuerySet, format: str) -> bytes:
    """Return records as a file. Raises ExportRefused where the format cannot hold them."""
    made = resource_class(entity, needs_id(entity, rows))(format)
    dataset = made.export(_with_targets(entity, rows))
    if format == "json":
        return json.dumps(dataset.dict, ensure_ascii=False, indent=1, default=str).encode()
    if format == "csv":
        return csv_text([[escape(heading, is_csv=True) for heading in dataset.headers], *dataset]).encode()
    data = FORMATS[format]().export_data(dataset)
    return data if isinstance(data, bytes) else data.encode()


def needs_id(entity: Entity, rows: models.QuerySet) -> bool:
    """Say whether some record has no natural key, so that only its `id` names it."""
    keys = key_fields(entity)
    if not keys:
        return True
    empty = models.Q()
    for field in keys:
        empty |= models.Q(**{f"{field.name}__isnull": True})
        if rows.model._meta.get_field(field.name).empty_strings_allowed:
            empty |= models.Q(**{field.name: ""})
    return rows.filter(empty).exists()


def _with_targets(entity: Entity, rows: models.QuerySet) -> models.QuerySet:
    joined: list[str] = []
    many: list[models.Prefetch] = []
    rows = annotate_on_read(rows, [leaf for leaf in file_fields(entity) if not leaf.stored])
    for leaf in file_fields(entity):
        if leaf.type.reference(leaf) is None:
            continue
        joins = [*key_joins(leaf.target), *access.access_joins(leaf.target)] if leaf.target else []
        if leaf.type.many:
            target = rows.model._meta.get_field(leaf.name).related_model
            many.append(models.Prefetch(leaf.name, target._default_manager.select_related(*joins)))
        else:
            joined += [leaf.name, *(f"{leaf.name}__{join}" for join in joins)]
    rows = rows.select_related(*joined) if joined else rows.select_related(None)
    return rows.prefetch_related(*many) if many else rows
