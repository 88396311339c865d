"""The records of a made-up business: written in bulk, and read back with everything that they hold."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models

from crm.blueprint.nodes import Business, Entity, Field
from crm.capabilities.transfer.keys import key_fields
from crm.records.writes import write_records
from properties.values import Rows, is_late

PEOPLE = ("ann", "bob@example.org", "eve+1")
Held = dict[str, dict[Any, dict[str, Any]]]
"""Entity → record → leaf → value."""
_numbers = count(1)


def rows_of(entity: Entity) -> models.QuerySet:
    """Return the records of an entity, the oldest first."""
    return apps.get_model(entity.business.label, entity.class_name)._default_manager.order_by("pk")


def leaves_of(entity: Entity) -> list[Field]:
    """Return the leaves that hold something."""
    return [leaf for leaf in entity.leaves if leaf.type.stored]


def write_rows(business: Business, rows: Rows) -> None:
    """Write made-up records: first with their values and required links, then with their links to one another."""
    made: dict[str, list[Any]] = {}
    staff = _people()
    for entity in business.entities.values():
        made[entity.name] = _write_first(entity, rows[entity.name], made, staff)
    for entity in business.entities.values():
        _write_late(entity, rows[entity.name], made)


def _people() -> list[Any]:
    users = get_user_model()._default_manager
    users.bulk_create([users.model(username=name, is_staff=True) for name in PEOPLE], ignore_conflicts=True)
    return [users.get(username=name) for name in PEOPLE]


def _write_first(entity: Entity, rows: list[dict[str, Any]], made: dict[str, list[Any]], staff: list[Any]) -> list[Any]:
    model = rows_of(entity).model
    early = [leaf for leaf in leaves_of(entity) if not is_late(leaf)]
    plain = [leaf for leaf in early if not leaf.type.many]
    records = [
        model(**{_attribute(leaf): _value(leaf, row[leaf.name], made, staff) for leaf in plain if leaf.name in row})
        for row in rows
    ]
    write_records(model, records, links={leaf.name: _tags(leaf, rows) for leaf in early if leaf.type.many})
    return records


def _write_late(entity: Entity, rows: list[dict[str, Any]], made: dict[str, list[Any]]) -> None:
    late = [leaf for leaf in leaves_of(entity) if is_late(leaf)]
    links: dict[str, dict[int, list[Any]]] = {leaf.name: {} for leaf in late if leaf.type.many}
    changed = [index for index, row in enumerate(rows) if any(row.get(leaf.name) not in (None, []) for leaf in late)]
    for position, index in enumerate(changed):
        for leaf in late:
            targets, chosen = made[leaf.target.name], rows[index][leaf.name]
            if leaf.type.many:
                links[leaf.name][position] = [targets[one].pk for one in chosen]
            elif chosen is not None:
                setattr(made[entity.name][index], f"{leaf.name}_id", targets[chosen].pk)
    if changed:
        records = [made[entity.name][index] for index in changed]
        columns = [leaf.name for leaf in late if not leaf.type.many]
        write_records(type(records[0]), updated=records, columns=columns, links=links)


def _attribute(leaf: Field) -> str:
    return f"{leaf.name}_id" if leaf.type.reference(leaf) is not None else leaf.name


def _value(leaf: Field, value: Any, made: dict[str, list[Any]], staff: list[Any]) -> Any:
    if leaf.target is not None:
        return made[leaf.target.name][value].pk
    if leaf.type.reference(leaf) is not None:
        return None if value is None else staff[value].pk
    if hasattr(leaf.type, "folder") and value:
        return default_storage.save(f"{leaf.type.folder(leaf)}/{next(_numbers):032x}/{value}", ContentFile(b"x"))
    return value


def _tags(leaf: Field, rows: list[dict[str, Any]]) -> dict[int, list[Any]]:
    tags = apps.get_model("crm", "Tag").objects
    scope = leaf.type.scope(leaf)
    names = {name for row in rows for name in row.get(leaf.name, ())}
    tags.bulk_create([tags.model(scope=scope, name=name) for name in sorted(names)], ignore_conflicts=True)
    keys = dict(tags.filter(scope=scope).values_list("name", "pk"))
    return {index: [keys[name] for name in row.get(leaf.name, ())] for index, row in enumerate(rows)}


def held_by_id(business: Business) -> Held:
    """Return everything that the database holds, by primary keys."""
    return {
        entity.name: {one.pk: {leaf.name: _by_id(one, leaf) for leaf in leaves_of(entity)} for one in rows_of(entity)}
        for entity in business.entities.values()
    }


def _by_id(record: models.Model, leaf: Field) -> Any:
    if leaf.type.many:
        return sorted(getattr(record, leaf.name).values_list("pk", flat=True))
    return getattr(record, _attribute(leaf))


def held_by_key(entity: Entity) -> dict[Any, dict[str, Any]]:
    """Return everything that the records of an entity hold, by the keys that files name them by."""
    return {_key(one): {leaf.name: _by_key(one, leaf) for leaf in leaves_of(entity)} for one in rows_of(entity)}


def _key(record: models.Model) -> tuple[str, ...]:
    return tuple(str(_by_key(record, leaf)) for leaf in key_fields(record.definition))  # type: ignore[attr-defined]


def _by_key(record: models.Model, leaf: Field) -> Any:
    value = getattr(record, leaf.name)
    if leaf.target is None:
        return sorted(map(str, value.all())) if leaf.type.many else value
    if leaf.type.many:
        return sorted(_key(one) for one in value.all())
    return None if value is None else _key(value)


def delete_all(business: Business) -> None:
    """Delete every record, those that lead to others first."""
    for entity in business.entities.values():
        late = [leaf.name for leaf in leaves_of(entity) if is_late(leaf) and not leaf.type.many]
        rows_of(entity).update(**dict.fromkeys(late))
    for entity in reversed(business.entities.values()):
        rows_of(entity).delete()
    connection.check_constraints()
