"""Home: the page after signing in, with counts, weeks and what is newest of five entities."""

from __future__ import annotations

from contenders import Worker, ready, working
from databases import name_of
from options import Options

from sections.pages import measure

FEW = 60
"""More records than are shown as the newest: a page's queries must not grow from there."""
TRIPS = 200
PATH = "/admin/"
NOTES = [
    "As many customers as bookings, all added this week. Rows: the cards.",
    "The baseline's page counts, groups by weeks and sorts as Django's documentation shows it, without limits.",
]


def run(kind: str, options: Options) -> None:
    """Get the home page of each contender in turn, at each size."""
    with ready(kind) as found, working(found.ours, found.baseline) as workers:
        for one in workers:
            one.ask("people")
        _fill(workers, FEW)
        few = {one.name: one.ask("queries", path=PATH) for one in workers}
        for size in options.sizes:
            _fill(workers, size)
            paths = {one.name: PATH for one in workers}
            measure(f"home · {size:,} bookings and customers · {name_of(kind)}", workers, paths, few, NOTES)


def _fill(workers: list[Worker], size: int) -> None:
    for one in workers:
        one.ask("fill", booked=size, of_customers=size, of_trips=TRIPS)
        one.ask("reconnect")
