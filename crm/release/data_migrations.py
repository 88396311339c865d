"""Data migrations (RunPython): convert a column, backfill rows, archive what is removed.

Written into migrations as `RunPython`, with everything they need to know as plain data: a migration must do the same
years later, whatever the definitions say by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models.functions import Left, Length

from crm.blueprint.compiler import compile_business
from crm.blueprint.names import camel
from crm.blueprint.nodes import Field
from crm.blueprint.reader import Document
from crm.fields.comparison import key_name
from crm.fields.notation import region_notation
from crm.fields.reading import Reading
from crm.records.identity import comparison_key
from crm.wiring import LANGUAGE

CHUNK = 1_000
BATCH = 200
NAMED = 10
TEXTS = (models.CharField, models.TextField)


class ConversionError(Exception):
    """Rows hold values that the new type does not understand."""


def field_of(label: str, entity: str, name: str, raw: Any, app: dict[str, Any]) -> Field:
    """Build one field from its raw definition, in a business of its own; only where there are rows to move."""
    beside = raw.get("from") if isinstance(raw, dict) else None
    fields = {beside: "text", name: raw} if beside else {name: raw}
    documents = {
        "app.yaml": Document("app.yaml", {**app, "roles": {}, "menu": {}}),
        f"{entity}.yaml": Document(f"{entity}.yaml", {"fields": fields}),
    }
    return compile_business(label, documents, LANGUAGE).entities[entity].fields[name]


def convert_value(value: Any, old: Field | None, new: Field) -> Any:
    """Return what a value of the old field is in the new one. Raises ValueError with a sentence for people."""
    if value is None or value == "":
        return new.type.empty(new)
    written = old.type.serialize(value, old) if old else value
    is_number = old is not None and old.type.writes_numbers
    numbers = None if is_number else region_notation(new.business)
    return new.type.validate(new.type.parse(written, new, Reading(numbers=numbers)), new)


def chunks(queryset: models.QuerySet, *names: str) -> Iterator[list[tuple]]:
    """Yield the rows of a queryset by primary key, a thousand at a time."""
    last: Any = None
    while True:
        remaining = queryset.order_by("pk") if last is None else queryset.filter(pk__gt=last).order_by("pk")
        rows = list(remaining.values_list("pk", *names)[:CHUNK])
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def convert_column(apps: Any, editor: Any, *, label: str, model: str, source: str, target: str, **what: Any) -> None:
    """Fill the column `target` with the converted values of `source`, which may be the same.

    Raises ConversionError that names a record that cannot be converted (`strict`). What a version holds and the new
    type does not understand is archived; it stays where the column takes any text, else the column is emptied or gets
    the backfill.
    """
    rows = apps.get_model(label, model)._base_manager
    if not rows.exists():
        return
    old = field_of(label, what["entity"], what["name"], what["old"], what["app"]) if what["old"] else None
    new = field_of(label, what["entity"], what["name"], what["new"], what["app"])
    column, backfill = rows.model._meta.get_field(target), getattr(new.options, "backfill", None)
    spare = new.type.parse(backfill, new, Reading()) if what["fill"] and backfill is not None else None
    for batch in chunks(rows.all(), source):
        changed, failed = [], {}
        for key, value in batch:
            try:
                converted = convert_value(value, old, new)
            except ValueError as error:
                if what["strict"]:
                    raise ConversionError(f"{model} {key}: {value!r}: {error}") from None
                converted, failed[key] = _nearest(value, column), value
            converted = spare if converted is None else converted
            if source != target or converted != value:
                changed.append(rows.model(pk=key, **{target: converted}))
        rows.bulk_update(changed, [target], batch_size=BATCH)
        if failed:
            _keep(apps, rows.model, source, what["release"], {key: {source: value} for key, value in failed.items()})


def _nearest(value: Any, column: models.Field) -> Any:
    return str(value)[: column.max_length] if isinstance(column, TEXTS) else None


def fill_rows(apps: Any, editor: Any, *, label: str, model: str, entity: str, name: str, raw: Any, app: Any) -> None:
    """Give every row the value that a new record would get at saving."""
    rows = apps.get_model(label, model)._base_manager
    for batch in chunks(rows.filter(**{f"{name}__isnull": True})):
        field = field_of(label, entity, name, raw, app)
        records = list(rows.filter(pk__in=[key for (key,) in batch]).order_by("pk"))
        field.type.fill(records, field)
        rows.bulk_update(records, [name], batch_size=BATCH)


def fill_keys(apps: Any, editor: Any, *, label: str, model: str, column: str, name: str, **what: Any) -> None:
    """Give every row the comparison form of its value."""
    rows = apps.get_model(label, model)._base_manager
    field = field_of(label, what["entity"], name, what["raw"], what["app"]) if rows.exists() else None
    for batch in chunks(rows.all(), name):
        changed = [rows.model(pk=pk, **{column: comparison_key(field, value)}) for pk, value in batch]
        rows.bulk_update(changed, [column], batch_size=BATCH)


def refuse_doubles(apps: Any, editor: Any, *, label: str, model: str, columns: list[str]) -> None:
    """Raise ConversionError that names the live records with the same values in these columns.

    A plan says so before; a database that lags behind its migrations is only looked at when they run.
    """
    rows = apps.get_model(label, model)._base_manager.exclude(
        models.Q(*((f"{name}__isnull", True) for name in columns), _connector=models.Q.OR)
    )
    if any(column.name == "deleted_at" for column in rows.model._meta.concrete_fields):
        rows = rows.filter(deleted_at__isnull=True)
    doubles = rows.values(*columns).annotate(count=models.Count("pk")).filter(count__gt=1).order_by(*columns)
    lines = []
    for double in doubles[:NAMED]:
        same = rows.filter(**{name: double[name] for name in columns}).order_by("pk").values_list("pk", flat=True)
        value = " + ".join(str(double[name]) for name in columns)
        lines.append(f"{value!r}: {model} {', '.join(map(str, same[:NAMED]))}")
    if lines:
        raise ConversionError(f"{doubles.count():,} values would occur twice. {'; '.join(lines)}")


def fill_empty(apps: Any, editor: Any, *, label: str, model: str, name: str, value: Any) -> None:
    """Give rows without a value one; in a column of text, nothing may be an empty text."""
    rows = apps.get_model(label, model)._base_manager
    empty = models.Q(**{f"{name}__isnull": True})
    if isinstance(rows.model._meta.get_field(name), TEXTS):
        empty |= models.Q(**{name: ""})
    rows.filter(empty).update(**{name: value})


def clear_empty(apps: Any, editor: Any, *, label: str, model: str, name: str) -> None:
    """Make empty texts nothing, in a column whose values are to be told apart."""
    apps.get_model(label, model)._base_manager.filter(**{name: ""}).update(**{name: None})


def shorten(apps: Any, editor: Any, *, label: str, model: str, name: str, length: int, release: str) -> None:
    """Cut the texts of versions that are too long for a column; the whole texts are archived."""
    rows = apps.get_model(label, model)._base_manager
    long = rows.annotate(_length=Length(name)).filter(_length__gt=length)
    _archive(apps, long, rows.model, name, release, name)
    long.update(**{name: Left(name, length)})


def exchange(apps: Any, editor: Any, *, label: str, model: str, name: str, values: dict[str, str]) -> None:
    """Write new values for old ones; the twin of a choice that is unique with others holds the value itself."""
    rows = apps.get_model(label, model)._base_manager
    twins = [column.name for column in rows.model._meta.concrete_fields if column.name == key_name(name)]
    for old, new in values.items():
        rows.filter(**{name: old}).update(**dict.fromkeys([name, *twins], new))


def rename_entity(apps: Any, editor: Any, *, label: str, before: str, after: str, models: dict[str, str]) -> None:
    """Let permissions, tags, numbers and uploads follow an entity to a new name; `models` are those renamed with it."""
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label=label)
    for old, new in models.items():
        for permission in permissions.filter(codename__endswith=f"_{old}"):
            codename = f"{permission.codename.removesuffix(old)}{new}"
            if not permissions.filter(content_type=permission.content_type, codename=codename).exists():
                permissions.filter(pk=permission.pk).update(codename=codename)
    _rename_keys(apps, f"{label}.{before}.", f"{label}.{after}.")
    for field in apps.get_model(label, camel(after))._meta.local_fields:
        _keep_folder(apps, field, f"{label}/{before}/{field.name}", f"{label}/{after}/{field.name}")


def rename_field(apps: Any, editor: Any, *, label: str, entity: str, before: str, after: str) -> None:
    """Let tags, numbers and uploads follow a field to its new name."""
    for end in ("", ":"):
        _rename_keys(apps, f"{label}.{entity}.{before}{end}", f"{label}.{entity}.{after}{end}", whole=not end)
    field = apps.get_model(label, camel(entity))._meta.get_field(after)
    _keep_folder(apps, field, f"{label}/{entity}/{before}", f"{label}/{entity}/{after}")


def _keep_folder(apps: Any, field: models.Field, before: str, after: str) -> None:
    """Note that the uploads of a renamed field are still in the folder of its former name, and of those before that."""
    if not isinstance(field, models.FileField):
        return
    try:
        folders = apps.get_model("crm", "UploadFolder").objects
    except LookupError:  # The migration is older than this table: then nothing was uploaded either.
        return
    old_scope, scope = before.replace("/", "."), after.replace("/", ".")
    for folder in {before, *folders.filter(scope=old_scope).values_list("folder", flat=True)}:
        folders.get_or_create(folder=folder, scope=scope)
    folders.filter(scope=old_scope).delete()


def _rename_keys(apps: Any, before: str, after: str, whole: bool = False) -> None:
    for model, name in (("Tag", "scope"), ("Counter", "key")):
        rows = apps.get_model("crm", model).objects
        matches = rows.filter(**{f"{name}__{'exact' if whole else 'startswith'}": before})
        for key in set(matches.values_list(name, flat=True)):
            rows.filter(**{name: key}).update(**{name: after + key.removeprefix(before)})


def archive_column(apps: Any, editor: Any, *, label: str, model: str, column: str, release: str) -> None:
    """Keep the values of a column that is about to be removed."""
    rows = apps.get_model(label, model)
    field = rows._meta.get_field(column)
    if field.many_to_many:
        _archive(apps, field.remote_field.through, rows, column, release)
    else:
        filled = rows._base_manager.exclude(**{f"{field.attname}__isnull": True})
        filled = filled.exclude(**{column: ""}) if isinstance(field, TEXTS) else filled
        _archive(apps, filled, rows, column, release, field.attname)


def archive_table(apps: Any, editor: Any, *, label: str, model: str, release: str) -> None:
    """Keep the rows of a table that is about to be removed, and what its many-to-many fields hold."""
    rows = apps.get_model(label, model)
    _archive(apps, rows, rows, "", release)
    for field in rows._meta.many_to_many:
        _archive(apps, field.remote_field.through, rows, field.name, release)


def archive_trash(apps: Any, editor: Any, *, label: str, model: str, release: str) -> None:
    """Keep the rows in a trash that is about to be removed: they are deleted then, and do not come back to life."""
    rows = apps.get_model(label, model)
    _archive(apps, rows._base_manager.filter(deleted_at__isnull=False), rows, "", release)


def empty_trash(apps: Any, editor: Any, *, label: str, names: list[str]) -> None:
    """Delete the rows in the trash of models that lose it, those first that the others are needed by."""
    waiting = [apps.get_model(label, name) for name in names]
    waiting = [model for model in waiting if any(field.name == "deleted_at" for field in model._meta.fields)]
    while waiting:
        refused = [model for model in waiting if not _delete_trash(model)]
        if len(refused) == len(waiting):
            kept = ", ".join(model.__name__ for model in refused)
            raise ConversionError(f"Other records still point to what is in the trash of {kept}: restore or purge it.")
        waiting = refused


def _delete_trash(model: type[models.Model]) -> bool:
    try:
        model._base_manager.filter(deleted_at__isnull=False).delete()
    except models.ProtectedError:
        return False
    return True


def _archive(apps: Any, rows: Any, table: type[models.Model], column: str, release: str, *names: str) -> None:
    rows = rows if isinstance(rows, models.QuerySet) else rows._base_manager.all()
    names = names or tuple(field.attname for field in rows.model._meta.concrete_fields)
    for batch in chunks(rows, *names):
        _keep(apps, table, column, release, {row[0]: dict(zip(names, row[1:], strict=True)) for row in batch})


def _keep(apps: Any, table: type[models.Model], column: str, release: str, rows: dict[Any, dict[str, Any]]) -> None:
    values = {str(key): {name: plain(value) for name, value in row.items()} for key, row in rows.items()}
    archive = apps.get_model("crm", "Archive").objects
    archive.create(release=release, table=table._meta.db_table, column=column, rows=values)


def plain(value: Any) -> Any:
    """Return a value of a column as JSON holds it."""
    return str(value) if value is not None and not isinstance(value, int | float | bool | list | dict) else value


def do_nothing(apps: Any, editor: Any) -> None:
    """The way back of a step that keeps what it finds."""
