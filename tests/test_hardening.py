"""No start with a weak secret; the database, the uploads and their folders are for the service's user alone."""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import connection

from crm.capabilities.transfer.runs import start_run
from crm.checks import files_are_private
from crm.hardening import make_private_file, make_private_folder, what_is_wrong_with_secret
from tests.support.records import entity, make
from tests.support.workplace import ROOT

WEAK = {
    "": "has 0 characters",
    "short": "has 5 characters",
    "x" * 49: "has 49 characters",
    "x" * 80: "repeats itself",
    "0123456789" * 6: "few different characters",
    "314159265358979323846264338327950288419716939937510582": "few different characters",
    "change-me-please " * 4: "repeats itself",
    "django-insecure-8tu4-EMdJvwioZOa21treBygMa0IGPjzPWZy80pRRKoT4kk2lw": "for development",
}


@pytest.fixture(autouse=True)
def usual_mask():
    """The mask that most systems have: what is not made private is for everyone to read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path):
    return oct(stat.S_IMODE(Path(path).stat().st_mode))


@pytest.mark.parametrize("secret", WEAK)
def test_a_secret_that_can_be_guessed_is_told_as_such(secret):
    assert WEAK[secret] in what_is_wrong_with_secret(secret)


def test_random_secrets_are_taken():
    for make_secret in (
        lambda: secrets.token_urlsafe(50),
        lambda: secrets.token_hex(32),
        lambda: secrets.token_hex(25),
    ):
        assert [what_is_wrong_with_secret(make_secret()) for _ in range(200)] == [""] * 200


def start(**environment):
    """Load the settings in a process of their own, and return what it says."""
    clean = {key: value for key, value in os.environ.items() if key not in {"DEBUG", "SECRET_KEY", "DATABASE_URL"}}
    script = "from project import settings; print('started')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env={**clean, **environment}, capture_output=True, cwd=ROOT, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[-1]


@pytest.mark.starts(4)
def test_production_does_not_start_with_a_weak_secret_and_development_does(tmp_path):
    var = {"VAR_DIR": str(tmp_path / "var")}
    refused = start(SECRET_KEY="short", **var)
    assert "SECRET_KEY is too weak: it has 5 characters, and fewer than 50 can be guessed. Make a new one: " in refused
    assert start(SECRET_KEY=secrets.token_urlsafe(50), **var) == "started"
    assert start(SECRET_KEY="short", DEBUG="1", **var) == start(DEBUG="1", **var) == "started"
    assert mode(tmp_path / "var") == "0o700" and mode(tmp_path / "var" / "travel.sqlite3") == "0o600"


def test_the_database_and_the_files_beside_it_are_private(tmp_path):
    make_private_folder(tmp_path / "a" / "var")
    make_private_file(tmp_path / "a" / "var" / "shop.sqlite3")
    database = sqlite3.connect(tmp_path / "a" / "var" / "shop.sqlite3")
    database.executescript("PRAGMA journal_mode=WAL; CREATE TABLE x (y); INSERT INTO x VALUES (1);")
    modes = {path.name: mode(path) for path in (tmp_path / "a" / "var").iterdir()}
    database.close()
    assert modes == dict.fromkeys(("shop.sqlite3", "shop.sqlite3-wal", "shop.sqlite3-shm"), "0o600")


@pytest.mark.parametrize("name", [":memory:", "file:memorydb?mode=memory"])
def test_a_database_in_memory_is_no_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    make_private_file(Path(name))
    assert not list(tmp_path.iterdir())


def test_what_is_there_already_is_left_as_it_is(tmp_path):
    """A folder of the system's, such as /tmp, given as VAR_DIR must not be closed to others."""
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert mode(tmp_path) == "0o755"


def test_uploads_and_all_folders_of_theirs_are_private(db):
    trip = make("trip", full=True)
    large = TemporaryUploadedFile("large.pdf", "application/pdf", 10, None)
    large.write(b"0123456789")
    trip.brochure.save("large.pdf", large)
    for file in (trip.cover, trip.brochure):
        assert mode(file.path) == "0o600"
        inside = [folder for folder in Path(file.path).parents if folder.is_relative_to(settings.MEDIA_ROOT)]
        assert inside and {mode(folder) for folder in inside} == {"0o700"}


def test_the_file_of_an_import_and_its_preview_are_private(db):
    run = start_run(entity("guide"), "guides.csv", b"name,email\nAda,ada@example.org\n", None)
    assert [mode(run.source.path), mode(run.preview.path)] == ["0o600", "0o600"]


def test_the_check_of_deployments_names_what_others_can_read(monkeypatch):
    with tempfile.TemporaryDirectory() as name:  # Those of pytest lie in a folder that is private itself.
        var = Path(name)
        files, database = var / "files", var / "shop.sqlite3"
        files.mkdir()
        database.touch()
        monkeypatch.setattr(settings, "VAR_DIR", var)
        monkeypatch.setattr(settings, "MEDIA_ROOT", files)
        monkeypatch.setitem(connection.settings_dict, "NAME", str(database))
        assert files_are_private() == [], "what lies in a private folder cannot be reached"
        var.chmod(0o755)
        named = [var, files, *([database] if connection.vendor == "sqlite" else [])]
        assert [warning.msg for warning in files_are_private()] == [
            f"Other users of this machine can read {path}." for path in named
        ]


HTTPS_SETTINGS = "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"


def loaded(names, **environment):
    """Load the settings in a process of their own, and return what they say by these names."""
    clean = {key: value for key, value in os.environ.items() if key not in {"DEBUG", "HTTPS", "BEHIND_PROXY"}}
    script = f"from project import settings; print([getattr(settings, name) for name in {names!r}])"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env={**clean, **environment}, capture_output=True, cwd=ROOT, text=True)
    return done.stdout.strip()


@pytest.mark.starts(3)
def test_production_keeps_cookies_to_https_and_believes_no_header_unasked(tmp_path):
    names = (*HTTPS_SETTINGS, "SECURE_PROXY_SSL_HEADER")
    base = {"VAR_DIR": str(tmp_path / "var"), "SECRET_KEY": secrets.token_urlsafe(50)}
    assert loaded(names, **base) == "[True, True, True, None]"
    assert loaded(names, HTTPS="0", **base) == "[False, False, False, None]"
    asked = loaded(names, BEHIND_PROXY="1", **base)
    assert asked == "[True, True, True, ('HTTP_X_FORWARDED_PROTO', 'https')]"
