"""List: the first page of the bookings, and the first page of those with one status."""

from __future__ import annotations

from contenders import Worker, ready, working
from databases import name_of
from options import Options

from sections.pages import measure

FEW = 5
"""So many bookings are there when the queries are counted first; a page's queries must not grow from there."""
TRIPS = 200
PAGES = {
    "first page": {"Formwright": "booking/", "baseline": "booking/", "plain admin": "booking/"},
    "filtered by status": {
        "Formwright": "booking/?status=confirmed",
        "baseline": "booking/?status__exact=confirmed",
        "plain admin": "booking/?status__exact=confirmed",
    },
}


def run(kind: str, options: Options) -> None:
    """Get the pages of each contender in turn, at each size."""
    with ready(kind) as found, working(found.ours, found.baseline, found.plain) as workers:
        notes = [_same_columns(*workers[:2])]
        for one in workers:
            one.ask("people")
        _fill(workers, FEW)
        few = {
            title: {one.name: one.ask("queries", path=paths[one.name]) for one in workers}
            for title, paths in PAGES.items()
        }
        for size in options.sizes:
            _fill(workers, size)
            for title, paths in PAGES.items():
                measure(f"list · {title} · {size:,} bookings · {name_of(kind)}", workers, paths, few[title], notes)


def _fill(workers: list[Worker], size: int) -> None:
    for one in workers[:2]:
        one.ask("fill", booked=size, of_customers=max(size // 5, 1), of_trips=TRIPS)
    for one in workers:
        one.ask("reconnect")


def _same_columns(ours: Worker, baseline: Worker) -> str:
    """Say whether both keep the same columns and indexes, and which differ where they do not."""
    mine, theirs = ours.ask("columns"), baseline.ask("columns")
    differ = [f"{name}: {one}" for name in mine for one in sorted(set(mine[name]) ^ set(theirs[name]))]
    return f"DIFFERENT TABLES: {'; '.join(differ)}" if differ else "Both keep the same columns, types and indexes."
