"""Kills an apply at one of its writes, as `kill -9` and a power cut do: itself, and whatever it has started.

`install` is a hook of the fork server: it counts every statement that writes, every commit and every file that takes
the place of another, over all processes of a command, and ends all of them, which are one process group, when the count
is reached.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLACE, AT, ONLY = "KILL_PLACE", "KILL_AT", "KILL_ONLY"
READS = ("SELECT", "PRAGMA", "SAVEPOINT", "RELEASE SAVEPOINT", "SHOW", "EXPLAIN")


def install() -> None:
    """Count the writes of this process, and kill it and its kind at the one that the environment names."""
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    leader = Path(os.environ[PLACE]) / "leader"
    if not leader.exists():
        leader.write_text(str(os.getpid()))
    os.setpgid(0, int(leader.read_text()))
    CursorWrapper.execute = _counted(CursorWrapper.execute, lambda self, sql, *_: str(sql))  # type: ignore[method-assign]
    BaseDatabaseWrapper._commit = _counted(BaseDatabaseWrapper._commit, lambda *_: "COMMIT", after=True)  # type: ignore
    os.replace = _counted(os.replace, lambda one, other: f"REPLACE {Path(other).name}", after=True)  # type: ignore


def _counted(function: Callable, tell: Callable[..., str], after: bool = False) -> Callable:
    def call(*args: Any, **kwargs: Any) -> Any:
        what = " ".join(tell(*args, **kwargs).split())
        if what.upper().startswith(READS):
            return function(*args, **kwargs)
        _count(what)
        result = function(*args, **kwargs)
        if after:
            _count(f"after {what}")
        return result

    return call


def _count(what: str) -> None:
    place = Path(os.environ[PLACE])
    with (place / "writes").open("a") as writes:
        writes.write(f"{what[:100]}\n")
    number = len((place / "writes").read_text().splitlines())
    if number != int(os.environ[AT]):
        return
    if not os.environ.get(ONLY):
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
