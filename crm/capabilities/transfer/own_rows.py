"""Trees in one file: links that lead to records which other rows of the same file make, earlier or later ones."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects

from crm.capabilities.transfer.cells import find_targets
from crm.capabilities.transfer.columns import Column
from crm.capabilities.transfer.comparing import compare_own_links
from crm.capabilities.transfer.file_reader import ABSENT
from crm.capabilities.transfer.keys import (
    AMBIGUOUS,
    PLAIN,
    KeyResolver,
    is_own_link,
    key_fields,
    key_joins,
    key_of,
    plain_key,
)
from crm.capabilities.transfer.preparation import NEW, ImportPlan, NewRow, RowResult
from crm.fields.comparison import fold_text
from crm.records import access
from crm.records.display import is_empty, render_template
from crm.records.identity import compared_value
from crm.records.uniqueness import hashable


def own_links(plan: ImportPlan) -> list[Column]:
    """Return the columns of links that lead to records of the same entity."""
    return [one for one in plan.columns if one.field is not None and is_own_link(plan.entity, one.field)]


def link_own_rows(plan: ImportPlan) -> None:
    """Find what links within the entity lead to: rows of the file, by their keys as they will be; records; titles."""
    columns = own_links(plan)
    rows = _RowBook(plan) if columns else None
    for column in columns:
        named = plan.values[column.field.name]
        words = list(dict.fromkeys(word for words in named if words is not ABSENT for word in words))
        book = KeyResolver(column.field)
        targets = rows.look_up(words, book)
        compare_own_links(plan, column, find_targets(plan, column, named, targets, book))


class _RowBook:
    """Finds the rows of a file that words mean: by their natural keys, and by their titles where no record has the key.

    A key means the record that has it after the import, so the file's rows come before the database's records.
    """

    def __init__(self, plan: ImportPlan):
        self.plan = plan
        self.fields = key_fields(plan.entity)
        self.leaf = plain_key(plan.entity)
        """The field whose values are the keys; None where a key has several parts, or leads elsewhere."""
        self.keys: dict[Any, RowResult] = {}
        if self.fields:
            self._read_keys()

    def _read_keys(self) -> None:
        rows = [row for row in self.plan.rows if row.record is not None]
        prefetch_related_objects([row.record for row in rows], *key_joins(self.plan.entity))
        for row in rows:
            key = self._key(row)
            if key is not None:
                self.keys.setdefault(key, row)
        for cell, row in self.plan.unreadable_keys:
            self.keys.setdefault(hashable((cell,)), row)

    def _key(self, row: RowResult) -> Any:
        values = [getattr(row.record, field.name) for field in self.fields]
        if any(is_empty(value) for value in values) or not all(
            access.viewer_can_view_field(field) for field in self.fields
        ):
            return None
        if self.leaf is None:
            return fold_text(key_of(row.record))
        return hashable((compared_value(self.plan.model, self.leaf, values[0]),))

    def look_up(self, words: list[str], book: KeyResolver) -> dict[str, Any]:
        """Return what each known word means: a primary key, a new row of the file, or AMBIGUOUS."""
        targets = {word: _target(row) for word in words if (row := self._by_key(word)) is not None}
        targets |= book.look_up(word for word in words if word not in targets)
        rest = [word for word in words if word not in targets] if self.fields else words
        titles = _titles(self.plan) if rest else {}
        for word in rest:
            row = titles.get(" ".join(word.split()))
            if row is not None:
                target = AMBIGUOUS if row is AMBIGUOUS else _target(row)
                targets[word] = target if targets.get(word, target) == target else AMBIGUOUS
        return targets

    def _by_key(self, word: str) -> RowResult | None:
        if self.leaf is None:
            return self.keys.get(fold_text(word))
        try:
            value = self.leaf.type.parse(word, self.leaf, PLAIN)
            key = hashable((compared_value(self.plan.model, self.leaf, value),))
        except ValueError:
            key = hashable((word,))
        return self.keys.get(key)


def _target(row: RowResult) -> Any:
    """Return what a link to a row's record holds; the row itself where there is no such record yet, or none to see."""
    return NewRow(row.number, row) if row.status == NEW or access.is_hidden(row.record) else row.record.pk


def _titles(plan: ImportPlan) -> dict[str, Any]:
    """Return the rows by the titles of their records, where these are made of the records' own values alone."""
    template, titles = plan.entity.title, dict[str, Any]()
    for slot in template.slots:
        leaf = plan.entity.find(".".join(slot.path))
        if leaf is None or leaf.parts or leaf.type.reference(leaf) is not None:
            return {}
    for row in (one for one in plan.rows if one.record is not None):
        title = render_template(template, row.record)
        if title:
            titles[title] = row if titles.get(title, row) is row else AMBIGUOUS
    return titles
