"""The guards of what a record leads to: other records and uploads that the user may see."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Field
from crm.records import access
from crm.records.chunks import chunks
from crm.records.intended_write import Batch, IntendedWrite, Refusal, own_leaves
from crm.records.locks import keep_from_deletion


def refuse_hidden_targets(batch: Batch) -> Iterator[Refusal]:
    """Refuse new links to records that are not there, or not for the user to see; a link that stays is kept.

    What brings former values back may link to the trash, as the records that kept their links do; but for links that
    take their record along into the trash, or keep the target out of it. Until the transaction ends, nobody can delete
    what they lead to.
    """
    new = {leaf: list(_new_targets(batch, leaf)) for leaf in batch.entity.leaves if leaf.stored}
    new = {leaf: pairs for leaf, pairs in new.items() if pairs}
    _keep_targets(batch, new)
    for leaf, pairs in new.items():
        target, is_tied_here = _target_of(batch, leaf), is_tied(batch.model, leaf.name)
        chosen = [(write, key) for write, key in pairs if leaf.name not in write.unlocked]
        from_trash = batch.way_in.is_restoring and not is_tied_here
        shown = _shown(batch.user, target, {key for _write, key in chosen}, from_trash) if chosen else set()
        by_action = [(write, key) for write, key in pairs if leaf.name in write.unlocked and is_tied_here]
        there = _shown(None, target, {key for _write, key in by_action}) if by_action else set()
        refused = [pair for pair in chosen if pair[1] not in shown]
        for write, _key in [*refused, *(pair for pair in by_action if pair[1] not in there)]:
            text = _("There is no such %(target)s.") % {"target": target._meta.verbose_name}
            yield Refusal(write, text, leaf.name)


def _new_targets(batch: Batch, leaf: Field) -> Iterator[tuple[IntendedWrite, Any]]:
    """Yield the writes that let a link lead to something else, each with the key of that."""
    if leaf.type.reference(leaf) is not None:
        for write in (write for write in batch.writes if leaf.name in write.changes):
            yield from ((write, key) for key in _new(write, leaf))


def _keep_targets(batch: Batch, new: Mapping[Field, Collection[tuple[IntendedWrite, Any]]]) -> None:
    """Keep the targets of new links from deletion: a query for each model and each 500 of its records."""
    keys: dict[Any, set[Any]] = {}
    for leaf, pairs in new.items():
        keys.setdefault(_target_of(batch, leaf), set()).update(key for _write, key in pairs)
    for target in (target for target in keys if hasattr(target, "definition")):
        for pk_batch in chunks(sorted(keys[target])):
            keep_from_deletion(target._base_manager.filter(pk__in=pk_batch))


def _target_of(batch: Batch, leaf: Field) -> Any:
    return batch.model._meta.get_field(leaf.name).related_model


def is_tied(model: type[models.Model], link: str) -> bool:
    """Say whether no record may be left behind with this link when its target is deleted."""
    relation = model._meta.get_field(link).remote_field
    return getattr(relation, "on_delete", None) in (models.CASCADE, models.PROTECT)


def _new(write: IntendedWrite, leaf: Field) -> Collection[Any]:
    """Return the keys that a link did not lead to before."""
    if leaf.type.many:
        before = set() if write.before is None else {one.pk for one in getattr(write.before, leaf.name).all()}
        return set(write.links.get(leaf.name, ())) - before
    column = write.record._meta.get_field(leaf.name)
    key = getattr(write.record, column.attname)
    return () if key is None else (key,)


def _shown(user: Any, target: Any, keys: Collection[Any], from_trash: bool = False) -> set[Any]:
    """Return which of the targets are there for a user; records that no definition knows (people, tags) are for all."""
    is_record = hasattr(target, "definition")
    rows = target._base_manager.all() if is_record and from_trash else target._default_manager.all()
    rows = access.visible_rows(user, target, among=rows) if is_record and user is not None else rows
    visible = set()
    for batch in chunks(sorted(keys)):
        visible.update(rows.filter(pk__in=batch).values_list("pk", flat=True))
    return visible


def refuse_hidden_uploads(batch: Batch) -> Iterator[Refusal]:
    """Refuse an upload by the name that it is stored under, unless the user sees a record that holds it."""
    if batch.user is None or batch.way_in.is_restoring:
        return
    for leaf in (one for one in own_leaves(batch.entity) if one.type.uploads):
        named = [(write, str(getattr(write.record, leaf.name))) for write in batch.writes if _is_named(write, leaf)]
        names = {name for _write, name in named}
        sees = access.can_view_field(batch.user, leaf)
        rows = access.visible_rows(batch.user, batch.model).filter(**{f"{leaf.name}__in": names})
        shown = set(rows.values_list(leaf.name, flat=True)) if named and sees else set()
        for write, name in named:
            if name not in shown:
                text = _("%(name)r is not a file that was uploaded to this field.")
                yield Refusal(write, text % {"name": name[:80]}, leaf.name)


def _is_named(write: IntendedWrite, leaf: Field) -> bool:
    """Say whether a new value is the name of an upload that is stored already, and not one that comes along now."""
    value = getattr(write.record, leaf.name)
    return leaf.name in write.changes and bool(value) and getattr(value, "_committed", True)
