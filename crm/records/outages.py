"""Outages: errors that are no fault of the program, such as a database that is away or a disk that is full."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

UNREACHABLE = gettext_lazy("The database cannot be reached.")
FULL = gettext_lazy("There is no room left to store anything.")
READ_ONLY = gettext_lazy("Nothing can be stored just now: the storage is open for reading only.")
BUSY = gettext_lazy("The database is busy with other changes.")
SQLITE = {
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
    sqlite3.SQLITE_IOERR: UNREACHABLE,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
}
"""SQLite's primary result codes; its other errors are the program's."""
POSTGRESQL = {
    "08": UNREACHABLE,
    "57P": UNREACHABLE,
    "58": UNREACHABLE,
    "53": UNREACHABLE,
    "53100": FULL,
    "53200": FULL,
    "25006": READ_ONLY,
    "40": BUSY,
    "55P03": BUSY,
}
"""What the SQLSTATE of an error begins with; the longest that fits is meant."""
FILES = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}


def describe_outage(error: BaseException | None) -> str:
    """Say in a sentence what is away or full, where that is the cause of an error; nothing for any other error."""
    for cause in _causes(error):
        if isinstance(cause, DatabaseError | InterfaceError):
            return str(_database_outage(cause))
        if isinstance(cause, OSError) and cause.errno in FILES:
            return str(FILES[cause.errno])
    return ""


def advise(sentence: str) -> str:
    """Return the sentence of an outage with what has become of the request, and what to do."""
    return _("%(outage)s Nothing was changed. Try again in a moment.") % {"outage": sentence}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _database_outage(error: Exception) -> object:
    driver_error = error.__cause__
    if isinstance(driver_error, sqlite3.Error):
        return SQLITE.get(getattr(driver_error, "sqlite_errorcode", 0) & 0xFF, "")
    state = getattr(driver_error, "sqlstate", None)
    if state:
        return next((POSTGRESQL[state[:size]] for size in (5, 3, 2) if state[:size] in POSTGRESQL), "")
    return UNREACHABLE if isinstance(error, OperationalError | InterfaceError) else ""
