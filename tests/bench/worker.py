"""Runs inside a contender: takes tasks as lines of JSON, and answers each with a line of JSON.

The contender is what the environment says; its models are found by their names, which are the same everywhere.
"""

from __future__ import annotations

import csv
import gc
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from import_export.resources import ModelResource
from rows import STAFF, bookings, customers, trips
from tablib import Dataset

LABEL = os.environ["BENCH_LABEL"]
MODELS = ("Customer", "Trip", "Booking", "Invoice", "InvoiceLine", "Task")
BATCH = 2_000
client = Client()


def model_of(name: str) -> type[models.Model]:
    """Return one of the compared models."""
    return apps.get_model(LABEL, name)


def columns() -> dict[str, list[str]]:
    """Describe the columns and indexes of each model, to see that the contenders keep the same."""
    found = {}
    for name in MODELS:
        meta = model_of(name)._meta
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, meta.db_table).values()
        indexes = {
            f"{_kind(one)} on {', '.join(one['columns'])}" for one in constraints if one["index"] or one["unique"]
        }
        fields = [f"{one.column} {one.db_type(connection)}{' null' * one.null}" for one in meta.concrete_fields]
        found[name] = [*sorted(fields), *sorted(indexes), *(f"{one.name} (many)" for one in meta.many_to_many)]
    return found


def _kind(constraint: dict[str, Any]) -> str:
    return "unique" if constraint["unique"] else "index"


def people() -> None:
    """Add the staff, where they are not there yet, and sign the first of them in."""
    users = get_user_model().objects
    for name in STAFF:
        users.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": name == STAFF[0]})
    client.force_login(users.get(username=STAFF[0]))


def fill(booked: int, of_customers: int, of_trips: int) -> None:
    """Fill the tables up to these numbers, past `save()` and without history."""
    with transaction.atomic():
        _add("Customer", customers(of_customers))
        _add("Trip", trips(of_trips))
        _add("Booking", bookings(booked, of_customers, of_trips))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def reconnect() -> None:
    """Leave the connection: one that was open before a table was filled plans its queries for the empty one."""
    connection.close()


KEYS = {"customer": ("Customer", "email"), "trip": ("Trip", "code")}


def _add(name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Add the rows behind those that there are already; both follow the same order."""
    model = model_of(name)
    have = model._base_manager.count()
    links = {one: _keys(model_of(target), key) for one, (target, key) in KEYS.items() if name == "Booking"}
    staff = _keys(get_user_model(), "username")
    links |= {"owner": staff, "sold_by": staff}
    waiting = []
    for index, row in enumerate(rows):
        if index >= have:
            waiting.append(_record(model, row, links))
        if len(waiting) == BATCH:
            model._base_manager.bulk_create(waiting)
            waiting = []
    model._base_manager.bulk_create(waiting)


def _keys(model: type[models.Model], key: str) -> dict[Any, Any]:
    return dict(model._base_manager.values_list(key, "pk"))


def _record(model: type[models.Model], row: dict[str, Any], links: dict[str, dict[Any, Any]]) -> models.Model:
    values = {}
    for name, value in row.items():
        field = model._meta.get_field(name)
        if name in links:
            values[field.attname] = links[name][value]
        elif isinstance(field, models.JSONField):
            values[name] = json.loads(value)
        elif value != "":
            values[name] = field.to_python(value)
    return model(**values)


def page(path: str) -> dict[str, Any]:
    """Get a page of the admin: seconds, size, rows on it and rows found in all; of a home page, cards and newest."""
    start = time.perf_counter()
    response = client.get(_address(path))
    seconds = time.perf_counter() - start
    if response.status_code != 200:
        raise RuntimeError(f"{path}: status {response.status_code}, to {response.headers.get('Location')}")
    measured = {"seconds": seconds, "bytes": len(response.content)}
    if "cl" not in response.context_data:
        cards, newest = response.context_data["cards"], response.context_data["newest"]
        return {**measured, "rows": len(cards), "found": len(newest)}
    shown = response.context_data["cl"]
    return {**measured, "rows": len(shown.result_list), "found": shown.result_count}


def _address(path: str) -> str:
    return path if path.startswith("/") else f"/admin/{LABEL}/{path}"


def queries(path: str) -> int:
    """Count the queries of a page."""
    with CaptureQueriesContext(connection) as seen:
        client.get(_address(path))
    return len(seen)


def empty(name: str) -> None:
    """Empty a model's table and its history, with all that depends on it."""
    tables = [model_of(name)._meta.db_table, model_of(name).history.model._meta.db_table]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables, allow_cascade=True))


def read_file(name: str, path: str) -> dict[str, Any]:
    """Import a CSV file into a model: seconds, and how many records and versions there are afterwards."""
    before = _forget_peak()
    start = time.perf_counter()
    import_by(name, path)
    seconds = time.perf_counter() - start
    model = model_of(name)
    counts = {"records": model._base_manager.count(), "versions": model.history.count()}
    return {"seconds": seconds, **counts, **_memory(before)}


def write_file(name: str, path: str) -> dict[str, Any]:
    """Export all of a model to a CSV file: seconds, and how many rows the file holds."""
    before = _forget_peak()
    start = time.perf_counter()
    export_by(name, path)
    seconds = time.perf_counter() - start
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    return {"seconds": seconds, "rows": rows, **_memory(before)}


STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _status(name: str) -> float:
    """Return a size from what Linux says of this process, in megabytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


def _forget_peak() -> float:
    """Let the peak of memory begin anew, and return how much is taken now; 0 where the system cannot tell."""
    gc.collect()
    if not FORGET.exists():
        return 0
    FORGET.write_text("5")
    return _status("VmRSS")


def _memory(before: float) -> dict[str, float]:
    """Return the peak since it began anew, and how far that is above what was taken before."""
    peak = _status("VmHWM") if before else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"megabytes": peak, "growth": peak - before}


def _resource(name: str) -> ModelResource:
    module = import_module("agency.resources")
    return getattr(module, f"{os.environ.get('BENCH_RESOURCES', '')}{name}Resource")()


def _import_by_library(name: str, path: str) -> None:
    dataset = Dataset().load(Path(path).read_text(encoding="utf-8"), format="csv")
    _resource(name).import_data(dataset, dry_run=False, raise_errors=True)


def _export_by_library(name: str, path: str) -> None:
    Path(path).write_text(_resource(name).export().csv, encoding="utf-8", newline="")


def _import_by_command(name: str, path: str) -> None:
    call_command("import", name.lower(), path, stdout=sys.stderr)


def _export_by_command(name: str, path: str) -> None:
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        call_command("export", name.lower(), stdout=file)


import_by, export_by = (
    (_import_by_library, _export_by_library) if LABEL == "agency" else (_import_by_command, _export_by_command)
)
TASKS: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (columns, people, fill, reconnect, page, queries, empty, read_file, write_file)
}


def main() -> None:
    """Answer until there are no more tasks. Whatever the project prints goes to stderr."""
    answers, sys.stdout = sys.stdout, sys.stderr
    django.setup()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            said = {"answer": TASKS[asked["task"]](**asked["details"])}
        except Exception:
            said = {"error": traceback.format_exc()}
        answers.write(json.dumps(said) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
