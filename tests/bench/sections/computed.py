"""Computed: a list with computed columns beside the same list without them, and beside one with plain columns."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from contenders import ROOT, Contender, Worker, formwright, working
from databases import fresh_database, name_of
from folders import PLAIN, write_computed, write_travel
from options import Options

from sections.pages import measure

FEW = 60
"""More bookings than a page shows: a page's queries must not grow from there."""
TRIPS = 200
NOTES = [
    "Computed: the total (by the database), the sum of the customer's seats (kept), and whether it is late (anew).",
    f"Plain: {', '.join(PLAIN)}, in their place.",
]
PAGES = {"first page": "booking/", "filtered by status": "booking/?status=confirmed"}


def run(kind: str, options: Options) -> None:
    """Get the pages of the three lists in turn, at each size."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        found = [
            _made(place, stack.enter_context(fresh_database(kind)), name)
            for name in ("computed columns", "plain columns", "without")
        ]
        with working(*found) as workers:
            for one in workers:
                one.ask("people")
            _fill(found, workers, FEW)
            few = {path: {one.name: one.ask("queries", path=path) for one in workers} for path in PAGES.values()}
            for size in options.sizes:
                _fill(found, workers, size)
                for title, path in PAGES.items():
                    paths = {one.name: path for one in workers}
                    measure(
                        f"computed · {title} · {size:,} bookings · {name_of(kind)}", workers, paths, few[path], NOTES
                    )


def _made(place: Path, url: str, name: str) -> Contender:
    here = place / name.replace(" ", "_")
    folder = write_travel(ROOT / "definitions" / "travel", here)
    if name != "without":
        write_computed(folder, shown=name.startswith("computed"))
    made = formwright(here / "var", folder, url, name)
    made.manage("apply", "--yes")
    return made


def _fill(contenders: list[Contender], workers: list[Worker], size: int) -> None:
    for contender, worker in zip(contenders, workers, strict=True):
        worker.ask("fill", booked=size, of_customers=max(size // 5, 1), of_trips=TRIPS)
        contender.manage("recompute")
        worker.ask("reconnect")
