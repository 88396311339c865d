"""The base of every record, and how a record's values and title are read."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from crm.blueprint.nodes import Entity
from crm.fields import columns
from crm.kernel import actions
from crm.records.access import check_access
from crm.records.changes import ensure_change_scope
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
from crm.records.queryset import RecordManager, set_links_null
from crm.records.row_limits import check_row_limit
from crm.records.rules import check_record, check_written, is_in_action
from crm.records.soft_delete import IN_TRASH, is_deleted, unique_unless_deleted

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
        """Save, with the values that are given at saving (numbers, slugs) and all computed ones in one transaction."""
        with transaction.atomic(), ensure_change_scope():
            fill_on_save([self])
            set_generated_values(self)
            added = self._state.adding
            before = find_parent_dependents(type(self), [] if added else [self.pk])
            super().save(*args, **kwargs)
            schedule_recompute(merge_dirty(before, find_dependents(type(self), [self.pk], added=added)))
            check_written(type(self), [self.pk])
            refresh_computed(self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if not self.into_trash or is_deleted(self):
            return self.delete_for_good(*args, **kwargs)
        found = actions.run("put_in_trash", model=type(self), keys=[self.pk])
        self.refresh_from_db(fields=["deleted_at", "deleted_in"])
        return found

    def delete_for_good(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with defer_recompute(), ensure_change_scope():
            if may_set_links_null(type(self)):
                set_links_null(type(self), [self.pk])
            return super().delete(*args, **kwargs)

    def _get_unique_checks(self, exclude: Any = None, include_meta_constraints: bool = False) -> tuple[list, list]:
        """Name what may occur once outside the trash too, for forms and rows to complain as of a unique column."""
        checks, dates = super()._get_unique_checks(exclude, include_meta_constraints)
        groups = [names for names in unique_unless_deleted(type(self)) if not set(names) & set(exclude or ())]
        return [*checks, *((type(self), names) for names in groups)], dates

    def clean(self) -> None:
        """Check what no single field can; a form that holds the rows checks their number itself."""
        super().clean()
        if not is_in_action(self):
            check_access(self)
        check_record(self)
        if not getattr(self, "_rows_in_form", False):
            check_row_limit(self)

    def __str__(self) -> str:
        return f"{title_of(self)}{IN_TRASH if is_deleted(self) else ''}"


def fill_on_save(records: list[Record]) -> None:
    """Give records of one model the values that their types give at saving."""
    for leaf in records[0].definition.leaves if records else ():
        if leaf.type.sets_on_save:
            leaf.type.fill(records, leaf)
