"""The import: rows are read, matched and compared column by column, then written all at once or not at all."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Entity
from crm.capabilities.transfer.cells import Adjust, read_columns
from crm.capabilities.transfer.checks import are_independent, check_rows
from crm.capabilities.transfer.columns import headings_below, map_columns
from crm.capabilities.transfer.comparing import RowComparer
from crm.capabilities.transfer.file_reader import Sheet
from crm.capabilities.transfer.freshness import mark_versions
from crm.capabilities.transfer.gc_pause import gc_disabled
from crm.capabilities.transfer.keys import KeyResolver
from crm.capabilities.transfer.matching import RowMatcher, missing_keys
from crm.capabilities.transfer.own_rows import link_own_rows
from crm.capabilities.transfer.preparation import FAILED, NEW, UPDATED, ImportPlan, NewRow, PendingTag, RowResult
from crm.records.access import as_viewer
from crm.records.changes import change_scope
from crm.records.computed_updates import defer_recompute
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
    plan = ImportPlan(entity, model, user, numbers, locks, sheet.exact, unread=sheet.warning)
    with as_viewer(user):
        plan.columns, plan.refusals = map_columns(entity, sheet.headings)
        if plan.refusals and (below := headings_below(entity, sheet)):
            plan.refusals.insert(0, below)
        missing = missing_keys(entity, plan.columns)
        if missing and not plan.refusals:
            plan.refusals.append(missing)
        if not plan.refusals:
            plan.rows = [RowResult(index, number) for index, number in enumerate(sheet.numbers)]
            plan.values = read_columns(plan, sheet, adjust)
            plan.is_whole = not are_independent(plan)
    compare_rows(plan)
    return plan


@gc_disabled()
def compare_rows(plan: ImportPlan) -> None:
    """Match, compare and check all rows that were read, from the records as they are now."""
    with as_viewer(plan.user):
        if plan.rows and not _compare_parts(plan):
            plan.is_whole = True
            _compare_parts(plan)


def _compare_parts(plan: ImportPlan) -> bool:
    """Compare the rows part by part; return False where only all of them together can tell whether a value is free."""
    for row in plan.rows:
        row.start_over()
    matcher, comparer = RowMatcher(plan), RowComparer(plan)
    taken: set[str] = set()
    for part in plan.parts():
        matcher.match(part)
        mark_versions(plan, part)
        comparer.compare(part)
        if plan.is_whole:
            link_own_rows(plan)
            plan.blame()
        taken |= check_rows(plan, part)
        for row in part:
            row.status = FAILED if row.errors else row.status
    plan.blame()
    return plan.is_whole or taken.isdisjoint(name for row in plan.rows for name in row.changes)


@gc_disabled()
def write(plan: ImportPlan) -> None:
    """Write what was prepared, in one transaction. Raises ImportRefused, with nothing written, where that fails."""
    if not plan.is_sound:
        raise ImportRefused(_("The file has errors; nothing was written."))
    try:
        _write(plan)
    except RuleBroken as broken:
        row = _row_of(plan, broken.record)
        words = {"row": row.number if row else 0, "record": broken.record, "why": broken.messages[0]}
        of_row = _("row %(row)s, %(record)s: %(why)s Nothing was written.")
        raise ImportRefused((of_row if row else _("%(record)s: %(why)s Nothing was written.")) % words) from None
    except ValidationError as error:
        raise ImportRefused(" ".join(error.messages)) from None
    except DatabaseError as error:
        text = _("The database refused, and nothing was written: %(error)s") % {"error": error}
        raise ImportRefused(text) from None


def rehearse(plan: ImportPlan) -> tuple[int, str, str] | None:
    """Write what was prepared and take it back; return the row (0 for the file), column and sentence of what fails.

    Some rules only the saved rows together can tell: a sum of theirs, or of other records. The prepared records are
    of no further use afterwards.
    """
    try:
        with transaction.atomic(), change_scope(plan.user, "", "import"):
            _write(plan)
            transaction.set_rollback(True)
    except RuleBroken as broken:
        row = _row_of(plan, broken.record)
        about = "" if row else f"{broken.record}: "
        return (row.number if row else 0), broken.field, f"{about}{broken.messages[0]}"
    except ValidationError as error:
        return 0, "", " ".join(error.messages)
    except DatabaseError as error:
        return 0, "", _("The database would refuse: %(error)s") % {"error": error}
    return None


def _row_of(plan: ImportPlan, record: Any) -> RowResult | None:
    if not isinstance(record, plan.model):
        return None
    return next((row for row in plan.rows if row.record is record or (row.key and row.key == record.pk)), None)


def _write(plan: ImportPlan) -> None:
    comparer, new_words = RowComparer(plan), plan.new_words.items()
    with transaction.atomic(), defer_recompute():
        tags = {name: KeyResolver(plan.entity.find(name)).create(words.values()) for name, words in new_words}
        for part in plan.parts():
            _write_part(plan, comparer.restore(part), tags)


def _write_part(plan: ImportPlan, part: list[RowResult], tags: dict[str, dict[str, Any]]) -> None:
    created = [row for row in part if row.status == NEW]
    updated = [row for row in part if row.status == UPDATED]
    many = {column.field.name for column in plan.columns if column.field and column.field.type.many}
    changed = {name for row in updated for name in row.changes} - many
    rows = [*created, *updated]
    links, later = _final_links(rows, tags), _later_links(rows)
    records = [row.record for row in created], [row.record for row in updated]
    try:
        write_records(plan.model, *records, columns=sorted(changed), links=links, later=later)
    finally:
        for row in created:
            row.key = row.record.pk


def _final_links(rows: list[RowResult], tags: dict[str, dict[str, Any]]) -> dict[str, dict[int, list[Any]]]:
    links: dict[str, dict[int, list[Any]]] = {}
    for index, row in enumerate(rows):
        for name, targets in row.links.items():
            links.setdefault(name, {})[index] = [_final_target(target, tags.get(name, {})) for target in targets]
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
