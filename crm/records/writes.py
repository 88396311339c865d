"""Writing many records at once: values given at saving, rows, links and the event, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection, models, transaction

from crm.kernel.events import records_written
from crm.records.changes import ensure_change_scope
from crm.records.chunks import chunks
from crm.records.computed_updates import find_dependents, find_parent_dependents, merge_dirty, schedule_recompute
from crm.records.gate import check_written
from crm.records.identity import compared_groups, set_keys, with_keys
from crm.records.record import Record, fill_on_save
from crm.records.soft_delete import NOT_DELETED
from crm.records.uniqueness import taken_as_rule_error

BATCH = 2_000


def write_records(
    model: type[Record],
    created: Sequence[Record] = (),
    updated: Sequence[Record] = (),
    columns: Collection[str] = (),
    links: Mapping[str, Mapping[int, Collection[Any]]] | None = None,
    later: Mapping[str, Mapping[int, Record]] | None = None,
) -> None:
    """Write records in bulk, and tell `records_written`; all of it or nothing.

    `columns` are the names of the columns that `updated` may differ in. `links` holds the new targets of many-to-many
    fields: field → position of the record in `created + updated` → primary keys, or records of `created`. `later` holds
    links to records of `created` itself: field → position → target. They are set once all are there, so that these may
    lead in any order and in circles; such a link may be empty, for else no first record could be saved. Who
    writes for a user asks the gate before. Raises RuleBroken, with nothing written, where a guard refuses what was
    written.
    """
    everyone = [*created, *updated]
    later = later or {}
    with taken_as_rule_error(everyone), transaction.atomic(), ensure_change_scope():
        before = find_parent_dependents(model, [one.pk for one in updated])
        if len(everyone) > 1:
            _free_unique_values(model, created, updated, columns)
        if created:
            fill_on_save(list(created))
            _leave_empty(model, everyone, later)
            model._base_manager.bulk_create(created, batch_size=batch_size(model))
            _set_links(model, everyone, len(created), later)
        if updated:
            model._base_manager.bulk_create(
                updated,
                batch_size=batch_size(model),
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=[*with_keys(model, columns), "updated"],  # which sets itself to now (auto_now)
            )
        for name, targets in (links or {}).items():
            _write_links(model, name, {everyone[index].pk: _keys(some) for index, some in targets.items()})
        records_written.send(model, created=list(created), updated=list(updated), links=list(links or {}))
        merge_dirty(before, find_dependents(model, [one.pk for one in updated]))
        schedule_recompute(merge_dirty(before, find_dependents(model, [one.pk for one in created], added=True)))
        check_written(model, [one.pk for one in everyone])


def _free_unique_values(
    model: type[Record], created: Sequence[Record], updated: Sequence[Record], columns: Collection[str]
) -> None:
    """Take unique values from the records that give them up to another one of this batch, before any is written.

    A database compares row by row, and would refuse the first of two that exchange their values. What may be empty is
    emptied; a number or a day that may not gets one that no record has. Other values can be handed on in the order of
    the rows alone.
    """
    written = with_keys(model, columns)
    for group in compared_groups(model):
        fields = [model._meta.get_field(name) for name in group]
        free = sorted((field for field in fields if field.name in written), key=lambda field: not field.null)
        giving_up = _giving_up(model, fields, created, updated) if free else []
        if giving_up and free[0].null:
            for batch in chunks(giving_up):
                models.QuerySet(model).filter(pk__in=batch).update(**{free[0].name: None})
        elif giving_up and (field := next((field for field in free if _step(field)), None)):
            spare = _spare_values(model, field)
            stubs = [model(pk=pk, **{field.attname: value}) for pk, value in zip(giving_up, spare, strict=False)]
            models.QuerySet(model).bulk_update(stubs, [field.name], batch_size=200)


def _giving_up(
    model: type[Record], fields: Sequence[models.Field], created: Sequence[Record], updated: Sequence[Record]
) -> list[Any]:
    """Return the keys of the updated records whose stored values another record of the batch is to have."""
    wanted: dict[tuple, set[Any]] = {}
    for record in (*created, *updated):
        set_keys(record)
        values = tuple(field.to_python(getattr(record, field.attname)) for field in fields)
        if None not in values:
            wanted.setdefault(values, set()).add(record.pk)
    names, keys = [field.attname for field in fields], []
    for batch in chunks([record.pk for record in updated]):
        for pk, *values in models.QuerySet(model).filter(pk__in=batch).values_list("pk", *names):
            takers = wanted.get(tuple(values), set())
            if takers and pk not in takers:
                keys.append(pk)
    return keys


def _step(field: models.Field) -> Any:
    """Return by how much the values of a column differ at least; None where it is no column of numbers or days."""
    return next((step for kind, step in STEPS.items() if isinstance(field, kind)), None)


STEPS: dict[type[models.Field], Any] = {
    models.IntegerField: 1,
    models.DecimalField: 1,
    models.DateTimeField: timedelta(seconds=1),
    models.DateField: timedelta(days=1),
}


def _spare_values(model: type[Record], field: models.Field) -> Iterator[Any]:
    """Yield values that no record has: beyond the lowest or the highest, whichever is further from a limit."""
    ends = models.QuerySet(model).aggregate(low=models.Min(field.name), high=models.Max(field.name))
    low, high = ends["low"], ends["high"]
    goes_down = low.year > MIDDLE_YEAR if isinstance(low, date) else abs(low) <= abs(high)
    value, step = (low, -_step(field)) if goes_down else (high, _step(field))
    while True:
        value += step
        yield value


MIDDLE_YEAR = 1000


def batch_size(model: type[models.Model]) -> int | None:
    """Return how many rows go into one INSERT: the library's choice on SQLite, which limits its parameters."""
    return None if connection.vendor == "sqlite" else BATCH


def _keys(targets: Collection[Any]) -> set[Any]:
    return {one.pk if isinstance(one, models.Model) else one for one in targets}


def _leave_empty(model: type[Record], records: Sequence[Record], later: Mapping[str, Mapping[int, Record]]) -> None:
    """Empty the links to records that have no key yet: the rows come first, the links between them second."""
    for name, targets in later.items():
        for index in targets:
            setattr(records[index], name, None)


def _set_links(
    model: type[Record], records: Sequence[Record], created: int, later: Mapping[str, Mapping[int, Record]]
) -> None:
    """Set the links between new records, in batches; those of updated ones are written with their other values."""
    waiting: dict[int, Record] = {}
    for name, targets in later.items():
        column = model._meta.get_field(name)
        for index, target in targets.items():
            setattr(records[index], column.attname, target.pk)
            if index < created:
                waiting[index] = records[index]
    if waiting:
        model._base_manager.bulk_create(
            list(waiting.values()),
            batch_size=batch_size(model),
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=sorted(later),
        )


def _write_links(model: type[models.Model], name: str, wanted: dict[Any, set]) -> None:
    field = model._meta.get_field(name)
    through = field.remote_field.through
    here, there = field.m2m_column_name(), field.m2m_reverse_name()
    present: dict[Any, set] = {}
    for batch in chunks(list(wanted)):
        for key, target in through._base_manager.filter(**{f"{here}__in": batch}).values_list(here, there):
            present.setdefault(key, set()).add(target)
    new = [
        through(**{here: key, there: target})
        for key, targets in wanted.items()
        for target in sorted(targets - present.get(key, set()))
    ]
    through._base_manager.bulk_create(new, batch_size=batch_size(through))
    gone = {key: targets - wanted[key] for key, targets in present.items() if targets - wanted[key]}
    staying = _in_trash(field.related_model, set[Any]().union(*gone.values()))
    for key, targets in gone.items():
        through._base_manager.filter(**{here: key, f"{there}__in": targets - staying}).delete()


def _in_trash(model: type[models.Model], keys: set[Any]) -> set[Any]:
    """Return the keys of records in the trash: links to them stay, as they do where a form sets others."""
    deleted = set[Any]()
    for batch in chunks(sorted(keys)) if getattr(model, "keeps_deleted", False) else ():
        deleted.update(model._base_manager.filter(pk__in=batch).exclude(NOT_DELETED).values_list("pk", flat=True))
    return deleted
