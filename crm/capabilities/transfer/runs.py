"""Running imports: preview, write, undo; the same for the admin and for the commands."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Entity
from crm.capabilities.transfer.file_reader import FileRefused, Sheet, format_of, read_sheet
from crm.capabilities.transfer.freshness import tell_changes, versions_of
from crm.capabilities.transfer.importing import ImportRefused, compare_rows, prepare, rehearse, write
from crm.capabilities.transfer.keys import key_fields
from crm.capabilities.transfer.models import DISCARDED, IMPORTED, PREVIEWED, UNDONE, ImportRun, person_of
from crm.capabilities.transfer.preparation import ImportPlan
from crm.capabilities.transfer.preview import preview_data
from crm.kernel import actions
from crm.records import access
from crm.records.changes import change_scope
from crm.records.rules import RuleBroken

TOLD = 20
"""So many names or sentences are told of an undo."""


def start_run(
    entity: Entity, name: str, data: bytes, user: Any, format: str | None = None, **written: str
) -> ImportRun:
    """Read a file and keep the preview of its import. Raises FileRefused where the file as a whole is of no use.

    `numbers` and `encoding` say how the file is written, where the definitions do not.
    """
    found_format = format_of(name, format)
    run = _new_run(entity, name, data, found_format, user, **written)
    plan, preview = _previewed(run, entity, data, user)
    run.set_counts(plan.counts)
    with transaction.atomic():  # The files are kept with the row that names them, or not at all.
        run.source.save(f"source.{found_format}", ContentFile(data), save=False)
        run.keep_preview(preview, versions_of(plan))
        run.save()
    return run


def _previewed(run: ImportRun, entity: Entity, data: bytes, user: Any) -> tuple[ImportPlan, dict[str, Any]]:
    """Return what an import would do, as a preparation and as it is shown. Raises FileRefused."""
    plan = prepare(entity, _sheet(run, entity, data), user=user, numbers=run.numbers)
    preview = preview_data(plan)
    broken = rehearse(plan) if plan.is_sound else None
    if broken:
        compare_rows(plan)
        plan.fail(*broken)
        preview = preview_data(plan)
    if plan.refusals:
        raise FileRefused("\n".join(filter(None, (*plan.refusals, plan.unread))))
    return plan, preview


def renew_run(run: ImportRun, entity: Entity, user: Any) -> None:
    """Make the preview of a run anew, from the records as they are now. Raises ImportRefused or FileRefused."""
    with transaction.atomic():
        _lock_preview(run)
        with run.source.open("rb") as file:
            plan, preview = _previewed(run, entity, file.read(), user)
        former = run.preview.name
        run.set_counts(plan.counts)
        run.keep_preview(preview, versions_of(plan))
        run.save()
    run.preview.storage.delete(former)


def _sheet(run: ImportRun, entity: Entity, data: bytes) -> Sheet:
    return read_sheet(data, run.format, run.encoding or entity.sections["transfer"].encoding or "")


def _new_run(
    entity: Entity, name: str, data: bytes, format: str, user: Any, numbers: str = "", encoding: str = ""
) -> ImportRun:
    return ImportRun(
        business=entity.business.label,
        entity=entity.name,
        user=person_of(user),
        filename=name[-200:],
        sha256=hashlib.sha256(data).hexdigest(),
        format=format,
        numbers=numbers,
        encoding=encoding,
        status=PREVIEWED,
    )


def imported_before(entity: Entity, sha256: str) -> ImportRun | None:
    """Return the import that took in this very file already, where importing it again would double its rows."""
    if key_fields(entity):
        return None
    same = ImportRun.objects.filter(business=entity.business.label, entity=entity.name, sha256=sha256, status=IMPORTED)
    return same.first()


def finish_run(run: ImportRun, entity: Entity, user: Any, reason: str = "", seen: str = "") -> None:
    """Import the file of a previewed run, read and compared anew. Raises ImportRefused, with nothing written.

    Records that were changed, added or deleted since the preview are told, and so is a preview other than the one that
    was `seen`.
    """
    with transaction.atomic():
        _lock_preview(run)
        preview = run.read_preview()
        if seen and seen != preview.get("made"):
            raise ImportRefused(_("This preview was made anew meanwhile. Look at it before you import."))
        with run.source.open("rb") as file:
            plan = prepare(entity, _sheet(run, entity, file.read()), user=user, numbers=run.numbers, locks=True)
        changes = tell_changes(plan, run.read_versions())
        if changes:
            raise ImportRefused(changes)
        _check_since(plan)
        _check_verbs(plan)
        run.set_counts(plan.counts)
        _write(run, plan, user, reason)
    run.drop_files()
    run.save()


def _lock_preview(run: ImportRun) -> None:
    locked = ImportRun.objects.select_for_update().get(pk=run.pk)
    if locked.status != PREVIEWED:
        raise ImportRefused(_("This import is %(status)s already.") % {"status": locked.status})
    run.preview, run.source = locked.preview, locked.source


def _check_since(plan: ImportPlan) -> None:
    """Refuse what was sound when it was previewed, and no longer is."""
    of_row = _("row %(row)s, %(column)s: %(why)s")
    reasons = [*plan.refusals]
    reasons += [
        of_row % {"row": row, "column": column, "why": why} for row, column, why in islice(plan.iterate_errors(), 5)
    ]
    if reasons:
        count = len(plan.refusals) + sum(len(row.errors) for row in plan.rows)
        words = {"reasons": "; ".join(reasons[:5]), "count": count - 5}
        more = _("Nothing was imported: %(reasons)s (and %(count)s more)")
        raise ImportRefused((more if count > 5 else _("Nothing was imported: %(reasons)s")) % words)


def _check_verbs(plan: ImportPlan) -> None:
    """Refuse the file as a whole: importing is no way round the permissions to add and to change."""
    if plan.lacks:
        words = {"verbs": _(" or ").join(sorted(plan.lacks)), "records": plan.entity.plural.lower()}
        raise ImportRefused(_("You may not %(verbs)s %(records)s, so nothing was imported.") % words)


def _write(run: ImportRun, plan: ImportPlan, user: Any, reason: str) -> None:
    why = reason or f"Import of {run.filename}"
    with change_scope(user, why, "import") as change:
        write(plan)
    run.change, run.reason, run.status = change.id, why[:500], IMPORTED
    run.finished, run.imported_by = timezone.now(), person_of(user)
    run.save()


def import_file(
    entity: Entity, name: str, data: bytes, user: Any = None, **options: Any
) -> tuple[ImportRun, ImportPlan]:
    """Import a file at once, as the command does; with `dry_run`, only say what it would do.

    Options: `format`, `dry_run`, `reason`, `adjust`, `numbers`, `encoding`. Raises FileRefused or
    ImportRefused, with nothing written; rows with errors are not an exception but in the preparation.
    """
    run, sheet = read_file(entity, name, data, user, **options)
    return run, import_sheet(run, entity, sheet, user, **options)


def read_file(entity: Entity, name: str, data: bytes, user: Any = None, **options: Any) -> tuple[ImportRun, Sheet]:
    """Return the run of an import at once, not saved yet, and what the file holds. Raises FileRefused."""
    format = format_of(name, options.get("format"))
    run = _new_run(entity, name, data, format, user, options.get("numbers") or "", options.get("encoding") or "")
    return run, _sheet(run, entity, data)


def import_sheet(run: ImportRun, entity: Entity, sheet: Sheet, user: Any = None, **options: Any) -> ImportPlan:
    """Import what a file holds, and save the run; as `import_file`, which reads it before."""
    with transaction.atomic():
        locks = not options.get("dry_run")
        plan = prepare(entity, sheet, options.get("adjust"), user, run.numbers, locks)
        _check_verbs(plan)
        run.set_counts(plan.counts)
        if plan.is_sound and not options.get("dry_run"):
            _write(run, plan, user, options.get("reason", ""))
        elif plan.is_sound and (broken := rehearse(plan)):
            plan.fail(*broken)
    return plan


def undo_run(run: ImportRun, user: Any) -> str:
    """Undo an import, sparing records that were changed since. Returns what was done, in words.

    Raises ImportRefused, with everything as it was, where something else needs what would be removed, or a
    rule would be broken.
    """
    model = apps.get_model(run.business, _entity(run).class_name)
    try:
        with transaction.atomic():
            locked = ImportRun.objects.select_for_update().get(pk=run.pk)
            if locked.status != IMPORTED:
                text = _("This import is %(status)s; only one that was imported can be undone.")
                raise ImportRefused(text % {"status": locked.status})
            _check_undo(locked, model, user)
            with change_scope(user, f"Undo of the import of {run.filename}", "undo"), access.as_viewer(user):
                result = actions.run("revert_change", change=run.change, model=model)
            run.close(UNDONE, user)
            run.note = _undone(result)
            run.save()
    except models.ProtectedError as error:
        names = ", ".join(str(record) for record in list(error.protected_objects)[:5])
        text = _("Nothing was undone: imported records are needed by %(names)s.") % {"names": names}
        raise ImportRefused(text) from None
    except RuleBroken as broken:
        words = {"record": broken.record, "why": broken.messages[0]}
        raise ImportRefused(_("Nothing was undone: %(record)s would break a rule. %(why)s") % words) from None
    except ValidationError as error:
        raise ImportRefused(_("Nothing was undone: %(why)s") % {"why": " ".join(error.messages)}) from None
    return run.note


def _check_undo(run: ImportRun, model: type[models.Model], user: Any) -> None:
    """Everyone may undo an import of their own; another's takes the rights to delete and to change."""
    if user is None or run.user_id == user.pk:
        return
    missing = [
        verb
        for verb, count in {"delete": run.new, "change": run.updated}.items()
        if count and not access.has_perm(user, verb, model)
    ]
    if missing:
        words = {"verbs": _(" or ").join(missing), "records": model.definition.noun(2)}
        raise ImportRefused(_("You may not %(verbs)s %(records)s, so nothing was undone.") % words)


def _undone(result: Any) -> str:
    """Say what an undo has done, in sentences."""
    said = _counted(result)
    if result.left_out:
        words = {"what": "; ".join(result.left_out[:TOLD]) + ("; …" if len(result.left_out) > TOLD else "")}
        said += " " + _("What they linked to is gone: %(what)s.") % words
    return said


def _counted(result: Any) -> str:
    words = {"removed": result.removed, "restored": result.restored, "spared": len(result.spared)}
    if not result.spared:
        return _("%(removed)s removed, %(restored)s as they were before.") % words
    words["names"] = ", ".join(result.spared[:TOLD]) + (" …" if len(result.spared) > TOLD else "")
    text = _(
        "%(removed)s removed, %(restored)s as they were before, %(spared)s left alone because they were changed since: "
        "%(names)s."
    )
    return text % words


def discard_run(run: ImportRun, user: Any) -> None:
    """Give up a preview. Raises ImportRefused where it was imported meanwhile."""
    with transaction.atomic():
        _lock_preview(run)
        run.drop_files()
        run.close(DISCARDED, user)
        run.save()


def _entity(run: ImportRun) -> Entity:
    return apps.get_app_config(run.business).business.entities[run.entity]
