"""The base of every record, and how a record's values and title are read."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from crm.blueprint.nodes import Entity
from crm.fields import columns
from crm.fields.comparison import is_key_name, source_name
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
from crm.records.identity import compared_groups, set_keys, with_keys
from crm.records.queryset import RecordManager, set_links_null
from crm.records.row_limits import check_row_limit
from crm.records.rules import check_record, check_written, is_in_action
from crm.records.soft_delete import IN_TRASH, is_deleted

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
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = with_keys(type(self), kwargs["update_fields"])
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
        plain = [(model, names) for model, names in checks if not any(map(is_key_name, names))]
        known, left_out = {tuple(names) for _, names in plain}, set(exclude or ())
        groups = [names for names in compared_groups(type(self)) if names not in known]
        asked = [names for names in groups if not set(map(source_name, names)) & left_out]
        return [*plain, *((type(self), names) for names in asked)], dates

    def _perform_unique_checks(self, unique_checks: list) -> dict[str, list]:
        """Compare by the comparison forms, and complain of the fields that people know."""
        set_keys(self)
        return {source_name(name): errors for name, errors in super()._perform_unique_checks(unique_checks).items()}

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
