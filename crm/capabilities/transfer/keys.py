"""Natural keys: how a file names a record, and which record such a name means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Entity, Field
from crm.fields.cell_values import text_of
from crm.fields.comparison import bounded_key, fold_text
from crm.fields.faces.exchange import Reference
from crm.fields.reading import Reading
from crm.records import access
from crm.records.chunks import chunks
from crm.records.display import is_empty
from crm.records.identity import compared_column, compared_value
from crm.records.soft_delete import NOT_DELETED

AMBIGUOUS = object()
PLAIN = Reading()
WORD = re.compile(r"(?:\\[\\;]|[^;])+")


def key_fields(entity: Entity) -> list[Field]:
    """Return the fields of an entity's natural key; empty where only `id` names a record."""
    return [entity.find(name) for name in entity.sections["transfer"].match_on]


def plain_key(entity: Entity) -> Field | None:
    """Return the field whose values are the natural keys; None where a key has several parts, or leads elsewhere."""
    fields = key_fields(entity)
    return fields[0] if len(fields) == 1 and fields[0].type.reference(fields[0]) is None else None


def named_by(entity: Entity) -> str:
    """Return by what files name the records of an entity, in words."""
    labels = [field.label.lower() for field in key_fields(entity)]
    if not labels:
        return _("named by id")
    return _("named by %(key)s") % {"key": "|".join(labels)}


def is_own_link(entity: Entity, field: Field) -> bool:
    """Say whether a field's values are records of the very entity: a parent, a referrer, a category within another."""
    reference = field.type.reference(field)
    return reference is not None and reference.entity == entity.name


def leads_back(entity: Entity, link: Field) -> bool:
    """Say whether a record could only be named by itself: a link's target by its own links, and these by theirs."""
    seen: set[str] = set()
    ahead = [link.target]
    while ahead:
        target = ahead.pop()
        if target is entity:
            return True
        if target is not None and target.name not in seen:
            seen.add(target.name)
            ahead += [one.target for one in key_fields(target) if one is not None]
    return False


def key_joins(entity: Entity, prefix: str = "") -> list[str]:
    """Return what to `select_related` so that keys can be written without a query each."""
    joins = []
    for field in key_fields(entity):
        if field.type.reference(field) is not None:
            joins.append(f"{prefix}{field.name}")
            if field.target is not None:
                joins += key_joins(field.target, f"{prefix}{field.name}__")
    return joins


def has_key(record: models.Model) -> bool:
    """Say whether a record has its whole natural key, so that files can name it by that."""
    fields = key_fields(record.definition)
    return bool(fields) and all(_parts(record, fields))


def key_of(record: models.Model) -> str:
    """Return how a file names a record: its key's values, joined by `|`; without a whole key, its `#id`."""
    fields = key_fields(record.definition)
    if not fields:
        return str(record.pk)
    parts = list(_parts(record, fields))
    if not all(parts):
        return f"#{record.pk}"
    return parts[0] if len(parts) == 1 else "|".join(_escaped(part, "|") for part in parts)


def _parts(record: models.Model, fields: list[Field]) -> Iterable[str]:
    for field in fields:
        value = getattr(record, field.name)
        if is_empty(value) or not access.viewer_can_view_field(field):
            yield ""
        elif field.type.reference(field) is not None:
            yield name_of(value, field.type.reference(field))
        else:
            yield str(field.type.serialize(value, field))


def name_of(record: models.Model, reference: Reference) -> str:
    """Return how a file names the target of a reference."""
    return key_of(record) if reference.entity else str(getattr(record, reference.key))


class KeyResolver:
    """Finds the records that the cells of one link column mean, all at once."""

    def __init__(self, field: Field):
        self.field = field
        self.reference = field.type.reference(field)
        self.model = apps.get_model(self.reference.model)
        self.target = field.target

    def look_up(self, words: Iterable[str]) -> dict[str, Any]:
        """Return the primary key of each word that is known; AMBIGUOUS where it means several records.

        Where no record is called so, it is one in the trash: an export names it where a record links to it still. The
        gate lets such a link stay, and refuses a new one.
        """
        words = list(dict.fromkeys(words))
        targets = self._look_up(words, access.viewer_rows(self.model))
        missing = [word for word in words if word not in targets]
        if missing and getattr(self.model, "keeps_deleted", False):
            deleted_rows = access.viewer_rows(self.model, self.model._base_manager.exclude(NOT_DELETED))
            deleted = self._look_up(missing, deleted_rows)
            targets |= {word: key for word, key in deleted.items() if key is not AMBIGUOUS}
        return targets

    def _look_up(self, words: list[str], rows: models.QuerySet) -> dict[str, Any]:
        if not self.reference.entity:
            return self._by_column(words, rows)
        if not key_fields(self.target):
            return self._by_id(words, rows)
        field = plain_key(self.target)
        if field is not None:
            return {**self._without_key(words, rows), **self._by_field(words, field, rows)}
        return self._by_key(words, rows)

    def _without_key(self, words: list[str], rows: models.QuerySet) -> dict[str, Any]:
        """Find the records that were named by their `#id`, for want of a key."""
        by_id = self._by_id([word[1:] for word in words if word.startswith("#")], rows)
        return {f"#{number}": key for number, key in by_id.items()}

    def _by_column(self, words: list[str], rows: models.QuerySet) -> dict[str, Any]:
        """Find targets by one column: as it is written, else by the comparison form."""
        key, rows = self.reference.key, rows.filter(**self.reference.scope)
        targets: dict[str, Any] = {}
        for batch in chunks(words):
            targets.update(rows.filter(**{f"{key}__in": batch}).values_list(key, "pk"))
        missing: dict[str, list[str]] = {}
        for word in words:
            if word not in targets:
                missing.setdefault(bounded_key(fold_text(word)), []).append(word)
        for form, pk in self._folded(rows, list(missing)) if missing else ():
            for word in missing[form]:
                targets[word] = AMBIGUOUS if word in targets else pk
        return targets

    def _folded(self, rows: models.QuerySet, forms: list[str]) -> Iterable[tuple[str, Any]]:
        """Yield the comparison forms that are there, with the record of each."""
        column = self.reference.folded
        if column:
            for batch in chunks(forms):
                yield from rows.filter(**{f"{column}__in": batch}).values_list(column, "pk")
            return
        wanted = set(forms)
        for value, pk in rows.values_list(self.reference.key, "pk"):
            if bounded_key(fold_text(str(value))) in wanted:
                yield bounded_key(fold_text(str(value))), pk

    def _by_id(self, words: list[str], rows: models.QuerySet) -> dict[str, Any]:
        numbers = [word for word in words if re.fullmatch(r"\d{1,18}", word)]
        targets = {}
        for batch in chunks(numbers):
            keys = rows.filter(pk__in=batch).values_list("pk", flat=True)
            targets.update({str(key): key for key in keys})
        return targets

    def _by_field(self, words: list[str], field: Field, rows: models.QuerySet) -> dict[str, Any]:
        values: dict[Any, list[str]] = {}
        for word in words:
            try:
                value = field.type.parse(word, field, PLAIN)
            except ValueError:
                continue
            values.setdefault(compared_value(self.model, field, value), []).append(word)
        targets: dict[str, Any] = {}
        column = compared_column(self.model, field.name)
        for batch in chunks([key for key in values if key is not None]):
            for value, key in rows.filter(**{f"{column}__in": batch}).values_list(column, "pk"):
                for word in values.get(value, ()):
                    targets[word] = AMBIGUOUS if word in targets else key
        return targets

    def _by_key(self, words: list[str], rows: models.QuerySet) -> dict[str, Any]:
        """Find targets by keys of several parts; compared by the comparison form of the whole."""
        wanted: dict[str, list[str]] = {}
        for word in words:
            wanted.setdefault(fold_text(word), []).append(word)
        targets: dict[str, Any] = {}
        for record in rows.select_related(*key_joins(self.target)).iterator(chunk_size=2000):
            for word in wanted.get(fold_text(key_of(record)), ()):
                targets[word] = AMBIGUOUS if word in targets else record.pk
        return targets

    def create(self, words: Iterable[str]) -> dict[str, Any]:
        """Add the records that are not there yet, where the type allows it (tags)."""
        words = list(words)
        made = [self.model(**{**self.reference.scope, self.reference.key: word}) for word in words]
        self.model._default_manager.bulk_create(made, ignore_conflicts=True)
        return self._by_column(words, access.viewer_rows(self.model))


def split_words(raw: Any) -> list[str]:
    """Take a cell with several values apart: at `;`, where no backslash takes its meaning away."""
    if isinstance(raw, list):
        return [str(one).strip() for one in raw if str(one).strip()]
    parts = [found[0] for found in WORD.finditer(text_of(raw))]
    return [re.sub(r"\\([\\;])", r"\1", part.strip()) for part in parts if part.strip()]


def join_words(words: Iterable[str]) -> str:
    """Write several values into one cell."""
    return "; ".join(_escaped(word, ";") for word in words)


def _escaped(text: str, between: str) -> str:
    return text.replace("\\", "\\\\").replace(between, f"\\{between}")
