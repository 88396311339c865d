"""Apply: the plan carried out, under a lock, so that it is done whole or not at all."""

from __future__ import annotations

import fcntl
import importlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.writer import MigrationWriter

from crm.blueprint.expressions.computing import MATERIALIZED
from crm.business import Location
from crm.models import Release
from crm.release.plan import ReleasePlan, plan_text
from crm.release.roles import sync_roles
from crm.release.snapshot import write_snapshot
from crm.release.steps import LOSES, REFUSED

LOCK = 7_431_990_211


class NotApplied(Exception):
    """Nothing was changed; the message says why."""


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


def catch_up(plan: ReleasePlan) -> None:
    """Bring a database that lags behind to the definitions in force. Raises NotApplied where it refuses."""
    _migrate()
    _recompute(plan)


def _migrate() -> None:
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except Exception as error:
        raise NotApplied(f"The database refused, and is as it was: {error}") from error


def apply_plan(plan: ReleasePlan, location: Location, say: Callable[[str], None]) -> None:
    """Carry out a plan. Raises NotApplied, with everything as it was, where a part of it fails."""
    boot_test(plan)
    written = _write_migration(plan, location) if plan.operations else None
    importlib.invalidate_caches()
    sys.modules.pop(f"{location.module}.migrations", None)
    try:
        _migrate()
    except NotApplied:
        if written:
            written.unlink()
        raise
    write_snapshot(plan.snapshot, location.snapshot)
    Release.objects.create(
        business=plan.business.label,
        hash=plan.snapshot.hash,
        migration=plan.name if written else "",
        plan=plan_text(plan, sql=0),
    )
    sync_roles(plan.business)
    _recompute(plan)
    _count_rules(plan, say)
    if written:
        say(f"Wrote {location.label}/migrations/{written.name}; commit it with the definitions.")
    _reload(say)


def _write_migration(plan: ReleasePlan, location: Location) -> Path:
    package = location.migrations / "__init__.py"
    location.migrations.mkdir(exist_ok=True)
    if not package.exists():
        package.write_text("")
    text = MigrationWriter(plan.migration(), include_header=False).as_string()
    text = text.replace("from django.db import migrations", "from django.db import migrations", 1)
    text = text.replace("class Migration(migrations.Migration):", "class Migration(BatchedMigration):", 1)
    text = text.replace(
        "\n\n\nclass Migration", "\nfrom crm.release.batched import BatchedMigration\n\n\nclass Migration", 1
    )
    path = location.migrations / f"{plan.name}.py"
    path.write_text(f"# What `manage.py apply` did; run like any migration of Django.\n{text}", encoding="utf-8")
    return path


def _recompute(plan: ReleasePlan) -> None:
    """Work out the values that columns keep, in a process that serves the new definitions."""
    if any(MATERIALIZED in entity.storage.values() for entity in plan.business.entities.values()):
        _manage("recompute", BUSINESS=str(settings.BUSINESS_LOCATION.folder)).check_returncode()


def _count_rules(plan: ReleasePlan, say: Callable[[str], None]) -> None:
    """Say who breaks the new rules that could not be counted before, in a process that serves the new definitions."""
    if plan.rules_to_count:
        keys = [one.key for one in plan.rules_to_count]
        run = _manage("rules", *keys, BUSINESS=str(settings.BUSINESS_LOCATION.folder))
        say(run.stdout.rstrip() if run.returncode == 0 else f"The rules could not be counted:\n{run.stderr[-2000:]}")


def _manage(command: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), command, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=3600,
    )


def boot_test(plan: ReleasePlan) -> None:
    """Start the new definitions in a process of its own. Raises NotApplied with what it said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot.json"
        write_snapshot(plan.snapshot, path)
        run = _manage("check", SNAPSHOT=str(path), BUSINESS=str(settings.BUSINESS_LOCATION.folder))
    if run.returncode:
        raise NotApplied(
            f"The definitions are valid, but the application does not start with them:\n{run.stderr[-2000:]}"
        )


def _reload(say: Callable[[str], None]) -> None:
    """Tell gunicorn's master to start new workers; development servers watch the snapshot themselves."""
    if not settings.RELOAD_PID_FILE:
        return
    try:
        os.kill(int(Path(settings.RELOAD_PID_FILE).read_text()), signal.SIGHUP)
    except (OSError, ValueError) as error:
        say(f"Could not reload gunicorn ({error}): restart it.")
    else:
        say("Gunicorn reloads.")
