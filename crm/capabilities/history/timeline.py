"""The timeline (audit log) of a record: its versions and those of its rows, compared and grouped by change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from os.path import commonprefix
from typing import Any

from django.db import models
from django.db.models import Max
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Field
from crm.capabilities.history.versions import keeps, links_of, title_of_gone, titles_of
from crm.records import access
from crm.records.display import is_empty, title_joins
from crm.records.record import Record
from crm.records.soft_delete import DELETED_AT

KINDS = {"+": "added", "~": "changed", "-": "deleted"}
BACK = "restored"
LIMIT = 200
EXCERPT, CONTEXT = 500, 80
"""The most characters of a value that a change shows, and how many before the first that differs."""


@dataclass
class Difference:
    """A field that changed: its label, and its old and new value as people read them."""

    label: str
    old: str
    new: str


@dataclass
class Part:
    """What a change did to one record: to the record itself, or to one of its rows (then with its title)."""

    kind: str
    title: str = ""
    differences: list[Difference] = field(default_factory=list)


@dataclass
class Entry:
    """A change: who, when and why, and what it did. `version` is the version of the record itself after it."""

    user: str
    date: datetime
    reason: str
    kind: str
    parts: list[Part] = field(default_factory=list)
    version: int | None = None
    is_now: bool = False


@dataclass
class _Step:
    """Two versions in a row of one record, within one change."""

    before: Any
    after: Any
    child: Field | None = None
    date: datetime | None = None
    """When it was written, but never later than the steps after it in its table: a clock may have been ahead."""

    def place(self) -> tuple[Any, ...]:
        """Return where the step stands among those of all tables, each of which counts its versions for itself."""
        return self.date, self.child is not None, self.child.name if self.child else "", self.after.history_id


def read_timeline(record: Record, limit: int = LIMIT) -> list[Entry]:
    """Return the changes of a record and of its rows, the newest first; at most about `limit` versions are read."""
    steps = _steps(type(record), {"id": record.pk}, None, limit)
    for table in (
        table for table in record.definition.fields.values() if table.type.rows and access.viewer_can_view_field(table)
    ):
        child = record._meta.apps.get_model(record._meta.app_label, table.target.class_name)
        steps += _steps(child, {f"{record.definition.name}_id": record.pk}, table, limit)
    steps = [step for step in steps if step.child is None or not access.is_hidden(step.after.instance)]
    names = _Names(steps)
    groups: dict[Any, list[_Step]] = {}
    for step in sorted(steps, key=_Step.place):
        groups.setdefault(step.after.history_change or (id(step),), []).append(step)
    entries = [_entry(group, names) for group in sorted(groups.values(), key=lambda group: _main(group).place())]
    shown = [entry for entry in entries if entry.parts][::-1]
    if shown:
        shown[0].is_now = shown[0].version is not None
    return shown


def newest_version(record: Record) -> str:
    """Return a token of the newest versions of a record and of the rows it has or had: any write makes it another."""
    model = type(record)
    tokens = [model.history.filter(id=record.pk).aggregate(newest=Max("history_id"))["newest"]]
    for table in (one for one in record.definition.fields.values() if one.type.rows):
        child = model._meta.apps.get_model(model._meta.app_label, table.target.class_name)
        ever = child.history.filter(**{f"{record.definition.name}_id": record.pk}).values("id")
        tokens.append(child.history.filter(id__in=ever).aggregate(newest=Max("history_id"))["newest"])
    return "-".join(str(one or 0) for one in tokens)


def changes_since(record: Record, version: Any) -> list[Entry]:
    """Return the changes of a record and of its rows that came after a version, the newest first."""
    entries = read_timeline(record)
    return list(takewhile(lambda entry: entry.version is None or entry.version > version.history_id, entries))


def _steps(model: type[Record], where: dict[str, Any], child: Field | None, limit: int) -> list[_Step]:
    """Return the versions of the matching records, each with the one before; of one change, the last alone."""
    versions = model.history.filter(**where).select_related("history_user").order_by("-history_id")[:limit]
    by_record: dict[Any, list[Any]] = {}
    for version in reversed(versions):
        by_record.setdefault(version.id, []).append(version)
    steps = []
    for chain in by_record.values():
        last: _Step | None = None
        for version in chain:
            if last and version.history_change and last.after.history_change == version.history_change:
                kind, last.after = last.after.history_type, version
                if kind == "+" and version.history_type == "~":
                    version.history_type = "+"
            else:
                last = _Step(last.after if last else None, version, child)
                steps.append(last)
    _set_dates(steps)
    return steps


def _set_dates(steps: list[_Step]) -> None:
    latest = datetime.max.replace(tzinfo=UTC)
    for step in sorted(steps, key=lambda step: step.after.history_id, reverse=True):
        step.date = latest = min(latest, step.after.history_date)


def _main(group: list[_Step]) -> _Step:
    """Return the step of the record itself among those of a change, or else the last of its rows."""
    return next((step for step in group if step.child is None), group[-1])


def _entry(group: list[_Step], names: _Names) -> Entry:
    main = next((step for step in group if step.child is None), None)
    newest = _main(group).after
    user = newest.history_user
    entry = Entry(
        user=(user.get_full_name() or user.get_username()) if user else "",
        date=newest.history_date,
        reason=newest.history_change_reason or "",
        kind=_kind(main) if main else "changed",
        version=main.after.history_id if main and not _in_trash(main.after) else None,
    )
    for step in group:
        part = _part(step, names)
        if part.differences or part.kind != "changed":
            entry.parts.append(part)
    return entry


def _in_trash(version: Any) -> bool:
    return getattr(version, DELETED_AT, None) is not None


def _kind(step: _Step) -> str:
    """Say what a step did; to put a record into the trash is to delete it."""
    if _in_trash(step.after) != bool(step.before and _in_trash(step.before)):
        return "deleted" if _in_trash(step.after) else BACK
    return KINDS[step.after.history_type]


def _part(step: _Step, names: _Names) -> Part:
    kind = _kind(step)
    title = f"{step.child.target.label} {names.title(step.after)}" if step.child else ""
    if kind == "deleted":
        return Part(kind, title)
    before = step.before if kind in ("changed", BACK) else None
    if kind == "changed" and before is None:
        return Part(kind, title)
    differences = []
    for leaf in names.definition(step.after).leaves:
        if (
            not access.viewer_can_view_field(leaf)
            or not keeps(step.after.instance_type, leaf)
            or (step.child and leaf.document is not leaf.entity.document)
        ):
            continue
        old, new = names.shown(before, leaf), names.shown(step.after, leaf)
        if old != new:
            differences.append(Difference(leaf.full_label, *excerpts(old, new)))
    return Part(kind, title, differences)


def excerpts(old: str, new: str) -> tuple[str, str]:
    """Return two texts as a page of many changes shows them: of long ones, the part where they begin to differ."""
    if max(len(old), len(new)) <= EXCERPT:
        return old, new
    start = max(len(commonprefix((old, new))) - CONTEXT, 0)
    return _excerpt(old, start), _excerpt(new, start)


def _excerpt(text: str, start: int) -> str:
    part = text[start : start + EXCERPT]
    before, after = "… " if start and part else "", " …" if start + EXCERPT < len(text) else ""
    size = _(" (%(count)s characters in all)") % {"count": f"{len(text):,}"} if before or after else ""
    return f"{before}{part}{after}{size}"


class _Names:
    """Shows the values of versions; the titles of everything that they link to are read at once."""

    def __init__(self, steps: list[_Step]):
        self.titles: dict[tuple[str, Any], str] = {}
        self.many: dict[tuple[type, Any, str], list[Any]] = {}
        self.rows: dict[int, str] = {}
        versions = {id(one): one for step in steps for one in (step.before, step.after) if one is not None}
        by_model: dict[type[Record], list[Any]] = {}
        for version in versions.values():
            by_model.setdefault(version.instance_type, []).append(version)
        wanted: dict[type[models.Model], set[Any]] = {}
        for model, model_versions in by_model.items():
            self._collect(model, model_versions, wanted)
            rows = [step.after for step in steps if step.child and step.after.instance_type is model]
            self.rows.update(zip(map(id, rows), titles_of(rows), strict=True))
        for model, keys in wanted.items():
            self._read(model, keys)

    @staticmethod
    def definition(version: Any) -> Any:
        return version.instance_type.definition

    def _collect(self, model: type[Record], versions: list[Any], wanted: dict[type[models.Model], set[Any]]) -> None:
        """Collect the keys that versions of a model link to."""
        for leaf in model.definition.leaves:
            if leaf.type.reference(leaf) is None or not keeps(model, leaf):
                continue
            field = model._meta.get_field(leaf.name)
            if leaf.type.many:
                links = links_of(versions, field)
                self.many.update({(type(one), one.history_id, leaf.name): links[one.history_id] for one in versions})
                keys = {key for targets in links.values() for key in targets}
            else:
                keys = {getattr(one, field.attname) for one in versions} - {None}
            wanted.setdefault(field.related_model, set()).update(keys)

    def _read(self, model: type[models.Model], keys: set[Any]) -> None:
        joins = title_joins(model.definition) if hasattr(model, "definition") else []
        rows = model._base_manager.filter(pk__in=keys)
        for target in rows.select_related(*joins) if joins else rows:
            shown = target.get_full_name() or target.get_username() if hasattr(target, "get_username") else str(target)
            self.titles[model._meta.label, target.pk] = shown
        for key in keys:
            if (model._meta.label, key) not in self.titles:
                self.titles[model._meta.label, key] = title_of_gone(model, key)

    def title(self, version: Any) -> str:
        return self.rows[id(version)]

    def shown(self, version: Any, leaf: Field) -> str:
        if version is None:
            return ""
        if leaf.type.many:
            model = version.instance_type._meta.get_field(leaf.name).related_model
            keys = self.many.get((type(version), version.history_id, leaf.name), [])
            return ", ".join(sorted(self.titles[model._meta.label, key] for key in keys))
        if leaf.type.reference(leaf) is not None:
            field = version.instance_type._meta.get_field(leaf.name)
            key = getattr(version, field.attname)
            return "" if key is None else self.titles[field.related_model._meta.label, key]
        value = getattr(version, leaf.name)
        return "" if is_empty(value) else leaf.type.display(value, leaf)
