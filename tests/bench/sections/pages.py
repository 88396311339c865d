"""Pages got in turn from several workers, and what they cost beside one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contenders import Worker
from report import ratio, show, spread

RUNS = 25
WARM_UP = 3


def measure(
    title: str, workers: Sequence[Worker], paths: Mapping[str, str], few: Mapping[str, int], notes: Sequence[str]
) -> None:
    """Get a page of each worker in turn, and print the times, each beside those of all but the first.

    `few` holds how many queries a page took when there were few rows.
    """
    taken: dict[str, list[float]] = {one.name: [] for one in workers}
    last = {}
    for turn in range(WARM_UP + RUNS):
        for one in workers:
            last[one.name] = one.ask("page", path=paths[one.name])
            if turn >= WARM_UP:
                taken[one.name].append(last[one.name]["seconds"] * 1000)
    seen = {(page["rows"], page["found"]) for page in last.values()}
    if len(seen) > 1:
        notes = [*notes, f"NOT COMPARABLE: rows shown and found are {seen}"]
    others = [one.name for one in workers[1:]]
    rows = [
        [
            one.name,
            spread(taken[one.name], "ms"),
            *(ratio(taken[one.name], taken[other]) for other in others),
            f"{few[one.name]} → {one.ask('queries', path=paths[one.name])}",
            f"{last[one.name]['bytes'] / 1024:,.0f} kB",
            last[one.name]["rows"],
        ]
        for one in workers
    ]
    heads = ["page", "time", *(f"ratio to {other}" for other in others), "queries: few → all rows", "HTML", "rows"]
    show(f"{title} · {RUNS} runs each, in turn", heads, rows, notes)
