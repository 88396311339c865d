"""The base of every record, and how a record's values and title are read."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from crm.blueprint.nodes import Entity
from crm.fields import columns
from crm.kernel import actions
from crm.records import gate
from crm.records.access import as_viewer
from crm.records.changes import change_scope, ensure_change_scope
from crm.records.computed import set_generated_values
from crm.records.computed_updates import (
    defer_recompute,
    find_dependents,
    find_parent_dependents,
    merge_dirty,
    refresh_computed,
    schedule_recompute,
)
from crm.records.deletion import may_set_links_null
from crm.records.display import title_of
from crm.records.identity import with_keys
from crm.records.intended_write import CODE, Entering
from crm.records.locks import lock_for_deletion
from crm.records.queryset import RecordManager, set_links_null
from crm.records.soft_delete import IN_TRASH, is_deleted
from crm.records.uniqueness import taken_as_rule_error

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

    objects = RecordManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, with the values that are given at saving (numbers, slugs) and all computed ones in one transaction.

        Raises RuleBroken, with nothing written, where a guard refuses what was written.
        """
        with taken_as_rule_error([self]), transaction.atomic(), ensure_change_scope():
            fill_on_save([self])
            set_generated_values(self)
            added = self._state.adding
            before = find_parent_dependents(type(self), [] if added else [self.pk])
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = with_keys(type(self), kwargs["update_fields"])
            super().save(*args, **kwargs)
            schedule_recompute(merge_dirty(before, find_dependents(type(self), [self.pk], added=added)))
            gate.check_written(type(self), [self.pk])
            refresh_computed(self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if not self.into_trash or is_deleted(self):
            return self.delete_for_good(*args, **kwargs)
        deleted = actions.run("put_in_trash", model=type(self), keys=[self.pk])
        self.refresh_from_db(fields=["deleted_at", "deleted_in"])
        return deleted

    def delete_for_good(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with defer_recompute(), ensure_change_scope():
            lock_for_deletion(type(self)._base_manager.all(), [self.pk])
            if may_set_links_null(type(self)):
                set_links_null(type(self), [self.pk])
            return super().delete(*args, **kwargs)

    def full_clean(self, exclude: Any = None, validate_unique: bool = True, validate_constraints: bool = True) -> None:
        """Hold the record against every guard, for the viewer: Django's forms call this, and so does code.

        A form says before by `entering` how the record comes in. Raises ValidationError, by field.
        """
        entering = self.__dict__.pop("entering", None) or Entering()
        if entering.way_in is not None:
            skipped = frozenset(exclude or ())
            gate.check_record(self, entering.way_in, links=entering.links, skipped=skipped)

    def validate_unique(self, exclude: Any = None) -> None:
        """Nothing: `full_clean()` has asked the gate, which knows what is unique."""

    def validate_constraints(self, exclude: Any = None) -> None:
        """Nothing: as with `validate_unique()`."""

    def save_as(self, user: Any, reason: str = "", source: str = CODE) -> None:
        """Save what a user may save, and nothing else, as a form does: for jobs, the shell and extensions.

        Raises ValidationError, with nothing written, where a guard refuses it.
        """
        with transaction.atomic(), change_scope(user, reason, source), as_viewer(user):
            self.full_clean()
            self.save()

    def __str__(self) -> str:
        return f"{title_of(self)}{IN_TRASH if is_deleted(self) else ''}"


def fill_on_save(records: list[Record]) -> None:
    """Give records of one model the values that their types give at saving."""
    for leaf in records[0].definition.leaves if records else ():
        if leaf.type.sets_on_save:
            leaf.type.fill(records, leaf)
