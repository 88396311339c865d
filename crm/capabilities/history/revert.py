"""Revert: a record to one of its versions, or everything that one change wrote to what it was before (undo)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from crm.capabilities.history.versions import links_of, title_of_gone
from crm.kernel import actions
from crm.records import access
from crm.records.chunks import chunks
from crm.records.computed_updates import defer_recompute, find_dependents, schedule_recompute
from crm.records.deletion import Model, collect_deletion
from crm.records.display import display
from crm.records.gate import check_removals, check_writes, raise_all
from crm.records.intended_write import IntendedWrite, as_before
from crm.records.record import Record
from crm.records.soft_delete import DELETED_AT, not_deleted
from crm.records.stored import as_stored, lock
from crm.records.writes import write_records

REVERT, UNDO = "revert", "undo"
"""The ways in of this file, and its ways out."""
UNDO_OF_OWN = "undo of one's own"
"""The way out of what the viewer has added."""


@dataclass
class Reverted:
    """What was undone: how many records got their old values back, and how many were removed; who was spared."""

    restored: int = 0
    removed: int = 0
    spared: list[str] = field(default_factory=list)


def revert_record(record: Record, version: Any) -> list[str]:
    """Give a record, its links and its rows the values of a version; return what could not come back, in words.

    Runs in one transaction, with the rights of the viewer: what is closed by now stays as it is. Raises ProtectedError
    where a row that would go is still needed, and ValidationError where a guard refuses the whole, or a record that it
    must link to is gone.
    """
    left_out: list[str] = []
    with defer_recompute():
        _restore(type(record), [version], left_out)
        for table in (one for one in record.definition.fields.values() if one.type.rows):
            child = apps.get_model(record._meta.app_label, table.target.class_name)
            _revert_rows(child, f"{record.definition.name}_id", record.pk, version, left_out)
    record.refresh_from_db()
    return left_out


def _revert_rows(model: type[Record], link: str, parent: Any, version: Any, left_out: list[str]) -> None:
    """Bring the rows back to the moment of the version, counting the whole of its change in."""
    then: dict[Any, Any] = {}
    ever = model.history.filter(**{link: parent}).values("id")
    for row_version in model.history.filter(id__in=ever).order_by("history_id"):
        same = row_version.history_change and row_version.history_change == version.history_change
        if same or row_version.history_date <= version.history_date:
            then[row_version.id] = row_version
    there = {key: one for key, one in then.items() if one.history_type != "-" and not getattr(one, DELETED_AT, None)}
    rows = list(model._default_manager.filter(**{link: parent}))
    added = [row for row in rows if row.pk not in there]
    _check_removal(collect_deletion(model, [row.pk for row in added]).cascades, REVERT)
    for row in added:
        row.delete()
    moved = [there[row.pk] for row in rows if row.pk in there and getattr(there[row.pk], link) != parent]
    wanted = [one for one in there.values() if getattr(one, link) == parent]
    _restore(model, [*moved, *wanted], left_out)


def _check_removal(going: Mapping[Model, Collection[Any]], way_out: str) -> None:
    """Lock records that are about to go. Raises ValidationError where a guard refuses that the viewer removes them."""
    raise_all(check_removals(going, access.current_viewer(), way_out))


def _restore(model: type[Record], versions: Sequence[Any], left_out: list[str]) -> None:
    """Write the values of versions that differ from the present ones; a deleted record comes back with its key."""
    present = as_stored(model, [one.id for one in versions], access.current_viewer())
    gone, names = _gone(model, versions), _names_of(versions[0]) if versions else []
    writes = []
    for version in versions:
        before = present.get(version.id) or _as_it_was_last(model, version)
        record = as_before(before)
        record._state.adding = version.id not in present
        for name in names:
            old = getattr(version, name)
            if old in gone.get(name, ()):
                left_out.append(_without(model, name, old))
                old = None
            if not _same(getattr(record, name), old):
                setattr(record, name, old)
        writes.append(IntendedWrite(record, before, access.current_viewer(), REVERT, _links(version, record)))
    for write in _allowed(writes, left_out):
        if write.appears or write.changes - set(write.links):
            write.record.save(force_insert=write.record._state.adding)
        for name, keys in write.links.items():
            getattr(write.record, name).set(keys)


def _as_it_was_last(model: type[Record], version: Any) -> Record:
    """Return a deleted record as its last version holds it."""
    return model.history.filter(id=version.id).order_by("-history_id").first().instance


def _links(version: Any, record: Record) -> dict[str, set[Any]]:
    """Return the targets of the version's many-to-many links that are still there, where they are others now."""
    targets = {}
    for many in version._history_m2m_fields:
        keys = set(links_of([version], many)[version.history_id])
        rows = many.related_model._default_manager.filter(pk__in=keys)
        then = set(rows.values_list("pk", flat=True))
        now = set() if record._state.adding else set(getattr(record, many.name).values_list("pk", flat=True))
        if then != now:
            targets[many.name] = then
    return targets


CLOSED = ("locked", "state")
"""The guards whose fields stay as they are: a version comes back around them."""


def _allowed(writes: list[IntendedWrite], left_out: list[str]) -> list[IntendedWrite]:
    """Return the writes with what is closed by now as it is. Raises ValidationError where any other guard refuses."""
    said = check_writes(writes)
    closed = [one for one in said if one.guard in CLOSED]
    if not closed:
        raise_all(said)
        return writes
    for refusal in closed:
        record, before = refusal.write.record, refusal.write.before
        column, leaf = record._meta.get_field(refusal.field), record.definition.find(refusal.field)
        setattr(record, column.attname, getattr(before, column.attname))
        left_out.append(f"{leaf.label.lower()} stays {display(record, leaf)}")
    left = [replace(write) for write in writes]
    raise_all(check_writes(left))
    return left


def _names_of(version: Any) -> list[str]:
    definition = version.instance_type.definition
    given = {"id", "updated", *definition.storage}
    return [one.attname for one in version.tracked_fields if one.attname not in given]


def _same(value: Any, other: Any) -> bool:
    """Say whether two values are stored alike; an upload and its name are, nothing and nought are not."""
    return value == other or (value is not None and other is not None and str(value) == str(other))


def _gone(model: type[Record], versions: Iterable[Any]) -> dict[str, set[Any]]:
    """Return the keys that versions link to and that are no record's any more, by the link's column."""
    versions, gone_keys = list(versions), {}
    tracked = set(_names_of(versions[0])) if versions else set()
    for link in (one for one in model._meta.concrete_fields if one.related_model and one.attname in tracked):
        keys = {getattr(one, link.attname) for one in versions} - {None}
        gone_keys[link.attname] = keys - set(
            not_deleted(link.related_model).filter(pk__in=keys).values_list("pk", flat=True)
        )
    return gone_keys


def _without(model: type[Record], name: str, key: Any) -> str:
    """Say which target is gone. Raises ValidationError where the record cannot be without it."""
    link = next(one for one in model._meta.concrete_fields if one.attname == name)
    text = f"{str(link.verbose_name).lower()} was {title_of_gone(link.related_model, key)}"
    if not link.null:
        raise ValidationError(f"its {text}, and it cannot be without one.")
    return text


def revert_change(change: uuid.UUID, model: type[Record]) -> Reverted:
    """Undo what one change wrote to records of a model, sparing every record that was changed since.

    Records that the change added are deleted, others get the version before it; in bulk and in one transaction. Raises
    ProtectedError where something else points to an added record meanwhile, and ValidationError or IntegrityError where
    an old value cannot be had any more, or a guard refuses that the viewer removes or changes a record. To remove what
    they added themselves, viewers need no right to delete, as long as it is theirs to change and no field is locked.
    """
    result = Reverted()
    with defer_recompute():
        added, restored = [], {}
        for key, chain in _chains(model, change).items():
            first = next(index for index, one in enumerate(chain) if one[1] == change)
            if chain[-1][1] != change:
                result.spared.append(_name(model, key))
            elif chain[first][2] == "+":
                added.append(key)
            elif first == 0:
                result.spared.append(_name(model, key))
            else:
                restored[key] = chain[first - 1][0]
        kept = _held_since(model, added, change)
        result.spared += [_name(model, key) for key in added if key in kept]
        added = [key for key in added if key not in kept]
        _check_removal_of_added(model, added, restored, change)
        _let_go(model, added, [*restored] if model.into_trash else [*added, *restored])
        _delete(model, added)
        for batch in chunks(list(restored.values())):
            _restore_many(model, batch)
    result.removed, result.restored = len(added), len(restored)
    return result


def _check_removal_of_added(
    model: type[Record], added: list[Any], restored: Collection[Any], change: uuid.UUID
) -> None:
    """Raise ValidationError where a guard refuses that the viewer removes what a change added, and what goes along.

    Records that get their former values back are asked about when they are written.
    """
    user = access.current_viewer()
    others = model.history.filter(history_change=change).exclude(history_user=getattr(user, "pk", None))
    is_own = user is not None and not others.exists()
    _check_removal({model: added}, UNDO_OF_OWN if is_own else UNDO)
    along = collect_deletion(model, added).cascades
    own_keys = {*added, *restored}
    _check_removal(along | {model: [key for key in along.get(model, ()) if key not in own_keys]}, UNDO)


def _held_since(model: type[Record], added: list[Any], change: uuid.UUID) -> set[Any]:
    """Return the added records whose deletion would take records along that were not written by this change.

    They are spared, and with them what they lead up to: a parent of theirs would take them along.
    """
    held: set[Any] = set()
    links = _cascading(model)
    new = {key for link in links for key in _targets_since(link, added, change)}
    own = [link for link in links if link.model is model]
    while new - held:
        held |= new
        new = set()
        for link in own:
            for batch in chunks(sorted(held)):
                new |= set(model._base_manager.filter(pk__in=batch).values_list(link.attname, flat=True))
        new &= set(added)
    return held


def _cascading(model: type[Record]) -> list[models.ForeignKey]:
    """Return the links to a model that take their records along when the target is deleted."""
    relations = [one for one in model._meta.related_objects if hasattr(one.related_model, "definition")]
    return [one.field for one in relations if getattr(one, "on_delete", None) is models.CASCADE]


def _targets_since(link: models.ForeignKey, added: list[Any], change: uuid.UUID) -> set[Any]:
    """Return those of the added records that other records link to which this change did not write."""
    targets: set[Any] = set()
    for batch in chunks(added):
        rows = not_deleted(link.model).filter(**{f"{link.name}__in": batch})
        pairs = dict(rows.values_list("pk", link.attname))
        same = link.model.history.filter(id__in=list(pairs), history_change=change).values_list("id", flat=True)
        targets |= {pairs[key] for key in set(pairs) - set(same)}
    return targets


def _let_go(model: type[Record], added: list[Any], written: list[Any]) -> None:
    """Empty the links to records that go, of records that go as well or get their former links back.

    Among records of the same change, a link that protects its target must not keep what is undone as one.
    """
    own = [one for one in model._meta.concrete_fields if one.related_model is model and one.null]
    for link in own if not model.into_trash else ():
        for batch in chunks(written):
            leading = model._base_manager.filter(pk__in=batch).exclude(**{link.name: None})
            gone = set(added) & set(leading.values_list(link.attname, flat=True))
            if gone:
                schedule_recompute(find_dependents(model, batch))
                for targets in chunks(sorted(gone)):
                    leading.filter(**{f"{link.name}__in": targets}).update(**{link.name: None})


def _delete(model: type[Record], keys: list[Any]) -> None:
    """Delete records, all at once where they go into the trash: they may protect one another."""
    if model.into_trash:
        actions.run("put_in_trash", model=model, keys=keys)
    for batch in chunks(keys) if not model.into_trash else ():
        model._default_manager.filter(pk__in=batch).delete()


def _lock_touched(model: type[Record], change: uuid.UUID) -> list[Any]:
    """Lock the records that a change wrote, so that none gets another version meanwhile, and return their keys."""
    keys = sorted(set(model.history.filter(history_change=change).order_by().values_list("id", flat=True)))
    for batch in chunks(keys):
        list(lock(model._base_manager.filter(pk__in=batch).order_by("pk")).values_list("pk"))
    return keys


def _chains(model: type[Record], change: uuid.UUID) -> dict[Any, list[tuple]]:
    """Return the versions of each record that the change wrote, the oldest first: (version, change, kind)."""
    chains: dict[Any, list[tuple]] = {}
    for batch in chunks(_lock_touched(model, change)):
        rows = model.history.filter(id__in=batch).order_by("history_id")
        for key, *step in rows.values_list("id", "history_id", "history_change", "history_type"):
            chains.setdefault(key, []).append(tuple(step))
    return chains


def _name(model: type[Record], key: Any) -> str:
    record = model._default_manager.filter(pk=key).first()
    return str(record) if record else f"{model._meta.verbose_name} {key} (deleted)"


def _restore_many(model: type[Record], history_ids: list[int]) -> None:
    """Write the values of versions over the records as they are; all of a chunk at once."""
    versions = list(model.history.filter(history_id__in=history_ids))
    present = as_stored(model, [one.id for one in versions], access.current_viewer())
    for version in (one for one in versions if one.id not in present):
        _restore(model, [version], [])
    versions = [one for one in versions if one.id in present]
    if not versions:
        return
    names, gone = _names_of(versions[0]), _gone(model, versions)
    links: dict[str, dict[int, Any]] = {}
    for many in versions[0]._history_m2m_fields:
        kept = links_of(versions, many)
        links[many.name] = {index: kept[version.history_id] for index, version in enumerate(versions)}
    models.prefetch_related_objects(list(present.values()), *links)
    writes = []
    for index, version in enumerate(versions):
        record = as_before(present[version.id])
        for name in names:
            old = getattr(version, name)
            is_gone = old in gone.get(name, ()) and bool(_without(model, name, old))
            setattr(record, name, None if is_gone else old)
        now = {name: {one.pk for one in getattr(present[version.id], name).all()} for name in links}
        targets = {name: keys[index] for name, keys in links.items() if set(keys[index]) != now[name]}
        writes.append(IntendedWrite(record, present[version.id], access.current_viewer(), UNDO, targets))
    raise_all(check_writes(writes))
    columns = [one.name for one in model._meta.concrete_fields if one.attname in names]
    write_records(model, updated=[write.record for write in writes], columns=columns, links=links)
