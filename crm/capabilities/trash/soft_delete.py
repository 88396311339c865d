"""Soft delete and restore: a record, its rows and its cascades, in one transaction and one change."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.kernel.events import records_written
from crm.records.access import current_viewer
from crm.records.changes import ensure_change_scope
from crm.records.chunks import chunks
from crm.records.computed_updates import defer_recompute, find_dependents, schedule_recompute
from crm.records.deletion import Deletion, Model, all_rows, collect_deletion
from crm.records.gate import check_removals, check_writes, check_written, raise_all
from crm.records.identity import compared_column
from crm.records.intended_write import IntendedWrite, Refusal, as_before
from crm.records.locks import keep_from_deletion, lock_record
from crm.records.soft_delete import DELETED_AT, DELETED_IN, is_deleted, not_deleted
from crm.records.stored import as_stored

RESTORE = "restore"
"""The way in of what comes back from the trash."""
FOR_GOOD = "for good"
"""The way out of what lies in the trash."""
GONE = models.Q(**{f"{DELETED_AT}__isnull": False})


class NotInTrash(ValidationError):
    """The trash no longer holds a record as it was read."""

    def __init__(self) -> None:
        super().__init__(_("It was restored or deleted again meanwhile. Look at the trash again."))


def put_in_trash(model: Model, keys: Collection[Any]) -> tuple[int, dict[str, int]]:
    """Put records into the trash with all that goes along; return how many, as a deletion does.

    Raises ProtectedError where other records still point to them.
    """
    with transaction.atomic(), defer_recompute(), ensure_change_scope() as change:
        deletion = collect_deletion(model, keys, locks=True)
        if deletion.protected:
            raise models.ProtectedError(_("Other records still point here."), set(_records(deletion.protected)))
        values = {DELETED_AT: timezone.now(), DELETED_IN: change.id}
        for cascade_model, cascade_keys in deletion.cascades.items():
            before = find_dependents(cascade_model, cascade_keys)
            _write(cascade_model, cascade_keys, values)
            schedule_recompute(before)
    return deletion.count, {model._meta.label: len(keys) for model, keys in deletion.cascades.items()}


def went_along(record: Any) -> Deletion:
    """Return a record in the trash with what went there in the same deletion."""

    def same(model: Model) -> models.QuerySet:
        rows = model._base_manager.all()
        return rows.filter(GONE, **{DELETED_IN: record.deleted_in}) if model.keeps_deleted else rows.none()

    return collect_deletion(type(record), [record.pk], same)


def restore(record: Any) -> int:
    """Bring a record back with what went along. Raises ValidationError, RuleBroken too, where that cannot be."""
    try:
        with transaction.atomic(), defer_recompute(), ensure_change_scope():
            lock_in_trash(record)
            going = went_along(record).cascades
            _keep_targets(going)
            complaints = list(_missing(going))
            if complaints:
                raise ValidationError(list(dict.fromkeys(complaints)))
            for model, keys in going.items():
                _ask_the_gate(model, keys)
            for model, keys in going.items():
                _write(model, keys, {DELETED_AT: None, DELETED_IN: None})
            for model, keys in going.items():
                schedule_recompute(find_dependents(model, keys, added=True))
                check_written(model, keys)
    except IntegrityError:
        for model, keys in going.items():
            _ask_the_gate(model, keys)
        raise ValidationError(_("A value that must be unique was taken meanwhile.")) from None
    return sum(map(len, going.values()))


def delete_from_trash(record: Any) -> int:
    """Delete a record of the trash for good, with what goes along; return how many.

    Raises ValidationError, RuleBroken too, where it is no longer there or a guard refuses it for the viewer, and
    ProtectedError where other records still point to what would go.
    """
    with transaction.atomic(), defer_recompute(), ensure_change_scope():
        lock_in_trash(record)
        going = collect_deletion(type(record), [record.pk], all_rows).cascades
        raise_all(check_removals(going, current_viewer(), FOR_GOOD))
        for model, keys in going.items():
            _check_are_in_trash(model, keys)
        deleted, _by_model = record.delete_for_good()
    return deleted


def lock_in_trash(record: Any) -> None:
    """Lock a record until the transaction ends. Raises NotInTrash unless it is in the trash, by the same deletion."""
    lock_record(record)
    if not type(record)._base_manager.filter(GONE, pk=record.pk, **{DELETED_IN: record.deleted_in}).exists():
        raise NotInTrash


def _check_are_in_trash(model: Model, keys: list[Any]) -> None:
    """Raise ValidationError where a record that would go along for good is not in the trash."""
    for batch in chunks(keys):
        record = not_deleted(model).filter(pk__in=batch).first()
        if record is not None:
            raise ValidationError(_("It would take %(record)s along, which is not in the trash.") % {"record": record})


def _ask_the_gate(model: Model, keys: list[Any]) -> None:
    """Raise ValidationError where a guard refuses that records come back, for the viewer."""
    befores = as_stored(model, keys, current_viewer())
    if len(befores) < len(keys):  # Deleted for good while this waited for the lock.
        raise NotInTrash
    writes = []
    for before in befores.values():
        record = as_before(before)
        record.deleted_at = record.deleted_in = None
        writes.append(IntendedWrite(record, before, current_viewer(), RESTORE))
    told = [_describe_refusal(refusal) for refusal in check_writes(writes)]
    if told:
        raise ValidationError(list(dict.fromkeys(told)))


def _describe_refusal(refusal: Refusal) -> str:
    """Say which record cannot come back, and why; of a value that is taken, who has it meanwhile."""
    model, record, title = type(refusal.write.record), refusal.write.record, _titled(refusal.write.before)
    if not refusal.taken:
        return f"{title}: {refusal.message}"
    columns = [model._meta.get_field(compared_column(model, name)) for name in refusal.taken]
    attributes = [column.attname for column in columns]
    other = not_deleted(model).filter(**{name: getattr(record, name) for name in attributes}).first()
    labels = _(" and ").join(str(model._meta.get_field(name).verbose_name).lower() for name in refusal.taken)
    words = {"record": title, "other": other or refusal.twin.before, "fields": labels}
    return _("%(record)s cannot come back: %(other)s has the same %(fields)s meanwhile.") % words


def _write(model: Model, keys: list[Any], values: dict[str, Any]) -> None:
    for batch in chunks(keys):
        rows = model._base_manager.filter(pk__in=batch)
        rows.update(**values)
        records_written.send(model, created=[], updated=list(rows.order_by("pk")), links=[])


def _records(keys: dict[Model, list[Any]]) -> Iterator[Any]:
    for model, model_keys in keys.items():
        for batch in chunks(model_keys):
            yield from model._base_manager.filter(pk__in=batch)


def _keep_targets(going: dict[Model, list[Any]]) -> None:
    """Keep what the records link to from being deleted before they are back."""
    for model, keys in going.items():
        for link in (one for one in model._meta.concrete_fields if getattr(one.related_model, "into_trash", False)):
            for batch in chunks(sorted(keys)):
                linking = model._base_manager.filter(pk__in=batch).values(link.attname)
                keep_from_deletion(link.related_model._base_manager.filter(pk__in=linking))


def _missing(going: dict[Model, list[Any]]) -> Iterator[str]:
    """Say which records cannot be without a target that is in the trash itself, and stays there."""
    for model, keys in going.items():
        for link in (one for one in model._meta.concrete_fields if getattr(one.related_model, "keeps_deleted", False)):
            if link.null and link.remote_field.on_delete is not models.CASCADE:
                continue
            for batch in chunks(keys):
                rows = model._base_manager.filter(pk__in=batch, **{f"{link.name}__{DELETED_AT}__isnull": False})
                for record in rows.select_related(link.name):
                    target = getattr(record, link.name)
                    if target.pk not in going.get(link.related_model, ()):
                        head = _went_with(target)
                        words = {"field": str(link.verbose_name).lower(), "target": target, "head": _titled(head)}
                        alone = _("Its %(field)s %(target)s must be restored first.")
                        along = _("Its %(field)s %(target)s must be restored first, with %(head)s.")
                        yield (alone if head == target else along) % words


def _went_with(record: Any, seen: tuple[Any, ...] = ()) -> Any:
    """Return the record of the trash that brings this one back: itself, or the one that it went along with."""
    for link in record._meta.concrete_fields if not record.into_trash else ():
        if getattr(link.related_model, "keeps_deleted", False):
            holder = getattr(record, link.name)
            if holder is not None and holder.deleted_in == record.deleted_in and holder not in seen:
                return _went_with(holder, (*seen, record))
    return record


def _titled(record: Any) -> str:
    return str(record).removesuffix(" (in the trash)") if is_deleted(record) else str(record)
