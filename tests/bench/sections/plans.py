"""Plan: generated entities brought into force in a fresh folder and database, and then one more field."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from contenders import BASELINE, Contender, baseline, formwright
from databases import fresh_database, name_of
from folders import add_field, write_generated, write_models
from options import Options
from report import ratio, short, show, spread

COUNTS = (50, 100, 200)
ROUNDS = 3
STEP = 50
"""So many models at a time are given to Django's own way before the one more field: it takes no 200 at once."""
PATIENCE = 60
"""Seconds after which Django's own way is given up."""
HEADS = ["step", "entities", "Formwright", "baseline", "ratio"]
NEW = "all new: apply --yes; makemigrations and migrate"
PLAN = "one more field: plan; makemigrations --dry-run"
MORE = "one more field: apply --yes; makemigrations and migrate"


def run(kind: str, options: Options) -> None:
    """Bring growing numbers of entities into force, from nothing each time, and one more field at the end."""
    counts, rounds = ((5, 10), 1) if options.quick else (COUNTS, ROUNDS)
    rows = []
    for count in counts:
        ours = [_ours(kind, count) for _ in range(rounds)]
        theirs = _all_new(kind, count)
        rows.append([NEW, f"{count}", *_cells([one[0] for one in ours], theirs)])
    planned, more = _one_more(kind, count)
    rows.append([PLAN, f"{count} + 1 field", *_cells([one[1] for one in ours], planned)])
    rows.append([MORE, f"{count} + 1 field", *_cells([one[2] for one in ours], more)])
    notes = [
        "Eight fields an entity, two of them links, and each with its history.",
        f"For the one more field, the baseline's models were made {STEP} at a time before.",
    ]
    show(f"plan · {name_of(kind)} · runs: Formwright {rounds}, baseline 1", HEADS, rows, notes)


def _cells(ours: list[float], theirs: float | None) -> list[str]:
    if theirs is None:
        return [spread(ours, "s"), f"given up after {PATIENCE} s", ""]
    return [spread(ours, "s"), f"{short(theirs)} s", ratio(ours, [theirs])]


def _ours(kind: str, count: int) -> tuple[float, float, float]:
    """Return the seconds of the first apply, of the plan of one more field, and of its apply."""
    with tempfile.TemporaryDirectory(prefix="bench-") as place, fresh_database(kind) as url:
        folder = write_generated(Path(place), count)
        business = formwright(Path(place) / "var", folder, url)
        first = business.manage("apply", "--yes")
        add_field(folder)
        planned = business.manage("plan", fine=(2,))
        return first, planned, business.manage("apply", "--yes")


def _all_new(kind: str, count: int) -> float | None:
    """Return the seconds that Django's own way takes; None where it was given up."""
    with _generated(kind) as (place, project):
        write_models(place, count)
        try:
            return _migrated(project, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return None


def _one_more(kind: str, count: int) -> tuple[float, float]:
    """Return the seconds that Django's own way takes to show, and to carry out, one more field."""
    with _generated(kind) as (place, project):
        for done in range(min(STEP, count), count + 1, STEP):
            write_models(place, done)
            project.manage("makemigrations", "generated", "--verbosity", "0")
        project.manage("migrate", "--verbosity", "0")
        write_models(place, count, more=True)
        planned = project.manage("makemigrations", "generated", "--dry-run")
        return planned, _migrated(project)


@contextmanager
def _generated(kind: str) -> Iterator[tuple[Path, Contender]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as place, fresh_database(kind) as url:
        project = baseline(Path(place) / "var", url, "settings_generated")
        paths = os.pathsep.join([str(BASELINE), place])
        yield Path(place), replace(project, environment={**project.environment, "PYTHONPATH": paths})


def _migrated(project: Contender, timeout: float | None = None) -> float:
    made = project.manage("makemigrations", "generated", "--verbosity", "0", timeout=timeout)
    return made + project.manage("migrate", "--verbosity", "0", timeout=timeout)
