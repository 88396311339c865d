"""Writing many records at once: values given at saving, rows, links and the event, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from crm.kernel.events import records_written
from crm.records.changes import ensure_change_scope
from crm.records.computed_updates import find_dependents, find_parent_dependents, merge_dirty, schedule_recompute
from crm.records.record import Record, fill_on_save
from crm.records.row_limits import check_row_limits
from crm.records.rules import check_written

BATCH = 2_000


def write_records(
    model: type[Record],
    created: Sequence[Record] = (),
    updated: Sequence[Record] = (),
    columns: Collection[str] = (),
    links: Mapping[str, Mapping[int, Collection[Any]]] | None = None,
) -> None:
    """Write records in bulk, and tell `records_written`; all of it or nothing.

    `columns` are the names of the columns that `updated` may differ in. `links` holds the new targets of many-to-many
    fields: field → position of the record in `created + updated` → primary keys. Raises ValidationError where a parent
    would have more rows than it allows.
    """
    everyone = [*created, *updated]
    with transaction.atomic(), ensure_change_scope():
        before = find_parent_dependents(model, [one.pk for one in updated])
        if created:
            fill_on_save(list(created))
            model._base_manager.bulk_create(created, batch_size=batch_size(model))
        if updated:
            now = timezone.now()
            for record in updated:
                record.updated = now
            model._base_manager.bulk_create(
                updated,
                batch_size=batch_size(model),
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=[*columns, "updated"],
            )
        for name, targets in (links or {}).items():
            _write_links(model, name, {everyone[index].pk: set(keys) for index, keys in targets.items()})
        check_row_limits(model, everyone)
        records_written.send(model, created=list(created), updated=list(updated), links=list(links or {}))
        merge_dirty(before, find_dependents(model, [one.pk for one in updated]))
        schedule_recompute(merge_dirty(before, find_dependents(model, [one.pk for one in created], added=True)))
        check_written(model, [one.pk for one in everyone])


def batch_size(model: type[models.Model]) -> int | None:
    """Return how many rows go into one INSERT: the library's choice on SQLite, which limits its parameters."""
    return None if connection.vendor == "sqlite" else BATCH


def _write_links(model: type[models.Model], name: str, wanted: dict[Any, set]) -> None:
    field = model._meta.get_field(name)
    through = field.remote_field.through
    here, there = field.m2m_column_name(), field.m2m_reverse_name()
    present: dict[Any, set] = {}
    for some in _chunks(list(wanted), 900):
        for key, target in through._base_manager.filter(**{f"{here}__in": some}).values_list(here, there):
            present.setdefault(key, set()).add(target)
    new = [
        through(**{here: key, there: target})
        for key, targets in wanted.items()
        for target in sorted(targets - present.get(key, set()))
    ]
    through._base_manager.bulk_create(new, batch_size=batch_size(through))
    for key, targets in present.items():
        gone = targets - wanted[key]
        if gone:
            through._base_manager.filter(**{here: key, f"{there}__in": gone}).delete()


def _chunks(items: list, size: int) -> list[list]:
    return [items[start : start + size] for start in range(0, len(items), size)]
