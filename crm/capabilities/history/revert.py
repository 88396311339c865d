"""Revert: a record to one of its versions, or everything that one change wrote to what it was before (undo)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from crm.capabilities.history.versions import links_of, title_of_gone
from crm.kernel import actions
from crm.records import access
from crm.records.computed_updates import defer_recompute, find_dependents, schedule_recompute
from crm.records.display import display
from crm.records.record import Record
from crm.records.row_limits import check_row_limits
from crm.records.soft_delete import DELETED_AT, not_deleted
from crm.records.writes import write_records


@dataclass
class Reverted:
    """What was undone: how many records got their old values back, and how many were removed; who was spared."""

    restored: int = 0
    removed: int = 0
    spared: list[str] = field(default_factory=list)


def revert_record(record: Record, version: Any) -> list[str]:
    """Give a record, its links and its rows the values of a version; return what could not come back, in words.

    Runs in one transaction. Raises ProtectedError where a row that would go is still needed, and ValidationError where
    a value belongs to another record meanwhile, or a record that it must link to is gone.
    """
    left_out: list[str] = []
    with defer_recompute():
        restored = _restore(type(record), version, left_out)
        for table in (one for one in record.definition.fields.values() if one.type.rows):
            child = apps.get_model(record._meta.app_label, table.target.class_name)
            _revert_rows(child, f"{record.definition.name}_id", record.pk, version, left_out)
        check_row_limits(type(record), [restored])
    record.refresh_from_db()
    return left_out


def _revert_rows(model: type[Record], link: str, parent: Any, version: Any, left_out: list[str]) -> None:
    """Bring the rows back to the moment of the version, counting the whole of its change in."""
    then: dict[Any, Any] = {}
    ever = model.history.filter(**{link: parent}).values("id")
    for one in model.history.filter(id__in=ever).order_by("history_id"):
        same = one.history_change and one.history_change == version.history_change
        if same or one.history_date <= version.history_date:
            then[one.id] = one
    there = {key: one for key, one in then.items() if one.history_type != "-" and not getattr(one, DELETED_AT, None)}
    for row in model._default_manager.filter(**{link: parent}):
        if row.pk not in there:
            _ask("delete", model, row)
            row.delete()
        elif getattr(there[row.pk], link) != parent:
            _restore(model, there[row.pk], left_out)
    wanted = [one for one in there.values() if getattr(one, link) == parent]
    check_row_limits(model, [_restore(model, one, left_out) for one in wanted])


def _restore(model: type[Record], version: Any, left_out: list[str]) -> Record:
    """Write a version's values, if they differ from the present ones; a deleted record comes back with its key."""
    present = model._base_manager.filter(pk=version.id).first()
    record = present or version.instance
    if present is None:
        _ask("add", model, record)
    names, changed = _names_of(version), present is None
    gone = _gone(model, [version])
    if present is not None:
        left_out += _guarded(present, version)
    for name in names:
        old = getattr(version, name)
        if old in gone.get(name, ()):
            left_out.append(_without(model, name, old))
            old = None
        if not _same(getattr(record, name), old):
            setattr(record, name, old)
            changed = True
    if changed:
        record.validate_unique()
        record.validate_constraints()
        record.save(force_insert=present is None)
    for many in version._history_m2m_fields:
        keys = set(links_of([version], many)[version.history_id])
        manager = getattr(record, many.name)
        if set(manager.values_list("pk", flat=True)) != keys:
            manager.set(manager.model._default_manager.filter(pk__in=keys))
    return record


def _ask(verb: str, model: type[Record], record: Record) -> None:
    """Raise ValidationError where going back would do to a row what the viewer may not do to it."""
    user = access.current_viewer()
    if user is not None and not access.has_perm(user, verb, model, record if verb != "add" else None):
        raise ValidationError(f"it would {verb} {record}, and you may not {verb} {model.definition.plural.lower()}.")


def _names_of(version: Any) -> list[str]:
    definition = version.instance_type.definition
    given = {"id", "updated", *definition.storage, *definition.guarded}
    return [one.attname for one in version.tracked_fields if one.attname not in given]


def _guarded(record: Record, version: Any) -> Iterator[str]:
    """Say which fields stay as they are, because only an action of their own changes them."""
    tracked = {one.name for one in version.tracked_fields}
    for leaf in (one for one in record.definition.leaves if one.name in record.definition.guarded & tracked):
        if not _same(getattr(record, leaf.name), getattr(version, leaf.name)):
            yield f"{leaf.label.lower()} stays {display(record, leaf)}"


def _same(one: Any, other: Any) -> bool:
    """Say whether two values are stored alike; an upload and its name are, nothing and nought are not."""
    return one == other or (one is not None and other is not None and str(one) == str(other))


def _gone(model: type[Record], versions: Iterable[Any]) -> dict[str, set[Any]]:
    """Return the keys that versions link to and that are no record's any more, by the link's column."""
    versions, found = list(versions), {}
    tracked = set(_names_of(versions[0])) if versions else set()
    for link in (one for one in model._meta.concrete_fields if one.related_model and one.attname in tracked):
        keys = {getattr(one, link.attname) for one in versions} - {None}
        found[link.attname] = keys - set(
            not_deleted(link.related_model).filter(pk__in=keys).values_list("pk", flat=True)
        )
    return found


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
    an old value cannot be had any more.
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
        _let_go(model, added, [*restored] if model.into_trash else [*added, *restored])
        _delete(model, added)
        for some in _chunks(list(restored.values())):
            _restore_many(model, some)
    result.removed, result.restored = len(added), len(restored)
    return result


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
            for some in _chunks(sorted(held)):
                new |= set(model._base_manager.filter(pk__in=some).values_list(link.attname, flat=True))
        new &= set(added)
    return held


def _cascading(model: type[Record]) -> list[models.ForeignKey]:
    """Return the links to a model that take their records along when the target is deleted."""
    relations = [one for one in model._meta.related_objects if hasattr(one.related_model, "definition")]
    return [one.field for one in relations if getattr(one, "on_delete", None) is models.CASCADE]


def _targets_since(link: models.ForeignKey, added: list[Any], change: uuid.UUID) -> set[Any]:
    """Return those of the added records that other records link to which this change did not write."""
    found: set[Any] = set()
    for some in _chunks(added):
        rows = not_deleted(link.model).filter(**{f"{link.name}__in": some})
        pairs = dict(rows.values_list("pk", link.attname))
        same = link.model.history.filter(id__in=list(pairs), history_change=change).values_list("id", flat=True)
        found |= {pairs[key] for key in set(pairs) - set(same)}
    return found


def _let_go(model: type[Record], added: list[Any], written: list[Any]) -> None:
    """Empty the links to records that go, of records that go as well or get their former links back.

    Among records of the same change, a link that protects its target must not keep what is undone as one.
    """
    own = [one for one in model._meta.concrete_fields if one.related_model is model and one.null]
    for link in own if not model.into_trash else ():
        for some in _chunks(written):
            leading = model._base_manager.filter(pk__in=some).exclude(**{link.name: None})
            gone = set(added) & set(leading.values_list(link.attname, flat=True))
            if gone:
                schedule_recompute(find_dependents(model, some))
                for targets in _chunks(sorted(gone)):
                    leading.filter(**{f"{link.name}__in": targets}).update(**{link.name: None})


def _delete(model: type[Record], keys: list[Any]) -> None:
    """Delete records, all at once where they go into the trash: they may protect one another."""
    if model.into_trash:
        actions.run("put_in_trash", model=model, keys=keys)
    for some in _chunks(keys) if not model.into_trash else ():
        model._default_manager.filter(pk__in=some).delete()


def _chains(model: type[Record], change: uuid.UUID) -> dict[Any, list[tuple]]:
    """Return the versions of each record that the change wrote, the oldest first: (version, change, kind)."""
    touched = model.history.filter(history_change=change).order_by().values_list("id", flat=True)
    chains: dict[Any, list[tuple]] = {}
    for some in _chunks(sorted(set(touched))):
        rows = model.history.filter(id__in=some).order_by("history_id")
        for key, *step in rows.values_list("id", "history_id", "history_change", "history_type"):
            chains.setdefault(key, []).append(tuple(step))
    return chains


def _chunks(keys: list[Any]) -> list[list[Any]]:
    return [keys[start : start + 500] for start in range(0, len(keys), 500)]


def _name(model: type[Record], key: Any) -> str:
    found = model._default_manager.filter(pk=key).first()
    return str(found) if found else f"{model._meta.verbose_name} {key} (deleted)"


def _restore_many(model: type[Record], versions: list[int]) -> None:
    """Write the values of versions over the records as they are; all of a chunk at once."""
    found = list(model.history.filter(history_id__in=versions))
    present = {one.pk: one for one in model._base_manager.filter(pk__in=[one.id for one in found])}
    for version in (one for one in found if one.id not in present):
        _restore(model, version, [])
    found = [one for one in found if one.id in present]
    if not found:
        return
    names, gone = _names_of(found[0]), _gone(model, found)
    links = {}
    for many in found[0]._history_m2m_fields:
        kept = links_of(found, many)
        links[many.name] = {index: kept[version.history_id] for index, version in enumerate(found)}
    records = []
    for version in found:
        record = present[version.id]
        for name in names:
            old = getattr(version, name)
            is_gone = old in gone.get(name, ()) and bool(_without(model, name, old))
            setattr(record, name, None if is_gone else old)
        records.append(record)
    columns = [one.name for one in model._meta.concrete_fields if one.attname in names]
    write_records(model, updated=records, columns=columns, links=links)
