"""What a deletion takes along, what refuses it, and whose links it empties."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import models

from crm.records.chunks import chunks
from crm.records.locks import has_row_locks, lock_for_deletion
from crm.records.soft_delete import not_deleted

Model = type[models.Model]
Rows = Callable[[Model], models.QuerySet]


@dataclass
class Deletion:
    """The records that go, parents first, and those that still point to them by links that protect."""

    cascades: dict[Model, list[Any]] = field(default_factory=dict)
    protected: dict[Model, list[Any]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.cascades.values()))


def all_rows(model: Model) -> models.QuerySet:
    return model._base_manager.all()


def collect_deletion(model: Model, keys: Collection[Any], rows: Rows | None = None, locks: bool = False) -> Deletion:
    """Work out what goes with records, out of `rows`: those that would go into the trash, or all there are.

    With `locks`, in the transaction that deletes: what goes is locked before it is asked what links to it, and what is
    none of the rows any more by then is left out.
    """
    rows = rows or (not_deleted if model.into_trash else all_rows)
    deletion = Deletion()
    if locks and has_row_locks():
        _lock_children_first(model, keys, rows)
    keys = lock_for_deletion(rows(model), keys) if locks else keys
    ahead: list[tuple[Model, list[Any]]] = [(model, list(keys))]
    while ahead:
        target, target_keys = ahead.pop(0)
        known = set(deletion.cascades.setdefault(target, []))
        new = [key for key in dict.fromkeys(target_keys) if key not in known]
        deletion.cascades[target] += new
        for relation in _relations_to(target, models.CASCADE, models.PROTECT) if new else ():
            cascades = relation.on_delete is models.CASCADE
            pointing = _keys_pointing_to(rows, relation, new, locks and cascades)
            if cascades:
                ahead.append((relation.related_model, pointing))
            elif pointing:
                held = deletion.protected.setdefault(relation.related_model, [])
                held += [key for key in pointing if key not in held]
    deletion.cascades = {target: target_keys for target, target_keys in deletion.cascades.items() if target_keys}
    if rows is not_deleted:
        deletion.protected = _left_behind(deletion)
    return deletion


def _left_behind(deletion: Deletion) -> dict[Model, list[Any]]:
    """Return those of the records that protect what they point to that do not go along.

    For the trash alone: what is deleted for good goes in an order, and Django refuses what is still pointed to then.
    """
    left: dict[Model, list[Any]] = {}
    for model, keys in deletion.protected.items():
        going = set(deletion.cascades.get(model, ()))
        left[model] = [key for key in keys if key not in going]
    return {model: keys for model, keys in left.items() if keys}


def _lock_children_first(model: Model, keys: Collection[Any], rows: Rows) -> None:
    """Lock what would go, in the order in which others do: a record is written before those that it is added up in.

    Locked from the parents on, two of three deletions ended in a deadlock with a save of one of their rows.
    """
    for target, target_keys in reversed(collect_deletion(model, keys, rows).cascades.items()):
        lock_for_deletion(rows(target), target_keys)


def links_set_null(going: Mapping[Model, Collection[Any]]) -> dict[tuple[Model, str], list[Any]]:
    """Return the links that stay behind with nothing when records go for good: (model, link) → whose they are."""
    links: dict[tuple[Model, str], list[Any]] = {}
    for model, keys in going.items():
        for relation in _relations_to(model, models.SET_NULL):
            gone = set(going.get(relation.related_model, ()))
            left = [key for key in _keys_pointing_to(all_rows, relation, list(keys)) if key not in gone]
            if left:
                links.setdefault((relation.related_model, relation.field.name), []).extend(left)
    return links


@lru_cache(maxsize=1024)
def may_set_links_null(model: Model) -> bool:
    """Say whether a deletion of a model's records may leave links behind with nothing."""
    seen, ahead = {model}, [model]
    while ahead:
        target = ahead.pop()
        if _relations_to(target, models.SET_NULL):
            return True
        new = {relation.related_model for relation in _relations_to(target, models.CASCADE)} - seen
        seen |= new
        ahead += new
    return False


def _relations_to(model: Model, *actions: Any) -> list[Any]:
    everyone = [one for one in model._meta.related_objects if hasattr(one.related_model, "definition")]
    return [one for one in everyone if getattr(one, "on_delete", None) in actions]


def _keys_pointing_to(rows: Rows, relation: Any, keys: list[Any], locks: bool = False) -> list[Any]:
    pointing = []
    for batch in chunks(keys):
        linking = rows(relation.related_model).filter(**{f"{relation.field.name}__in": batch}).order_by("pk")
        linking = linking.select_for_update() if locks else linking
        pointing += linking.values_list("pk", flat=True)
    return pointing
