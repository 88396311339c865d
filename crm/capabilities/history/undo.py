"""Undo: give everything that one change wrote its values from before it, and remove what it added."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from crm.capabilities.history.revert import restore
from crm.capabilities.history.version_values import (
    column_names,
    describe_missing_links,
    describe_missing_target,
    former_links,
    missing_targets,
)
from crm.kernel import actions
from crm.records import access
from crm.records.chunks import chunks
from crm.records.computed_updates import defer_recompute, find_dependents, schedule_recompute
from crm.records.deletion import collect_deletion
from crm.records.gate import check_removals, check_writes, raise_all
from crm.records.intended_write import IntendedWrite, as_before
from crm.records.locks import select_for_write
from crm.records.record import Record
from crm.records.soft_delete import not_deleted
from crm.records.stored import as_stored
from crm.records.writes import write_records

UNDO = "undo"
"""The way in of this file, and its way out."""
UNDO_OF_OWN = "undo of one's own"
"""The way out of what the viewer has added."""


@dataclass
class Reverted:
    """What was undone: how many records got their old values back, and how many were removed; who was spared.

    `left_out` tells the values that could not come back, in words.
    """

    restored: int = 0
    removed: int = 0
    spared: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


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
            first = next(index for index, step in enumerate(chain) if step[1] == change)
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
            _restore_many(model, batch, result.left_out)
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
    raise_all(check_removals({model: added}, user, UNDO_OF_OWN if is_own else UNDO))
    along = collect_deletion(model, added).cascades
    own_keys = {*added, *restored}
    along = along | {model: [key for key in along.get(model, ()) if key not in own_keys]}
    raise_all(check_removals(along, user, UNDO))


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
    relations = [relation for relation in model._meta.related_objects if hasattr(relation.related_model, "definition")]
    return [relation.field for relation in relations if getattr(relation, "on_delete", None) is models.CASCADE]


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
    own = [column for column in model._meta.concrete_fields if column.related_model is model and column.null]
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
        list(select_for_write(model._base_manager.filter(pk__in=batch).order_by("pk")).values_list("pk"))
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
    words = {"kind": model._meta.verbose_name, "key": key}
    return str(record) if record else _("%(kind)s %(key)s (deleted)") % words


def _restore_many(model: type[Record], history_ids: list[int], left_out: list[str]) -> None:
    """Write the values of versions over the records as they are; all of a chunk at once."""
    versions = list(model.history.filter(history_id__in=history_ids))
    present = as_stored(model, [version.id for version in versions], access.current_viewer())
    for version in (version for version in versions if version.id not in present):
        restore(model, [version], left_out)
    versions = [version for version in versions if version.id in present]
    if not versions:
        return
    names, gone = column_names(versions[0]), missing_targets(model, versions)
    links: dict[str, dict[int, Any]] = {}
    for many in versions[0]._history_m2m_fields:
        former = former_links(versions, many)
        links[many.name] = {index: keys for index, (keys, _gone) in enumerate(former)}
        lost = [(present[version.id], gone) for version, (_keys, gone) in zip(versions, former, strict=True) if gone]
        left_out += [f"{record}: {describe_missing_links(many, gone)}" for record, gone in lost]
    models.prefetch_related_objects(list(present.values()), *links)
    writes = []
    for index, version in enumerate(versions):
        record = as_before(present[version.id])
        for name in names:
            old = getattr(version, name)
            if old in gone.get(name, ()):
                left_out.append(f"{record}: {describe_missing_target(model, name, old)}")
                old = None
            setattr(record, name, old)
        now = {name: {target.pk for target in getattr(present[version.id], name).all()} for name in links}
        targets = {name: keys[index] for name, keys in links.items() if set(keys[index]) != now[name]}
        writes.append(IntendedWrite(record, present[version.id], access.current_viewer(), UNDO, targets))
    raise_all(check_writes(writes))
    columns = [column.name for column in model._meta.concrete_fields if column.attname in names]
    write_records(model, updated=[write.record for write in writes], columns=columns, links=links)
