"""Versions: one row in the history table for each write, kept by django-simple-history, bulk writes included."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import simple_history
from django.db import connection, models
from django.utils import timezone
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from crm.blueprint.names import camel
from crm.blueprint.nodes import Entity, Field
from crm.fields import columns
from crm.records.changes import current_change
from crm.records.chunks import chunks
from crm.records.display import title_joins, title_of
from crm.records.identity import key_columns
from crm.records.record import Record


class Version(models.Model):
    """What every version has besides the record's columns: the change that it belongs to."""

    history_change = models.UUIDField(null=True, db_index=True)

    class Meta:
        abstract = True


class VersionRecords(HistoricalRecords):
    """simple-history's records, with author and reason of the change scope, in the model's own registry."""

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        return {**super().get_meta_options(model), "apps": model._meta.apps}

    def get_meta_options_m2m(self, through_model: type[models.Model]) -> dict[str, Any]:
        options = super().get_meta_options_m2m(through_model)
        return {**options, "apps": through_model._meta.apps, "app_label": through_model._meta.app_label}

    def copy_fields(self, model: type[models.Model]) -> dict[str, models.Field]:
        """Copy the columns; an upload becomes plain text, which needs none of an upload's checks."""
        copies = super().copy_fields(model)
        copies |= {name: _plain(one) for name, one in copies.items() if isinstance(one, models.GeneratedField)}
        for column in copies.values():
            if type(column) is models.TextField:
                column.__class__ = columns.Text
                column._validators = []
        return copies

    def get_history_user(self, instance: models.Model) -> Any:
        return current_change().user

    def get_change_reason_for_object(self, instance: models.Model, history_type: str, using: str | None) -> str | None:
        return current_change().reason or None


def _plain(column: models.GeneratedField) -> models.Field:
    """Return a column that keeps what the database had computed then."""
    copy = column.output_field.clone()
    copy.set_attributes_from_name(column.name)
    return copy


def register(model: type[Record]) -> None:
    """Keep the versions of a model."""
    entity = model.definition
    track = entity.sections["history"].track
    children = {link.name for link in entity.fields.values() if link.document is not entity.document}
    names = {leaf.name for leaf in entity.leaves if track == "all" or leaf.name in track or _of_whole(leaf, track)}
    names |= children  # the parent's story finds its rows by them
    names_of_columns = [field.name for field in model._meta.fields]
    simple_history.register(
        model,
        records_class=VersionRecords,
        bases=[Version],
        verbose_name=f"version of {entity.name}",
        verbose_name_plural=f"versions of {entity.name}",
        history_id_field=models.BigAutoField(),
        history_change_reason_field=models.TextField(null=True),
        user_db_constraint=False,
        excluded_fields=[
            *(one.name for one in entity.leaves if one.name in names_of_columns and one.name not in names),
            *(column.name for column in key_columns(model)),  # they follow from what the version holds
        ],
        m2m_fields=[leaf.name for leaf in entity.leaves if leaf.name in names and leaf.type.many and leaf.stored],
        no_db_index=[*(name for name in names_of_columns if name not in children | {"id"}), *_link_columns(model)],
    )


def _link_columns(model: type[Record]) -> set[str]:
    many = model._meta.many_to_many
    return {name for one in many for name in (one.m2m_field_name(), one.m2m_reverse_field_name())}


def _of_whole(leaf: Any, track: list[str]) -> bool:
    return leaf.whole is not None and leaf.whole.name in track


def _set_change(history_instance: Any, **_: Any) -> None:
    if isinstance(history_instance, Version):
        history_instance.history_change = current_change().id


pre_create_historical_record.connect(_set_change, dispatch_uid="history change")


def keep_bulk_versions(sender: type[Record], created: list, updated: list, links: list[str], **_: Any) -> None:
    """Keep a version of each record that was written past `save()`, in the same transaction.

    The database copies the rows itself, some hundreds at a time: that is several times as fast as carrying every value
    through Python once more, and a version then is exactly what was stored.
    """
    for records, kind in ((created, "+"), (updated, "~")):
        keys = [record.pk for record in records]
        for batch in chunks(keys, COPIED):
            _copy_rows(sender, batch, kind)


def keep_computed(sender: type[Record], values: dict[Any, dict[str, Any]], **_: Any) -> None:
    """Put computed values into the versions that this change has made; other records get a version of their own.

    These have no reason: it was given for another record, which not everyone may see.
    """
    twin = sender.history.model
    tracked = {one.name for one in twin.tracked_fields}
    seen = twin.objects.filter(history_change=current_change().id, id__in=list(values)).order_by("history_id")
    newest = {version.id: version for version in seen}
    names = {name for one in values.values() for name in one} & tracked
    for key, version in newest.items():
        for name in names & set(values[key]):
            setattr(version, name, values[key][name])
    if newest and names:
        twin.objects.bulk_update(newest.values(), sorted(names), batch_size=200)
    rest = [key for key, one in values.items() if key not in newest and tracked & set(one)]
    for batch in chunks(rest, COPIED):
        _copy_rows(sender, batch, "~", reason="")


COPIED = 500
"""How many rows one statement copies; SQLite takes 999 parameters."""


def _copy_rows(model: type[Record], keys: list[Any], kind: str, reason: str | None = None) -> None:
    twin, change = model.history.model, current_change()
    reason = change.reason if reason is None else reason
    added = {
        "history_date": timezone.now(),
        "history_type": kind,
        "history_user": getattr(change.user, "pk", None),
        "history_change_reason": reason or None,
        "history_change": change.id,
    }
    fields = [twin._meta.get_field(name) for name in added]
    values = [one.get_db_prep_save(added[one.name], connection) for one in fields]
    names = [one.column for one in twin.tracked_fields]
    _copy(twin, [*names, *(one.column for one in fields)], _quoted(names), values, model, keys)
    for many in twin._history_m2m_fields:
        _copy_links(model, many, keys, values[-1])


def _copy(twin: Any, into: list[str], names: list[str], values: list, model: Any, keys: list[Any]) -> None:
    chosen = ", ".join([*names, *["%s"] * len(values)])
    marks = ", ".join(["%s"] * len(keys))
    table, source = _quoted([twin._meta.db_table, model._meta.db_table])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(_quoted(into))}) "  # noqa: S608  (names of our own tables alone)
            f"SELECT {chosen} FROM {source} WHERE id IN ({marks}) ORDER BY id",
            [*values, *keys],
        )


def _copy_links(model: type[Record], many: models.ManyToManyField, keys: list[Any], change: Any) -> None:
    """Keep the many-to-many rows of the versions that were copied just now."""
    through, twin = many.remote_field.through, VersionRecords.m2m_models[many]
    names = [one.column for one in through._meta.fields]
    table, source, versions, here = _quoted(
        [twin._meta.db_table, through._meta.db_table, model.history.model._meta.db_table, many.m2m_column_name()]
    )
    chosen = ", ".join(f"{source}.{name}" for name in _quoted(names))
    marks = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(_quoted([*names, 'history_id']))}) "  # noqa: S608
            f"SELECT {chosen}, MAX({versions}.history_id) FROM {source} JOIN {versions} "
            f"ON {versions}.id = {source}.{here} AND {versions}.history_change = %s "
            f"WHERE {source}.{here} IN ({marks}) GROUP BY {chosen}",
            [change, *keys],
        )


def _quoted(names: list[str]) -> list[str]:
    return [connection.ops.quote_name(name) for name in names]


def keeps(model: type[Record], leaf: Field) -> bool:
    """Say whether the versions of a model keep a field's values."""
    if leaf.type.many:
        return leaf.stored and any(one.name == leaf.name for one in model.history.model._history_m2m_fields)
    return leaf.name in {one.name for one in model.history.model.tracked_fields}


def links_of(versions: Collection[Any], many: models.ManyToManyField) -> dict[int, list[Any]]:
    """Return the keys that each of some versions had many-to-many links to, by the versions' own keys."""
    links: dict[int, list[Any]] = {one.history_id: [] for one in versions}
    rows = VersionRecords.m2m_models[many]._base_manager.filter(history_id__in=list(links))
    for version, key in rows.values_list("history_id", f"{many.m2m_reverse_field_name()}_id"):
        links[version].append(key)
    return links


def follow_names(entity: Entity, old: str) -> dict[str, str]:
    """Name the version models that are renamed along with an entity that was called `old`.

    Those of many-to-many fields keep the names of the fields, be a `was:` of theirs still to be carried out or not.
    """
    before, after = f"Historical{camel(old)}", f"Historical{entity.class_name}"
    many = [leaf for leaf in entity.leaves if leaf.type.many and leaf.stored]
    names = {name for leaf in many for name in (leaf.name, leaf.options.was) if name}
    return {before: after, **{f"{before}_{name}": f"{after}_{name}" for name in sorted(names)}}


def titles_of(versions: list[Any]) -> list[str]:
    """Return what the records of one model's versions were called then; what their titles link to is read at once."""
    records = [one.instance for one in versions]
    if records:
        models.prefetch_related_objects(records, *title_joins(records[0].definition))
    return [title_of(one) for one in records]


def title_of_gone(model: type[models.Model], key: Any) -> str:
    """Return what a deleted record was called."""
    last = list(model.history.filter(id=key)[:1]) if hasattr(model, "history") else []
    return f"{(titles_of(last) or [f'{model._meta.verbose_name} {key}'])[0]} (deleted)"
