"""How values and titles of records are told to people, and the joins that spare a query for each row (N+1)."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.db import models

from crm.blueprint.nodes import Entity, Field
from crm.blueprint.text import Template
from crm.records.access import access_joins as joins_of_access
from crm.records.access import is_hidden, viewer_can_view_field


def field_value(record: models.Model, field: Field) -> Any:
    """Return a field's value: of a composite, a dict of its parts; of one that holds several records, a list."""
    if field.parts:
        return {name: field_value(record, part) for name, part in field.parts.items()}
    value = getattr(record, field.name, None)
    return list(value.all()) if field.type.many else value


def is_empty(value: Any) -> bool:
    """Say whether a value is nothing to people; 0 and False are something."""
    if isinstance(value, dict):
        return all(is_empty(part) for part in value.values())
    return value is None or value == "" or value == [] or (hasattr(value, "name") and not value.name)


def display(record: models.Model, field: Field) -> str:
    """Return a field's value as people read it; nothing for an empty one, and for one that the viewer may not see."""
    if not viewer_can_view_field(field):
        return ""
    value = field_value(record, field)
    return "" if is_empty(value) else field.type.display(value, field)


def display_path(record: models.Model, path: list[Field]) -> str:
    """Return the value at the end of a path as people read it."""
    for step in path[:-1]:
        if step.parts:
            continue
        record = getattr(record, step.name, None)  # None also where a record that is being made has no target yet
        if record is None or not viewer_can_view_field(step) or is_hidden(record):
            return ""
    return display(record, path[-1])


_titled: ContextVar[frozenset[tuple[type, Any]]] = ContextVar("titled", default=frozenset())
"""The records whose titles are being written: links may lead in a circle, and titles along them."""


def title_of(record: models.Model) -> str:
    """Return what a record is called, by its entity's title; where that leads back to the record, by its label.

    A record that the viewer may not see is called so: it may be told that there is one, and no more.
    """
    if is_hidden(record):
        return f"Hidden {record.definition.label.lower()}"
    key, within = (type(record), record.pk), _titled.get()
    text = ""
    if key not in within:
        token = _titled.set(within | {key})
        try:
            text = render_template(record.definition.title, record).strip()
        finally:
            _titled.reset(token)
    return text or f"{record.definition.label} {record.pk or ''}".strip()


def render_template(template: Template, record: models.Model) -> str:
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


def lookup_path(path: list[Field]) -> str:
    """Return a path as Django's lookup: `customer__name`; the whole of a composite is no step of its own."""
    return "__".join(step.name for step in path if not step.parts)


def path_joins(entity: Entity, path: list[Field]) -> list[str]:
    """Return what to `select_related` so that the path's value can be shown without a query a row."""
    steps = [step for step in path if not step.parts]
    if any(step.type.many for step in steps):
        return []
    joins, join = [], ""
    for index, step in enumerate(steps):
        linked = step.type.reference(step)
        if linked is None:
            break
        join = f"{join}__{step.name}" if join else step.name
        joins.append(join)
        if index == len(steps) - 1 and step.target is not None:
            joins += [f"{join}__{inner}" for inner in title_joins(step.target)]
    return joins


def title_joins(entity: Entity, depth: int = 3) -> list[str]:
    """Return what to `select_related` so that the entity's titles need no query each."""
    if depth == 0:
        return []
    joins = joins_of_access(entity)
    for slot in entity.title.slots:
        if slot.path == ("id",):
            continue
        path = entity.follow(".".join(slot.path))
        join = ""
        for step in path:
            if step.parts or step.type.reference(step) is None or step.type.many:
                break
            join = f"{join}__{step.name}" if join else step.name
            joins.append(join)
            if step is path[-1] and step.target is not None:
                joins += [f"{join}__{inner}" for inner in title_joins(step.target, depth - 1)]
    return list(dict.fromkeys(joins))
