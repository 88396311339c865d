"""How commands end where the database or the disk is away: with a sentence and 1, and no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from crm.records.outages import describe_outage


def run_to_its_end(execute: Callable[[], object]) -> None:
    """Carry out a command and write out what it printed; exit with a sentence where something outside of it failed."""
    try:
        try:
            execute()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # Whoever reads has had enough, as `head` has.
        _give_up_output()
        sys.exit(1)
    except Exception as error:
        outage = describe_outage(error)
        if not outage:
            raise
        _give_up_output()
        sys.exit(f"Error: {outage} ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _give_up_output() -> None:
    """Let what is still to be written go nowhere: the interpreter would try, and fail, once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
