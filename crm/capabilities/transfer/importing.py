"""The import: rows are read, matched and compared column by column, then written all at once or not at all."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from crm.blueprint.nodes import Entity
from crm.capabilities.transfer.cells import Adjust, read_columns
from crm.capabilities.transfer.checks import check_rows
from crm.capabilities.transfer.columns import headings_below, map_columns
from crm.capabilities.transfer.file_reader import Sheet
from crm.capabilities.transfer.freshness import mark_versions
from crm.capabilities.transfer.gc_pause import gc_disabled
from crm.capabilities.transfer.keys import KeyResolver
from crm.capabilities.transfer.matching import compare, match, missing_keys
from crm.capabilities.transfer.own_rows import link_own_rows
from crm.capabilities.transfer.preparation import FAILED, NEW, UPDATED, ImportPlan, NewRow, PendingTag, RowResult
from crm.records.access import as_viewer
from crm.records.changes import change_scope
from crm.records.record import Record
from crm.records.rules import RuleBroken
from crm.records.writes import write_records


@gc_disabled()
def prepare(
    entity: Entity, sheet: Sheet, adjust: Adjust | None = None, user: Any = None, numbers: str = "", locks: bool = False
) -> ImportPlan:
    """Read, match and compare every row, for the eyes and with the rights of a user; never writes.

    `numbers` is a sample of how this file writes them. With `locks`, in the transaction that writes afterwards.
    """
    model = apps.get_model(entity.business.label, entity.class_name)
    found = ImportPlan(entity, model, user, numbers, locks)
    with as_viewer(user):
        _prepare(found, sheet, adjust)
    return found


def _prepare(found: ImportPlan, sheet: Sheet, adjust: Adjust | None) -> None:
    entity = found.entity
    found.columns, found.refusals = map_columns(entity, sheet.headings)
    if found.refusals and (below := headings_below(entity, sheet)):
        found.refusals.insert(0, below)
    missing = missing_keys(entity, found.columns)
    if missing and not found.refusals:
        found.refusals.append(missing)
    if found.refusals:
        return
    found.rows = [RowResult(number) for number, _ in sheet.rows]
    values = read_columns(found, sheet, adjust)
    match(found, values)
    mark_versions(found)
    compare(found, values, sheet.exact)
    link_own_rows(found, sheet, values)
    found.blame()
    check_rows(found)
    found.blame()
    for row in found.rows:
        if row.errors:
            row.status = FAILED


@gc_disabled()
def write(found: ImportPlan) -> None:
    """Write what was prepared, in one transaction. Raises ImportRefused, with nothing written, where that fails."""
    if not found.is_sound:
        raise ImportRefused("The file has errors; nothing was written.")
    try:
        _write(found)
    except RuleBroken as broken:
        row = _row_of(found, broken.record)
        where = f"row {row.number}, {broken.record}" if row else str(broken.record)
        raise ImportRefused(f"{where}: {broken.messages[0]} Nothing was written.") from None
    except ValidationError as error:
        raise ImportRefused(" ".join(error.messages)) from None
    except DatabaseError as error:
        raise ImportRefused(f"The database refused, and nothing was written: {error}") from None


def rehearse(found: ImportPlan) -> tuple[int, str, str] | None:
    """Write what was prepared and take it back; return the row (0 for the file), column and sentence of what fails.

    Some rules only the saved rows together can tell: a sum of theirs, or of other records. The prepared records are
    of no further use afterwards.
    """
    try:
        with transaction.atomic(), change_scope(found.user, "", "import"):
            _write(found)
            transaction.set_rollback(True)
    except RuleBroken as broken:
        row = _row_of(found, broken.record)
        about = "" if row else f"{broken.record}: "
        return (row.number if row else 0), broken.field, f"{about}{broken.messages[0]}"
    except ValidationError as error:
        return 0, "", " ".join(error.messages)
    except DatabaseError as error:
        return 0, "", f"The database would refuse: {error}"
    return None


def _row_of(found: ImportPlan, record: Any) -> RowResult | None:
    return next((one for one in found.rows if one.record is not None and one.record == record), None)


def _write(found: ImportPlan) -> None:
    created = [row for row in found.rows if row.status == NEW]
    updated = [row for row in found.rows if row.status == UPDATED]
    many = {column.field.name for column in found.columns if column.field and column.field.type.many}
    changed = {name for row in updated for name in row.changes} - many
    with transaction.atomic():
        rows = [*created, *updated]
        links, later = _final_links(found, rows), _later_links(rows)
        records = [row.record for row in created], [row.record for row in updated]
        write_records(found.model, *records, columns=sorted(changed), links=links, later=later)


def _final_links(found: ImportPlan, rows: list[RowResult]) -> dict[str, dict[int, list[Any]]]:
    made = {}
    for name, words in found.new_words.items():
        made[name] = KeyResolver(found.entity.find(name)).create(words.values())
    links: dict[str, dict[int, list[Any]]] = {}
    for index, row in enumerate(rows):
        for name, targets in row.links.items():
            links.setdefault(name, {})[index] = [_final_target(one, made.get(name, {})) for one in targets]
    return links


def _final_target(target: Any, made: dict[str, Any]) -> Any:
    """Return what a link leads to once it is written: a primary key, or a record that gets one by then."""
    if isinstance(target, PendingTag):
        return made[target.name]
    return target.row.record if isinstance(target, NewRow) else target


def _later_links(rows: list[RowResult]) -> dict[str, dict[int, Record]]:
    """Return the links to one record that lead to new records of the file: field → position of the row → target."""
    later: dict[str, dict[int, Record]] = {}
    for index, row in enumerate(rows):
        for name, target in row.row_links.items():
            later.setdefault(name, {})[index] = target.row.record
    return later


class ImportRefused(Exception):
    """Nothing was written; the message says why."""
