"""The preview of an import: what each row would do, as people read it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Field
from crm.capabilities.transfer.comparing import RowComparer
from crm.capabilities.transfer.keys import has_key, name_of
from crm.capabilities.transfer.preparation import FAILED, UNCHANGED, ImportPlan, NewRow, PendingTag, RowResult
from crm.records import access
from crm.records.chunks import chunks
from crm.records.display import is_empty

ROWS_SHOWN = 1_000
"""How many rows of each status a preview keeps."""
ERRORS_SHOWN = 500
HIDDEN_TARGET = "(hidden)"


def preview_data(plan: ImportPlan) -> dict[str, Any]:
    """Return what an import would do as plain data: the first rows of each status, with old and new values.

    What is kept does not grow with the file: the run has the counts, and the file itself is read again to be imported.
    """
    return {
        "columns": [column.heading for column in plan.columns],
        "rows": list(_rows(plan)),
        "errors": [list(error) for error in islice(plan.iterate_errors(), ERRORS_SHOWN)],
        "error_count": sum(len(row.errors) for row in plan.rows),
        "warning": plan.warning,
        "made": uuid.uuid4().hex,
    }


def _rows(plan: ImportPlan) -> Iterator[dict[str, Any]]:
    comparer = RowComparer(plan) if not plan.refusals else None
    counts = Counter[str]()
    shown: set[int] = set()
    for row in plan.rows:
        counts[row.status] += 1
        if row.status != UNCHANGED and counts[row.status] <= ROWS_SHOWN:
            shown.add(row.index)
    for part in plan.parts() if comparer else ():
        rows = [row for row in part if row.index in shown]
        if rows:
            comparer.restore(rows)
            names = _Shown(plan, rows)
            yield from map(names.row, rows)


class _Shown:
    """Writes the values of a part as people read them; link targets by their keys, read at once."""

    def __init__(self, plan: ImportPlan, part: list[RowResult]):
        self.leaves = {column.field.name: column.field for column in plan.columns if column.field}
        self.titles: dict[tuple[str, Any], str] = {}
        for name, leaf in self.leaves.items():
            if leaf.type.reference(leaf) is not None:
                self._read(part, name, leaf)

    def _read(self, part: list[RowResult], name: str, leaf: Field) -> None:
        keys = set()
        for row in part:
            for value in self._values(row, leaf):
                keys |= value if isinstance(value, set) else {value}
        reference = leaf.type.reference(leaf)
        target = apps.get_model(reference.model)
        wanted = [key for key in keys if key is not None and not isinstance(key, PendingTag | NewRow)]
        for batch in chunks(wanted):
            for record in access.viewer_rows(target).filter(pk__in=batch):
                self.titles[name, record.pk] = name_of(record, reference)

    def _values(self, row: RowResult, leaf: Field) -> list[Any]:
        changed = list(row.changes.get(leaf.name, ()))
        if leaf.type.many:
            return [*changed, row.links.get(leaf.name, set())]
        return [*changed, self._key(row, leaf) if row.record else None]

    def _key(self, row: RowResult, leaf: Field) -> Any:
        return row.row_links.get(leaf.name) or getattr(row.record, f"{leaf.name}_id")

    def row(self, row: RowResult) -> dict[str, Any]:
        shown: dict[str, Any] = {"number": row.number, "status": row.status, "errors": row.errors}
        if row.status == FAILED or row.record is None:
            return shown
        if row.record.pk:
            shown["title"] = str(row.record)
            shown["changes"] = [
                [leaf.label, self.text(leaf, row.changes[name][0]), self.text(leaf, row.changes[name][1])]
                for name, leaf in self.leaves.items()
                if name in row.changes
            ]
        else:
            values = [(leaf, self._new(row, leaf)) for leaf in self.leaves.values()]
            shown["cells"] = [[leaf.label, text] for leaf, text in values if text]
        return shown

    def _new(self, row: RowResult, leaf: Field) -> str:
        if leaf.type.many:
            return self.text(leaf, row.links.get(leaf.name, set()))
        is_link = leaf.type.reference(leaf) is not None
        return self.text(leaf, self._key(row, leaf) if is_link else getattr(row.record, leaf.name))

    def text(self, leaf: Field, value: Any) -> str:
        if is_empty(value) or value == set():
            return ""
        if isinstance(value, set):
            return ", ".join(sorted(self._title(leaf, one) for one in value))
        return self._title(leaf, value) if leaf.type.reference(leaf) is not None else leaf.type.display(value, leaf)

    def _title(self, leaf: Field, key: Any) -> str:
        if isinstance(key, NewRow):
            target = key.row.record
            name = name_of(target, leaf.type.reference(leaf)) if has_key(target) else str(target)
            return _("%(name)s (row %(row)s of this file)") % {"name": name, "row": key.number}
        return key.name if isinstance(key, PendingTag) else self.titles.get((leaf.name, key), HIDDEN_TARGET)
