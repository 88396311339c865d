"""The base of every record, and how a record's values and title are read."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from crm.blueprint.nodes import Entity, Field
from crm.blueprint.text import Template
from crm.fields import columns
from crm.kernel import actions
from crm.kernel.access import check_access, hides, shows
from crm.kernel.access import joins as joins_of_access
from crm.kernel.changes import one_change
from crm.kernel.computed import compute_row
from crm.kernel.deletion import may_empty_links
from crm.kernel.keeping import (
    PresentRecords,
    affected,
    affected_by_links,
    empty_links,
    keeping,
    merge,
    refresh,
    touched,
)
from crm.kernel.presence import IN_TRASH, is_deleted, once
from crm.kernel.row_limits import check_one
from crm.kernel.rules import check_record, check_written, is_acted_on

RECORD_FIELDS = {
    "created": {"type": "datetime", "label": "Created", "read_only": True},
    "updated": {"type": "datetime", "label": "Last changed", "read_only": True},
}


class Record(models.Model):
    """A record of a business: what every entity's model inherits. `definition` is its entity."""

    definition: Entity
    keeps_deleted = False
    """Whether deleted records stay in the table, for as long as they can be restored."""
    into_trash = False
    """Whether deleting a record puts it, and what goes along, into the trash."""

    created = columns.DateTime("Created", default=timezone.now, db_default=Now(), editable=False, db_index=True)
    updated = columns.DateTime("Last changed", auto_now=True, db_default=Now(), editable=False)

    objects = PresentRecords()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, with the values that are given at saving (numbers, slugs) and all computed ones in one transaction."""
        with transaction.atomic(), one_change():
            fill([self])
            compute_row(self)
            added = self._state.adding
            before = affected_by_links(type(self), [] if added else [self.pk])
            super().save(*args, **kwargs)
            touched(merge(before, affected(type(self), [self.pk], added=added)))
            check_written(type(self), [self.pk])
            refresh(self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if not self.into_trash or is_deleted(self):
            return self.delete_for_good(*args, **kwargs)
        found = actions.run("put_in_trash", model=type(self), keys=[self.pk])
        self.refresh_from_db(fields=["deleted_at", "deleted_in"])
        return found

    def delete_for_good(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with keeping(), one_change():
            if may_empty_links(type(self)):
                empty_links(type(self), [self.pk])
            return super().delete(*args, **kwargs)

    def _get_unique_checks(self, exclude: Any = None, include_meta_constraints: bool = False) -> tuple[list, list]:
        """Name what may occur once outside the trash too, for forms and rows to complain as of a unique column."""
        checks, dates = super()._get_unique_checks(exclude, include_meta_constraints)
        groups = [names for names in once(type(self)) if not set(names) & set(exclude or ())]
        return [*checks, *((type(self), names) for names in groups)], dates

    def clean(self) -> None:
        """Check what no single field can; a form that holds the rows checks their number itself."""
        super().clean()
        if not is_acted_on(self):
            check_access(self)
        check_record(self)
        if not getattr(self, "_rows_in_form", False):
            check_one(self)

    def __str__(self) -> str:
        return f"{title_of(self)}{IN_TRASH if is_deleted(self) else ''}"


def fill(records: list[Record]) -> None:
    """Give records of one model the values that their types give at saving."""
    for leaf in records[0].definition.leaves if records else ():
        if leaf.type.fills:
            leaf.type.fill(records, leaf)


def value_of(record: models.Model, field: Field) -> Any:
    """Return a field's value: of a composite, a dict of its parts; of one that holds several records, a list."""
    if field.parts:
        return {name: value_of(record, part) for name, part in field.parts.items()}
    value = getattr(record, field.name, None)
    return list(value.all()) if field.type.many else value


def is_empty(value: Any) -> bool:
    """Say whether a value is nothing to people; 0 and False are something."""
    if isinstance(value, dict):
        return all(is_empty(part) for part in value.values())
    return value is None or value == "" or value == [] or (hasattr(value, "name") and not value.name)


def display(record: models.Model, field: Field) -> str:
    """Return a field's value as people read it; nothing for an empty one, and for one that the viewer may not see."""
    if not shows(field):
        return ""
    value = value_of(record, field)
    return "" if is_empty(value) else field.type.display(value, field)


def display_path(record: models.Model, path: list[Field]) -> str:
    """Return the value at the end of a path as people read it."""
    for step in path[:-1]:
        if step.parts:
            continue
        record = getattr(record, step.name, None)  # None also where a record that is being made has no target yet
        if record is None or not shows(step) or hides(record):
            return ""
    return display(record, path[-1])


_titled: ContextVar[frozenset[tuple[type, Any]]] = ContextVar("titled", default=frozenset())
"""The records whose titles are being written: links may lead in a circle, and titles along them."""


def title_of(record: Record) -> str:
    """Return what a record is called, by its entity's title; where that leads back to the record, by its label.

    A record that the viewer may not see is called so: it may be told that there is one, and no more.
    """
    if hides(record):
        return f"Hidden {record.definition.label.lower()}"
    key, within = (type(record), record.pk), _titled.get()
    text = ""
    if key not in within:
        token = _titled.set(within | {key})
        try:
            text = render(record.definition.title, record).strip()
        finally:
            _titled.reset(token)
    return text or f"{record.definition.label} {record.pk or ''}".strip()


def render(template: Template, record: Record) -> str:
    """Write a text template with a record's values."""
    words = []
    for part in template.parts:
        if isinstance(part, str):
            words.append(part)
        elif part.path == ("id",):
            words.append(str(record.pk or ""))
        else:
            words.append(display_path(record, record.definition.follow(".".join(part.path))))
    return " ".join("".join(words).split())


def lookup(path: list[Field]) -> str:
    """Return a path as Django's lookup: `customer__name`; the whole of a composite is no step of its own."""
    return "__".join(step.name for step in path if not step.parts)


def joins(entity: Entity, path: list[Field]) -> list[str]:
    """Return what to `select_related` so that the path's value can be shown without a query a row."""
    one = [step for step in path if not step.parts]
    if any(step.type.many for step in one):
        return []
    found, way = [], ""
    for index, step in enumerate(one):
        linked = step.type.reference(step)
        if linked is None:
            break
        way = f"{way}__{step.name}" if way else step.name
        found.append(way)
        if index == len(one) - 1 and step.target is not None:
            found += [f"{way}__{inner}" for inner in title_joins(step.target)]
    return found


def title_joins(entity: Entity, depth: int = 3) -> list[str]:
    """Return what to `select_related` so that the entity's titles need no query each."""
    if depth == 0:
        return []
    found = joins_of_access(entity)
    for slot in entity.title.slots:
        if slot.path == ("id",):
            continue
        path = entity.follow(".".join(slot.path))
        way = ""
        for step in path:
            if step.parts or step.type.reference(step) is None or step.type.many:
                break
            way = f"{way}__{step.name}" if way else step.name
            found.append(way)
            if step is path[-1] and step.target is not None:
                found += [f"{way}__{inner}" for inner in title_joins(step.target, depth - 1)]
    return list(dict.fromkeys(found))
