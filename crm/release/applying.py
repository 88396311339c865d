"""Apply: the plan carried out, under a lock, so that it is done whole or not at all."""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from crm.blueprint.problems import did_you_mean
from crm.business import Location
from crm.fields.comparison import key_name
from crm.release.choice_changes import exchange_strays
from crm.release.differences import Altered, LeftOver, UnknownMigration
from crm.release.errors import NotApplied, NotFinished
from crm.release.finishing import finish_release, recompute, run_manage
from crm.release.fresh_tables import make_fresh_tables
from crm.release.left_over import drop_left_over, forget_migrations, values_adopted
from crm.release.mending import add_missing
from crm.release.migration_files import merge_migration, write_migration
from crm.release.plan import ReleasePlan
from crm.release.plan_text import plan_text
from crm.release.releases import LastRelease, Task, note_release
from crm.release.renamed_columns import renames_of
from crm.release.roles import sync_roles
from crm.release.snapshot import read_snapshot, write_snapshot
from crm.release.steps import LOSES, REFUSED

logger = logging.getLogger(__name__)

LOCK = 7_431_990_211


@contextmanager
def apply_lock(location: Location) -> Iterator[None]:
    """Keep a second apply out: of this folder by a lock on it, of this database by an advisory lock."""
    folder = os.open(location.folder, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise NotApplied("Another apply is at work in this folder.") from None
    else:
        with _database_lock():
            yield
    finally:
        os.close(folder)


@contextmanager
def _database_lock() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise NotApplied("Another apply is at work in this database.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def refuse_risks(plan: ReleasePlan, allow_data_loss: bool) -> None:
    """Raise NotApplied for steps that must not be taken, each by name."""
    refused = plan.with_risk(REFUSED)
    losing = [] if allow_data_loss else plan.with_risk(LOSES)
    if refused or losing:
        lines = [f"  {step.text}" for step in [*refused, *losing]]
        why = (
            "These steps would lose data; --allow-data-loss takes them:" if not refused else "These steps are refused:"
        )
        raise NotApplied("\n".join([why, *lines]))


def refuse_differences(plan: ReleasePlan) -> None:
    """Raise NotApplied for what the database has or lacks, so that the plan would fail."""
    blocking = [
        f"  {difference.sentence}\n    {difference.way_out}" for difference in plan.differences if difference.blocks
    ]
    if blocking:
        raise NotApplied("\n".join([_("The database differs, and that is in the way:"), *blocking]))


def catch_up(plan: ReleasePlan, location: Location, say: Callable[[str], None]) -> None:
    """Bring a database that lags behind, or has lost something, to what the files say: then its rows can be asked.

    Raises NotApplied where it refuses. The release is noted as not finished, and the plan that follows finishes it.
    """
    written = [write_migration(merge_migration(plan.business.label, plan.merges), location)] if plan.merges else []
    with _undone_if_refused(written, plan.namesakes):
        renames = [rename.as_data() for rename in plan.pending_renames]
        facts = {"hash": plan.release.hash if plan.release else "", "renames": renames}
        adopted = [each for each in plan.adopted if plan.filed.issuperset(each.columns)]
        _change_database(plan, [Task.RECOMPUTE, Task.RELOAD], facts, adopted)
    _tell_written(written, location, say)
    try:
        read_snapshot(location.snapshot, location.folder)
        recompute(plan)
    except (NotFinished, ImproperlyConfigured) as error:  # It is noted, and done by the apply that follows.
        logger.info("Computed values are left to the apply that follows: %s", error)


def apply_plan(plan: ReleasePlan, location: Location, say: Callable[[str], None]) -> None:
    """Carry out a plan. Raises NotApplied, with everything as it was, where a part of it fails.

    Raises NotFinished where the database was changed and a task after that fails: the next apply does it.
    """
    boot_test(plan)
    migrations = [merge_migration(plan.business.label, plan.merges)] if plan.merges else []
    migrations += [plan.migration()] if plan.operations else []
    written = [write_migration(migration, location) for migration in migrations]
    rules = [rule_check.key for rule_check in plan.rules_to_count]
    counting = [Task.COUNT_RULES.note(*rules)] if rules else []
    tasks = [Task.WRITE_SNAPSHOT, Task.RECOMPUTE, *counting, Task.RELOAD]
    name = migrations[-1].name if migrations else ""
    facts: dict[str, Any] = {"hash": plan.snapshot.hash, "migration": name, "plan": plan_text(plan, sql=0)}
    renames = [*plan.unnoted_renames, *plan.pending_renames, *renames_of(plan.name, plan.operations)]
    facts["renames"] = [rename.as_data() for rename in renames]
    with _undone_if_refused(written, plan.namesakes):
        release = _change_database(plan, tasks, facts, plan.adopted, roles=True)
    words = (release.pk, plan.business.label, len(plan.steps), name or "none")
    logger.info("Release %s of %s: %s steps, migration %s", *words)
    try:
        finish_release(plan, release, location, say)
    finally:
        _tell_written(written, location, say)


def _tell_written(written: list[Path], location: Location, say: Callable[[str], None]) -> None:
    for path in written:
        say(f"Wrote {location.label}/migrations/{path.name}; commit it with the definitions.")


@contextmanager
def _undone_if_refused(written: list[Path], namesakes: Collection[str]) -> Iterator[None]:
    """Remove the migrations that were written, where the database has not run them, or only namesakes of them."""
    try:
        yield
    except NotApplied:
        for path in _not_run(written, namesakes):
            path.unlink()
        raise


def _not_run(written: list[Path], namesakes: Collection[str]) -> list[Path]:
    """Return the migrations that the database says it has not run; none where it does not answer: then they stay."""
    try:
        was_run = {name for _app, name in MigrationRecorder(connection).applied_migrations()}
    except DatabaseError as error:  # It may be that the connection broke while it was answering.
        logger.warning("Migrations were written, and stay: the database does not say if it ran them: %s", error)
        return []
    return [path for path in written if path.stem in namesakes or path.stem not in was_run]


def _change_database(
    plan: ReleasePlan, tasks: list[str], facts: dict[str, Any], adopted: list[LeftOver], roles: bool = False
) -> LastRelease:
    """Run all migrations, and note the release with what it has still to do: all of it in one transaction."""
    try:
        with one_transaction():
            if plan.missing:
                add_missing(plan)
            forget_migrations(plan.business.label, plan.namesakes)
            exchange_strays(plan.exchanged, plan.business.label, plan.state.apps)
            with values_adopted(adopted, plan.claimed, plan.generated, plan.business.label):
                make_fresh_tables(plan.business.label)
                call_command("migrate", interactive=False, verbosity=0)
            if roles:
                sync_roles(plan.business)
            return note_release(plan.business.label, tasks, **facts)
    except Exception as error:
        logger.info("The database refused a release", exc_info=error)
        raise NotApplied(f"The database refused, and is as it was: {error}") from error


@contextmanager
def one_transaction() -> Iterator[None]:
    """Open a transaction in which tables can be changed, by any number of migrations.

    SQLite makes tables anew while it does not check their links, which cannot be switched within a transaction; every
    migration checks them at its end.
    """
    switched_off = connection.disable_constraint_checking()
    try:
        with transaction.atomic():
            yield
    finally:
        if switched_off:
            connection.enable_constraint_checking()


def give_up_left_over(plan: ReleasePlan, names: Collection[str], say: Callable[[str], None]) -> None:
    """Drop what is left over in the database, archived: all of it, or what is called so.

    Raises NotApplied where that would not be the whole of it, or for a name that nothing has.
    """
    left = [difference for difference in plan.differences if isinstance(difference, LeftOver | UnknownMigration)]
    altered = [difference for difference in plan.differences if isinstance(difference, Altered)]
    if names:
        called = _called(names, left)
        is_all = not altered and all(each in called for each in left if isinstance(each, LeftOver))
        left, altered = left if is_all else called, []
    if altered:
        lines = [f"  {difference.sentence}\n    {difference.way_out}" for difference in altered]
        raise NotApplied("\n".join([_("Columns were changed, too, which dropping does not undo:"), *lines]))
    if not left:
        say(_("Nothing is left over in this database."))
        return
    try:
        with one_transaction():
            if plan.missing:
                add_missing(plan)
            drop_left_over(left, plan.claimed, plan.business.label)
            text = "\n".join([_("Dropped, and archived:"), *(f"  {difference.sentence}" for difference in left)])
            last = plan.release.hash if plan.release else ""
            pending = plan.release.pending if plan.release else ()
            note_release(plan.business.label, pending, hash=last, plan=text)
    except Exception as error:
        raise NotApplied(f"The database refused, and is as it was: {error}") from error
    say(_("Archived and dropped what was left over."))


def _called(names: Collection[str], left: Collection[LeftOver | UnknownMigration]) -> list[LeftOver | UnknownMigration]:
    """Return what is left over by these names, the columns with their comparison forms included."""
    known = {difference.name: difference for difference in left if isinstance(difference, LeftOver) and difference.name}
    for name in names:
        if name not in known:
            sentence = _("Nothing that is left over is called %(name)s. %(hint)s")
            raise NotApplied((sentence % {"name": name, "hint": did_you_mean(name, known)}).strip())
    twins = {f"{owner}.{key_name(column)}" for owner, _dot, column in (name.rpartition(".") for name in names)}
    return [difference for name, difference in known.items() if name in {*names, *twins}]


def boot_test(plan: ReleasePlan) -> None:
    """Start the new definitions in a process of its own. Raises NotApplied with what it said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.json"
        write_snapshot(plan.snapshot, path)
        run = run_manage("check", SNAPSHOT=str(path), BUSINESS=str(settings.BUSINESS_LOCATION.folder))
    if run.returncode:
        raise NotApplied(
            f"The definitions are valid, but the application does not start with them:\n{run.stderr[-2000:]}"
        )
