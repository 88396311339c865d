"""Import and export: customers and bookings from and to CSV files, each row with its history."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from contenders import Failed, Worker, ready, working
from databases import name_of
from options import Options
from report import quartiles, ratio, short, show, spread
from rows import bookings, customers

LIMIT = 10_000
"""The most rows that the baseline imports; it has done little after minutes of 100,000."""
FEW = 20_000
"""Up to this many rows an import or export is measured ROUNDS times, else once."""
ROUNDS = 3
TRIPS = 200
ENTITIES = ("Customer", "Booking")
HEADS = ["file", "rows", "rows a second", "speed to baseline", "seconds", "peak memory"]
Measure = Callable[[Worker, int], dict[str, Any]]
Runs = dict[str, list[dict[str, Any]]]
"""Contender → what each of its runs found."""


def run_import(kind: str, options: Options) -> None:
    """Import files into empty tables, in turn."""
    with (
        ready(kind) as found,
        working(found.ours, found.baseline, found.tuned) as workers,
        tempfile.TemporaryDirectory() as place,
    ):
        for one in workers:
            one.ask("people")
        for name in ENTITIES:
            for size in options.sizes:
                files = {rows: _file(Path(place), name, rows) for rows in {size, min(size, LIMIT)}}
                taken = _rounds(workers, size, _importer(name, files), LIMIT)
                notes = ["After each import there were as many records and as many versions as rows in the file."]
                _show("import", name, size, kind, taken, notes)


def run_export(kind: str, options: Options) -> None:
    """Export full tables, in turn."""
    with (
        ready(kind) as found,
        working(found.ours, found.baseline, found.tuned) as workers,
        tempfile.TemporaryDirectory() as place,
    ):
        for one in workers:
            one.ask("people")
        for size in options.sizes:
            for one in workers[:2]:
                one.ask("fill", booked=size, of_customers=size, of_trips=TRIPS)
            for one in workers:
                one.ask("reconnect")
            for name in ENTITIES:
                taken = _rounds(workers, size, _exporter(name, Path(place)), size)
                _show("export", name, size, kind, taken, ["Every file held all rows."])


def _rounds(workers: list[Worker], size: int, measure: Measure, limit: int) -> Runs:
    """Measure in turn: the first with all rows, the others with as many as the limit lets them."""
    taken: Runs = {one.name: [] for one in workers}
    for _ in range(ROUNDS if size <= FEW else 1):
        for one in workers:
            taken[one.name].append(measure(one, size if one is workers[0] else min(size, limit)))
    return taken


def _importer(name: str, files: dict[int, Path]) -> Measure:
    def measure(worker: Worker, rows: int) -> dict[str, Any]:
        worker.ask("empty", name=name)
        if name == "Booking":
            worker.ask("fill", booked=0, of_customers=_guests(rows), of_trips=TRIPS)
        found = worker.ask("read_file", name=name, path=str(files[rows]))
        if {found["records"], found["versions"]} != {rows}:
            raise Failed(
                f"{worker.name}: {name}: {rows} rows made {found['records']} records, {found['versions']} versions"
            )
        return {**found, "rows": rows}

    return measure


def _exporter(name: str, place: Path) -> Measure:
    def measure(worker: Worker, rows: int) -> dict[str, Any]:
        found = worker.ask("write_file", name=name, path=str(place / "export.csv"))
        if found["rows"] != rows:
            raise Failed(f"{worker.name}: {name}: the export of {rows} records has {found['rows']} rows")
        return found

    return measure


def _guests(rows: int) -> int:
    return max(rows // 5, 1)


def _file(place: Path, name: str, rows: int) -> Path:
    path = place / f"{name}-{rows}.csv"
    if not path.exists():
        _write(path, customers(rows) if name == "Customer" else bookings(rows, _guests(rows), TRIPS))
    return path


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = None
        for row in rows:
            writer = writer or csv.DictWriter(file, list(row))
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)


def _show(verb: str, name: str, size: int, kind: str, taken: Runs, notes: list[str]) -> None:
    speeds = {one: [found["rows"] / found["seconds"] for found in runs] for one, runs in taken.items()}
    rows = []
    for one, runs in taken.items():
        seconds = quartiles([found["seconds"] for found in runs])[1]
        last = runs[-1]
        peak = f"{last['megabytes']:,.0f} MB (+{last['growth']:,.0f})"
        cells = [one, f"{runs[0]['rows']:,}", spread(speeds[one]), ratio(speeds[one], speeds["baseline"])]
        rows.append([*cells, short(seconds), peak])
    least = taken["baseline"][0]["rows"]
    if least < size:
        notes = [*notes, f"The baseline was measured with {least:,} rows, not {size:,}."]
    show(f"{verb} · {size:,} {name.lower()}s · {name_of(kind)} · runs in turn: {len(runs)}", HEADS, rows, notes)
