"""Optimistic locking of previews: what was changed by hand after a preview is told at the import, never overwritten."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.capabilities.transfer.preparation import ImportPlan, RowResult
from crm.records import access
from crm.records.record import Record

TOLD = 5


def mark_versions(plan: ImportPlan, part: list[RowResult]) -> None:
    """Give each row of a part the version token of the record that it means, before values are put into it."""
    leaves = [one.field for one in plan.columns if one.field is not None and one.field.computed is None]
    many = [leaf.name for leaf in leaves if leaf.type.many]
    names = [plan.model._meta.get_field(leaf.name).attname for leaf in leaves if not leaf.type.many]
    for row in part:
        if row.record is not None:
            row.version = _version_of(row.record, names, many)


def _version_of(record: Record, names: list[str], many: list[str]) -> str:
    """Return the record's key and a digest of when it was saved last and of all that the file is compared with."""
    values: list[Any] = [record.updated, *(getattr(record, name) for name in names)]
    values += [sorted(target.pk for target in getattr(record, name).all()) for name in many]
    digest = hashlib.sha256("\x1f".join(map(str, values)).encode()).hexdigest()[:16]
    return f"{record.pk} {digest}"


def versions_of(plan: ImportPlan) -> dict[str, str]:
    """Return the tokens of all records that rows mean, by the rows' numbers, as a preview keeps them."""
    return {str(row.number): row.version for row in plan.rows if row.version}


def tell_changes(plan: ImportPlan, versions: dict[str, str] | None) -> str:
    """Return what happened since a preview to the records of its rows; nothing where all are as it showed them."""
    if versions is None:
        return _("This preview does not say which records it compared. Make a new one.")
    changed = [row for row in plan.rows if versions.get(str(row.number), "") != row.version]
    if not changed:
        return ""
    left = len(changed) - TOLD
    shown = [_change(plan, row, versions.get(str(row.number), "")) for row in changed[:TOLD]]
    shown += [ngettext("and %d more row", "and %d more rows", left) % left] if left > 0 else []
    text = _("Nothing was imported: records were changed since this preview was made. %s. Make a new preview.")
    return text % "; ".join(shown)


def _change(plan: ImportPlan, row: RowResult, before: str) -> str:
    if not row.version:
        what = _("the record was deleted, or has another key now")
    elif before.partition(" ")[0] == row.version.partition(" ")[0]:
        what = _("%s was changed") % _title(plan, row)
    else:
        what = _("%s has this key now") % _title(plan, row)
    return _("Row %(row)s: %(what)s") % {"row": row.number, "what": what}


def _title(plan: ImportPlan, row: RowResult) -> str:
    """Return what the record is called in the database, which a row of the file has not changed."""
    record = plan.model._base_manager.filter(pk=row.version.partition(" ")[0]).first()
    return str(record) if record is not None and not access.is_hidden(record) else _("the record")
