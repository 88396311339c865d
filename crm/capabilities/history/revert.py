"""Revert: bring a record back to one of its versions, with its links and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from crm.capabilities.history.version_values import (
    column_names,
    describe_missing_links,
    describe_missing_target,
    former_links,
    missing_targets,
)
from crm.records import access
from crm.records.computed_updates import defer_recompute
from crm.records.deletion import collect_deletion
from crm.records.display import display
from crm.records.gate import check_removals, check_writes, raise_all
from crm.records.intended_write import IntendedWrite, as_before
from crm.records.record import Record
from crm.records.soft_delete import DELETED_AT
from crm.records.stored import as_stored

REVERT = "revert"
"""The way in of this file, and its way out."""
CLOSED = ("locked", "state")
"""The guards whose fields stay as they are: a version comes back around them."""


def revert_record(record: Record, version: Any) -> list[str]:
    """Give a record, its links and its rows the values of a version; return what could not come back, in words.

    Runs in one transaction, with the rights of the viewer: what is closed by now stays as it is. Raises ProtectedError
    where a row that would go is still needed, and ValidationError where a guard refuses the whole, or a record that it
    must link to is gone.
    """
    left_out: list[str] = []
    with defer_recompute():
        restore(type(record), [version], left_out)
        for table in (field for field in record.definition.fields.values() if field.type.rows):
            child = apps.get_model(record._meta.app_label, table.target.class_name)
            _revert_rows(child, f"{record.definition.name}_id", record.pk, version, left_out)
    record.refresh_from_db()
    return left_out


def _revert_rows(model: type[Record], link: str, parent: Any, version: Any, left_out: list[str]) -> None:
    """Bring the rows back to the moment of the version, counting the whole of its change in."""
    then: dict[Any, Any] = {}
    ever = model.history.filter(**{link: parent}).values("id")
    for row_version in model.history.filter(id__in=ever).order_by("history_id"):
        same = row_version.history_change and row_version.history_change == version.history_change
        if same or row_version.history_date <= version.history_date:
            then[row_version.id] = row_version
    there = {key: row for key, row in then.items() if row.history_type != "-" and not getattr(row, DELETED_AT, None)}
    rows = list(model._default_manager.filter(**{link: parent}))
    added = [row for row in rows if row.pk not in there]
    going = collect_deletion(model, [row.pk for row in added]).cascades
    raise_all(check_removals(going, access.current_viewer(), REVERT))
    for row in added:
        row.delete()
    moved = [there[row.pk] for row in rows if row.pk in there and getattr(there[row.pk], link) != parent]
    wanted = [row for row in there.values() if getattr(row, link) == parent]
    restore(model, [*moved, *wanted], left_out)


def restore(model: type[Record], versions: Sequence[Any], left_out: list[str]) -> None:
    """Write the values of versions that differ from the present ones; a deleted record comes back with its key."""
    present = as_stored(model, [version.id for version in versions], access.current_viewer())
    gone, names = missing_targets(model, versions), column_names(versions[0]) if versions else []
    writes = []
    for version in versions:
        before = present.get(version.id) or _as_it_was_last(model, version)
        record = as_before(before)
        record._state.adding = version.id not in present
        for name in names:
            old = getattr(version, name)
            if old in gone.get(name, ()):
                left_out.append(describe_missing_target(model, name, old))
                old = None
            if not _same(getattr(record, name), old):
                setattr(record, name, old)
        writes.append(IntendedWrite(record, before, access.current_viewer(), REVERT, _links(version, record, left_out)))
    for write in _allowed(writes, left_out):
        if write.appears or write.changes - set(write.links):
            write.record.save(force_insert=write.record._state.adding)
        for name, keys in write.links.items():
            getattr(write.record, name).set(keys)


def _as_it_was_last(model: type[Record], version: Any) -> Record:
    """Return a deleted record as its last version holds it."""
    return model.history.filter(id=version.id).order_by("-history_id").first().instance


def _links(version: Any, record: Record, left_out: list[str]) -> dict[str, set[Any]]:
    """Return the targets of the version's many-to-many links that are still there, where they are others now."""
    targets = {}
    for many in version._history_m2m_fields:
        then, gone = former_links([version], many)[0]
        left_out += [describe_missing_links(many, gone)] if gone else []
        now = set() if record._state.adding else _linked(record, many)
        if then != now:
            targets[many.name] = then
    return targets


def _linked(record: Record, many: models.ManyToManyField) -> set[Any]:
    """Return the keys that a record links to, with those in the trash."""
    rows = many.remote_field.through._base_manager.filter(**{many.m2m_column_name(): record.pk})
    return set(rows.values_list(many.m2m_reverse_name(), flat=True))


def _allowed(writes: list[IntendedWrite], left_out: list[str]) -> list[IntendedWrite]:
    """Return the writes with what is closed by now as it is. Raises ValidationError where any other guard refuses."""
    refusals = check_writes(writes)
    closed = [refusal for refusal in refusals if refusal.guard in CLOSED]
    if not closed:
        raise_all(refusals)
        return writes
    for refusal in closed:
        record, before = refusal.write.record, refusal.write.before
        column, leaf = record._meta.get_field(refusal.field), record.definition.find(refusal.field)
        setattr(record, column.attname, getattr(before, column.attname))
        words = {"field": leaf.label.lower(), "value": display(record, leaf)}
        left_out.append(_("%(field)s stays %(value)s") % words)
    left = [replace(write) for write in writes]
    raise_all(check_writes(left))
    return left


def _same(value: Any, other: Any) -> bool:
    """Say whether two values are stored alike; an upload and its name are, nothing and nought are not."""
    return value == other or (value is not None and other is not None and str(value) == str(other))
