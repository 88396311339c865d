"""Acts in several threads at once, on a database that all of them can write to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections


@contextmanager
def database_of_threads(folder: Path) -> Iterator[None]:
    """Let threads write to the database of the tests: for SQLite, which has it in memory, to a copy in a file."""
    if connection.vendor != "sqlite":
        yield
        return
    copy = sqlite3.connect(folder / "copy.sqlite3")
    connection.connection.backup(copy)
    copy.execute("PRAGMA journal_mode=WAL")  # As of any database in a file: two first connections would both switch.
    copy.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", str(folder / "copy.sqlite3"))
        yield


def in_threads(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Run an act in threads with connections of their own, and return what each gave."""

    def run(index: int) -> Any:
        try:
            return act(index)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
