"""A database that is away or a disk that is full is told as such: with 503, a way on, and one line in the log."""

from __future__ import annotations

import errno
import logging
import sqlite3

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError, connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test import Client

from crm.builders import site
from crm.records.outages import BUSY, FULL, READ_ONLY, UNREACHABLE, describe_outage
from tests.support.pages import address, form_data, text_of
from tests.support.records import make, model


def sqlite_error(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    error = kind("told by SQLite")
    error.sqlite_errorcode = code
    return error


def caused(error: Exception, kind: type[Exception] = OperationalError) -> Exception:
    made = kind(str(error))
    made.__cause__ = error
    return made


OUTAGES = {
    "no file": (caused(sqlite_error(sqlite3.SQLITE_CANTOPEN)), UNREACHABLE),
    "a disk that fails": (caused(sqlite_error(sqlite3.SQLITE_IOERR_WRITE)), UNREACHABLE),
    "a full disk": (caused(sqlite_error(sqlite3.SQLITE_FULL)), FULL),
    "a file that is read-only": (caused(sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED)), READ_ONLY),
    "a writer that takes long": (caused(sqlite_error(sqlite3.SQLITE_BUSY)), BUSY),
    "no server": (caused(psycopg.OperationalError("connection refused")), UNREACHABLE),
    "a server that goes down": (caused(psycopg.errors.AdminShutdown("going down")), UNREACHABLE),
    "too many connections": (caused(psycopg.errors.TooManyConnections("53300")), UNREACHABLE),
    "a full server": (caused(psycopg.errors.DiskFull("53100")), FULL),
    "a standby": (caused(psycopg.errors.ReadOnlySqlTransaction("25006")), READ_ONLY),
    "a deadlock": (caused(psycopg.errors.DeadlockDetected("40P01")), BUSY),
    "a lost connection": (caused(psycopg.InterfaceError("closed"), InterfaceError), UNREACHABLE),
    "no room for a file": (OSError(errno.ENOSPC, "No space left on device"), FULL),
    "no quota for a file": (OSError(errno.EDQUOT, "Disk quota exceeded"), FULL),
    "a mount that is read-only": (OSError(errno.EROFS, "Read-only file system"), READ_ONLY),
}
FAULTS = [
    caused(sqlite_error(sqlite3.SQLITE_ERROR)),
    caused(sqlite_error(sqlite3.SQLITE_CONSTRAINT, sqlite3.IntegrityError), IntegrityError),
    caused(psycopg.errors.UndefinedColumn("42703"), ProgrammingError),
    caused(psycopg.errors.StatementTooComplex("54001")),
    OSError(errno.ENOENT, "No such file"),
    RuntimeError("a fault"),
]


@pytest.fixture
def visitor(signed_in):
    signed_in.raise_request_exception = False
    return signed_in


def check_page(answer, sentence, caplog):
    assert answer.status_code == 503 and int(answer["Retry-After"]) > 0
    assert f"{sentence} Nothing was changed. Try again in a moment." in text_of(answer)
    assert "The fault is in the program" not in text_of(answer)
    told = [record for record in caplog.records if record.name.startswith("django.request")]
    assert [record.levelno for record in told] == [logging.WARNING] and not told[0].exc_info
    assert "Unavailable: /" in told[0].getMessage()


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("what", OUTAGES)
def test_a_view_without_its_database_or_disk_says_so(visitor, settings, monkeypatch, caplog, what, debug):
    settings.DEBUG = debug
    error, sentence = OUTAGES[what]

    def fail(*_):
        raise error

    monkeypatch.setattr(site, "home_context", fail)
    check_page(visitor.get("/admin/"), sentence, caplog)


@pytest.mark.parametrize("error", FAULTS, ids=str)
def test_a_fault_of_the_program_stays_one(visitor, monkeypatch, error):
    assert describe_outage(error) == ""

    def fail(*_):
        raise error

    monkeypatch.setattr(site, "home_context", fail)
    assert visitor.get("/admin/").status_code == 500


def no_database(*_):
    raise caused(psycopg.OperationalError("connection refused"))


@pytest.mark.parametrize("url", ["/admin/", "/admin/login/", "/admin/nothing/", "/files/x.pdf"])
def test_a_session_that_cannot_be_read_is_no_other_error(visitor, monkeypatch, caplog, url):
    """The session is read by middleware, whose errors no view sees."""
    with monkeypatch.context() as patch:
        patch.setattr(type(connections["default"]), "cursor", no_database)
        check_page(visitor.get(url), UNREACHABLE, caplog)


@pytest.mark.django_db
def test_signing_in_without_a_database_says_so(monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(type(connections["default"]), "cursor", no_database)
        data = {"username": "ada", "password": "secret"}
        check_page(Client(raise_request_exception=False).post("/admin/login/", data), UNREACHABLE, caplog)


@pytest.mark.parametrize("place", ["temporary", "stored"])
def test_an_upload_that_finds_no_room_says_so(visitor, settings, monkeypatch, caplog, place):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    if place == "temporary":
        monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", full)
    else:
        monkeypatch.setattr("crm.records.uploads.FileSystemStorage._save", full)
    trip = make("trip")
    data = form_data(visitor.get(address("trip", "change", trip.pk)), "trip_form")
    data |= {"name": "Changed", "brochure": SimpleUploadedFile("b.pdf", b"%PDF-1.4 " + b"x" * 100)}
    check_page(visitor.post(address("trip", "change", trip.pk), data), FULL, caplog)
    assert model("trip").objects.get().name == trip.name


@pytest.mark.django_db
def test_the_drivers_own_errors_are_told_apart(tmp_path):
    (tmp_path / "folder").mkdir()
    options = {**connection.settings_dict, "OPTIONS": {}, "ENGINE": "django.db.backends.sqlite3"}
    with pytest.raises(OperationalError) as caught:
        DatabaseWrapper({**options, "NAME": str(tmp_path / "folder")}).ensure_connection()
    assert describe_outage(caught.value) == UNREACHABLE
    small = DatabaseWrapper({**options, "NAME": str(tmp_path / "small.sqlite3")})
    with small.cursor() as cursor, pytest.raises(OperationalError) as caught:
        cursor.execute("CREATE TABLE words (word TEXT)")
        cursor.execute("PRAGMA max_page_count = 3")
        cursor.execute("INSERT INTO words VALUES (%s)", ["x" * 1_000_000])
    assert describe_outage(caught.value) == FULL
    small.close()
