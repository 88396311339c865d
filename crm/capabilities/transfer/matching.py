"""Matches the rows of a file with records by natural key or id."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.blueprint.nodes import Entity, Field
from crm.capabilities.transfer.columns import ID, Column
from crm.capabilities.transfer.file_reader import ABSENT
from crm.capabilities.transfer.keys import key_fields
from crm.capabilities.transfer.preparation import ImportPlan, RowResult, stored_records
from crm.records import access
from crm.records.chunks import chunks
from crm.records.identity import compared_column, compared_value
from crm.records.record import Record
from crm.records.uniqueness import hashable

Key = tuple[Any, ...]


def missing_keys(entity: Entity, columns: list[Column]) -> str:
    """Return what is to be said where a column is missing by which rows are matched; else nothing."""
    names = {column.field.name if column.field else ID for column in columns}
    missing = [field.name for field in key_fields(entity) if field.name not in names]
    if missing and ID not in names:
        given = [field for field in key_fields(entity) if field.name in missing and field.type.sets_on_save]
        text = ngettext(
            "The column %(columns)s is missing; rows are matched by it.",
            "The column %(columns)s is missing; rows are matched by them.",
            len(missing),
        ) % {"columns": _(" and ").join(map(repr, missing))}
        hint = _("Its cells stay empty where a record is new.")
        return f"{text} {hint}" if given else text
    return ""


class RowMatcher:
    """Finds the records of the rows of a file, part by part: by `id`, by the natural key, or none."""

    def __init__(self, plan: ImportPlan):
        self.plan = plan
        names = [field.name for field in key_fields(plan.entity)]
        self.fields: list[Field] = key_fields(plan.entity) if all(name in plan.values for name in names) else []
        """The fields of the natural key; none where the file does not hold them all."""
        self.heading = next((one.heading for one in plan.columns if one.field and one.field.name in names), ID)
        self.first_rows: dict[int, RowResult] = {}
        """Hash of what tells records apart → the first row that has it."""
        self.is_given = bool(self.fields) and not any(field.type.sets_on_save for field in self.fields)
        """Whether people give the key, and no counter does at saving."""
        plan.without_key = 0
        self.known: list[dict[Any, Any]] = [{} for _ in self.fields]

    def match(self, part: list[RowResult]) -> None:
        """Give each row its record, where one is there, and note what is wrong with how the row names it."""
        wanted = {row.index: self._key_of(row) for row in part}
        by_id = self._by_id(part)
        by_key = self._by_key([key for key in wanted.values() if key])
        for row in part:
            self._match(row, by_id, by_key.get(hashable(wanted[row.index]), []), wanted[row.index])

    def _match(self, row: RowResult, by_id: dict[Any, Record], matched: list[Record], key: Key) -> None:
        given = self._id_of(row)
        record = by_id.get(given) if given else None
        if given and record is None:
            words = {"record": self.plan.entity.label.lower(), "id": given}
            row.fail(ID, _("there is no %(record)s %(id)s.") % words)
            return
        if record is None and len(matched) > 1:
            row.fail(self.heading, _("%(count)s records have this key already.") % {"count": len(matched)})
        elif record and matched and all(other.pk != record.pk for other in matched):
            words = {"record": record, "other": matched[0]}
            row.fail(ID, _("the id means “%(record)s”, the key means “%(other)s”.") % words)
        row.record = record or (matched[0] if matched else None)
        row.key = row.record.pk if row.record else None
        row.matched_by_key = record is None and bool(matched)
        if row.record is not None and access.is_hidden(row.record):
            row.fail(self.heading, _("names a record that is not yours to change."))
        if self.is_given and row.record is None and not row.errors:
            self.plan.without_key += not key or None in key
        self._refuse_second_row(row, key)

    def _refuse_second_row(self, row: RowResult, key: Key) -> None:
        """Refuse a row that means the same record as a row before it."""
        mark = self._mark_of(row, key)
        if mark is None:
            return
        first = self.first_rows.setdefault(hash(mark), row)
        if first is not row and self._mark_of(first, self._key_of(first)) == mark:
            row.fail(self.heading, _("row %(row)s is the same record already.") % {"row": first.number})

    def _mark_of(self, row: RowResult, key: Key) -> Any:
        if row.key is not None:
            return (ID, row.key)
        return hashable(key) if key and None not in key else None

    def _id_of(self, row: RowResult) -> Any:
        return self.plan.values[ID][row.index] if ID in self.plan.values else None

    def _key_of(self, row: RowResult) -> Key:
        """Return the natural key of a row by the comparison forms of its parts; empty where the row names none."""
        key = []
        for field, known in zip(self.fields, self.known, strict=True):
            value = self.plan.values[field.name][row.index]
            if value is ABSENT:
                return ()
            if value.__class__.__hash__ is None:
                key.append(value)
                continue
            if value not in known:
                if len(known) >= CACHED:
                    known.clear()
                known[value] = compared_value(self.plan.model, field, value)
            key.append(known[value])
        return tuple(key) if any(part not in (None, "") for part in key) else ()

    def _by_id(self, part: list[RowResult]) -> dict[Any, Record]:
        keys = [key for key in map(self._id_of, part) if key]
        return {record.pk: record for batch in chunks(keys) for record in stored_records(self.plan, "pk", batch)}

    def _by_key(self, wanted: list[Key]) -> dict[Key, list[Record]]:
        """Return the records that have one of the keys: asked by the part of the key that tells most apart."""
        if not wanted:
            return {}
        positions = range(len(self.fields))
        first = max(positions, key=lambda position: len({hashable((key[position],)) for key in wanted}))
        parts = {hashable((key[first],))[0]: key[first] for key in wanted if key[first] not in (None, "")}
        model = self.plan.model
        columns = [compared_column(model, field.name) for field in self.fields]
        names = [model._meta.get_field(column).attname for column in columns]
        records: dict[Key, list[Record]] = {}
        for batch in chunks(list(parts.values())):
            for record in stored_records(self.plan, names[first], batch):
                key = tuple(getattr(record, name) for name in names)
                records.setdefault(hashable(tuple(None if one == "" else one for one in key)), []).append(record)
        return records


CACHED = 10_000
"""How many values of a key are kept with their comparison forms."""
