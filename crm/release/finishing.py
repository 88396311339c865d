"""What a release does after its migrations: the snapshot, computed values, rules to count, new workers.

Each task can be done again at any time with the same outcome, so one that was cut off is simply done by the next apply.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from crm.blueprint.expressions.computing import MATERIALIZED
from crm.business import Location
from crm.release.errors import NotFinished
from crm.release.plan import ReleasePlan
from crm.release.releases import LastRelease, Task, strike_off
from crm.release.rule_violations import rules_of
from crm.release.snapshot import write_snapshot

logger = logging.getLogger(__name__)


def finish_release(plan: ReleasePlan, release: LastRelease, location: Location, say: Callable[[str], None]) -> None:
    """Do what a release has still to do after its migrations, and strike each task off. Raises NotFinished."""
    for noted in release.pending:
        task, arguments = Task.read(noted)
        try:
            TASKS[task](plan, location, say, arguments)
        except NotFinished:
            logger.error("Release %s: %s could not be done", release.pk, task)
            raise
        strike_off(release, noted)
        logger.info("Release %s: %s is done", release.pk, task)


def _write_snapshot(plan: ReleasePlan, location: Location, say: Callable[[str], None], arguments: list[str]) -> None:
    write_snapshot(plan.snapshot, location.snapshot)


def recompute(plan: ReleasePlan, *_: Any) -> None:
    """Work out the values that columns keep, in a process that serves the new definitions."""
    if any(MATERIALIZED in entity.storage.values() for entity in plan.business.entities.values()):
        run = run_manage("recompute", BUSINESS=str(settings.BUSINESS_LOCATION.folder))
        if run.returncode:
            raise NotFinished(f"The computed values could not be worked out:\n{run.stderr[-2000:]}")


def _count_rules(plan: ReleasePlan, location: Location, say: Callable[[str], None], keys: list[str]) -> None:
    """Say who breaks the new rules that could not be counted before, in a process that serves the new definitions."""
    there = {rule_check.key for rule_check in [*rules_of(plan.business), *plan.rules_to_count]}
    known = [key for key in keys if key in there]
    if known:
        run = run_manage("rules", *known, BUSINESS=str(settings.BUSINESS_LOCATION.folder))
        if run.returncode:
            logger.error("manage.py rules failed with the exit status %s", run.returncode)
        say(run.stdout.rstrip() if run.returncode == 0 else f"The rules could not be counted:\n{run.stderr[-2000:]}")


def run_manage(command: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), command, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=3600,
    )


def _reload(plan: ReleasePlan, location: Location, say: Callable[[str], None], arguments: list[str]) -> None:
    """Tell gunicorn's master to start new workers; development servers watch the snapshot themselves."""
    if not settings.RELOAD_PID_FILE:
        return
    try:
        os.kill(int(Path(settings.RELOAD_PID_FILE).read_text()), signal.SIGHUP)
    except (OSError, ValueError) as error:
        logger.warning("Gunicorn could not be told to reload: %s", error)
        say(f"Could not reload gunicorn ({error}): restart it.")
    else:
        say("Gunicorn reloads.")


TASKS = {
    Task.WRITE_SNAPSHOT: _write_snapshot,
    Task.RECOMPUTE: recompute,
    Task.COUNT_RULES: _count_rules,
    Task.RELOAD: _reload,
}
