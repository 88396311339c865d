"""QuerySet and manager of records: update() and delete() of many rows recompute values and ask rules and trash too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db import models, transaction
from django.db.models.signals import post_delete, pre_delete

from crm.kernel import actions
from crm.kernel.events import values_computed
from crm.records.changes import ensure_change_scope
from crm.records.chunks import chunks
from crm.records.computed_updates import (
    _has_row_limits,
    defer_recompute,
    find_dependents,
    find_parent_dependents,
    merge_dirty,
    schedule_recompute,
)
from crm.records.deletion import all_rows, collect_deletion, links_set_null, may_set_links_null
from crm.records.dependencies import dependency_graph
from crm.records.gate import check_written
from crm.records.identity import compared_groups, follows_expression, keys_for_update, refresh_keys
from crm.records.locks import lock_for_deletion
from crm.records.soft_delete import NOT_DELETED
from crm.records.uniqueness import taken_as_rule_error


class RecordQuerySet(models.QuerySet):
    """Rows of records: what is written or deleted past the records themselves keeps the computed values true too."""

    def update(self, **values: Any) -> int:
        """Update the rows. Raises ValueTaken, with nothing written, where a unique value is another record's."""
        values |= keys_for_update(self.model, values)
        later = follows_expression(self.model, values)
        if not later and values.keys().isdisjoint(name for group in compared_groups(self.model) for name in group):
            return self._update_and_check(values, later)
        with taken_as_rule_error(self._first_as_updated(values)), transaction.atomic():
            return self._update_and_check(values, later)

    def _first_as_updated(self, values: dict[str, Any]) -> Iterator[models.Model]:
        """Yield the first row as it would be; asked only where a unique value was refused."""
        for record in self.order_by("pk")[:1]:
            for name, value in values.items():
                if not hasattr(value, "resolve_expression"):
                    setattr(record, name, value)
            yield record

    def _update_and_check(self, values: dict[str, Any], later: bool) -> int:
        entity = self.model.definition
        is_checked = entity.rules.checks or _has_row_limits(entity)
        if not (later or is_checked or dependency_graph(entity.business).of_source(entity.name)):
            return super().update(**values)
        with transaction.atomic():
            keys = list(self.order_by().values_list("pk", flat=True))
            before = find_parent_dependents(self.model, keys)
            written = super().update(**values)
            if later:
                refresh_keys(self.model, keys)
            schedule_recompute(merge_dirty(before, find_dependents(self.model, keys)))
            check_written(self.model, keys)
        return written

    def delete(self) -> tuple[int, dict[str, int]]:
        if self.model.into_trash:
            return actions.run(
                "put_in_trash", model=self.model, keys=list(self.order_by().values_list("pk", flat=True))
            )
        return self.delete_for_good()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def delete_for_good(self) -> tuple[int, dict[str, int]]:
        with defer_recompute(), ensure_change_scope():
            lock_for_deletion(self.model._base_manager.all(), self.order_by().values_list("pk", flat=True))
            if may_set_links_null(self.model):
                set_links_null(self.model, list(self.order_by().values_list("pk", flat=True)))
            return super().delete()

    delete_for_good.alters_data = True  # type: ignore[attr-defined]
    delete_for_good.queryset_only = True  # type: ignore[attr-defined]


class RecordManager(models.Manager.from_queryset(RecordQuerySet)):
    """The manager of records: those in the trash are not among them."""

    def get_queryset(self) -> RecordQuerySet:
        rows = super().get_queryset()
        return rows.filter(NOT_DELETED) if self.model.keeps_deleted else rows


def set_links_null(model: type[models.Model], keys: Collection[Any]) -> None:
    """Empty the links to records that are about to go for good, as writes of those that have them.

    Left to Django's deletion, they would become empty past rules, computed values and history.
    """
    for (other, name), other_keys in links_set_null(collect_deletion(model, keys, all_rows).cascades).items():
        for batch in chunks(sorted(other_keys)):
            other._base_manager.filter(pk__in=batch).update(**{name: None})
        schedule_recompute(find_dependents(other, other_keys, {name}))
        values_computed.send(other, values={key: {name: None} for key in other_keys})
        check_written(other, other_keys)


def connect_deletion_signals(models_of_business: Iterable[type[models.Model]]) -> None:
    """Keep values true when records that they depend on are deleted, be it by a cascade."""
    for model in models_of_business:
        if dependency_graph(model.definition.business).of_source(model.definition.name):
            pre_delete.connect(_before_deletion, sender=model, dispatch_uid=f"keeping {model._meta.label}")
            post_delete.connect(_after_deletion, sender=model, dispatch_uid=f"keeping {model._meta.label}")


def _before_deletion(sender: type[models.Model], instance: models.Model, **_: Any) -> None:
    instance._depending = find_dependents(sender, [instance.pk])


def _after_deletion(sender: type[models.Model], instance: models.Model, **_: Any) -> None:
    schedule_recompute(instance.__dict__.pop("_depending", {}))
