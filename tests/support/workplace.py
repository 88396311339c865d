"""A business in a folder and a database of its own, worked with by the commands that its owner has."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.support.forkserver import HOOK, MANAGE, ForkServer, start_server

ROOT = Path(__file__).resolve().parents[2]
BUSINESSES = ROOT / "tests" / "businesses"
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")
"""A PostgreSQL server where databases may be made and dropped; their names begin with that of the URL's."""
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(not POSTGRES, reason="no TEST_POSTGRES_URL"))]
"""The databases that a test runs on, as its parameters."""


@cache
def fork_server() -> ForkServer:
    """Return the server that runs the commands of this process's tests, started when the first one needs it."""
    return start_server(Path(tempfile.mkdtemp(dir=os.environ["VAR_DIR"])))


@dataclass(frozen=True)
class Workplace:
    """A copied folder of definitions, with its database and its VAR_DIR."""

    folder: Path
    var: Path
    database_url: str = ""
    is_cold: bool = False

    def run(self, *words: str | Path, expect: int = 0, hook: str = "") -> subprocess.CompletedProcess[bytes]:
        """Run a command of manage.py, with a `hook` of the fork server where one is named, and check how it ended."""
        return self._run(MANAGE, *words, expect=expect, **{HOOK: hook} if hook else {})

    def run_script(self, path: Path) -> bytes:
        """Run a Python file in a fork that has this business set up, and return what it printed."""
        return replace(self, is_cold=False)._run(path).stdout

    def cold(self) -> Self:
        """Return this workplace with commands that are processes of their own from the start, as its owner's are."""
        return replace(self, is_cold=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a process must be told to work on this business."""
        mine = {"BUSINESS": str(self.folder), "VAR_DIR": str(self.var), "DATABASE_URL": self.database_url}
        return {**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", "DEBUG": "1", **mine}

    def _run(self, *words: str | Path, expect: int = 0, **variables: str) -> subprocess.CompletedProcess[bytes]:
        command = list(map(str, words))
        if self.is_cold:
            result = subprocess.run([sys.executable, *command], env=self.environment, capture_output=True, cwd=ROOT)
        else:
            result = fork_server().run(command, {**self.environment, **variables})
        said = (result.stderr + result.stdout).decode(errors="replace")
        assert result.returncode == expect, f"{' '.join(command)} ended with {result.returncode}:\n{said}"
        return result

    def import_file(self, entity: str, path: Path, *options: str) -> str:
        """Import a file, and return the counts as they are told."""
        return self.run("import", entity, path, *options).stdout.decode().strip()

    def export(self, entity: str, path: Path) -> Path:
        """Export an entity into a file of the format that its name ends with."""
        path.write_bytes(self.run("export", entity, "--format", path.suffix[1:]).stdout)
        return path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database directly, past the application."""
        if self.database_url:
            with psycopg.connect(self.database_url) as connection:
                return connection.execute(sql).fetchall()
        connection = sqlite3.connect(self.var / f"{self.folder.name}.sqlite3")
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


@contextmanager
def workplace(name: str, place: Path, engine: str) -> Iterator[Workplace]:
    """Set up a business of `tests/businesses` below `place`, its definitions applied, on SQLite or PostgreSQL."""
    folder = place / name
    shutil.copytree(BUSINESSES / name, folder, ignore=shutil.ignore_patterns("migrations"))
    with database(engine) as url:
        made = Workplace(folder, place / "var", url)
        made.run("apply", "--yes")
        yield made


Copied = TypeVar("Copied", bound=Workplace)


@contextmanager
def copied(made: Copied, place: Path) -> Iterator[Copied]:
    """Copy a business below `place`, with its database; nobody may use that one meanwhile."""
    folder = shutil.copytree(made.folder, place / made.folder.name)
    shutil.copytree(made.var, place / "var")
    with database("postgresql" if made.database_url else "sqlite", like=made.database_url) as url:
        yield replace(made, folder=folder, var=place / "var", database_url=url)


@contextmanager
def database(engine: str, like: str = "") -> Iterator[str]:
    """Make a database for as long as it is used, and give its URL; nothing for SQLite, which is a file.

    It is empty, or a copy of the one at the URL `like`.
    """
    if engine == "sqlite":
        yield ""
        return
    server = urlsplit(POSTGRES)
    name = f"{server.path.strip('/') or 'formwright'}_{uuid.uuid4().hex[:12]}"
    template = urlsplit(like).path.strip("/") or "template1"
    with psycopg.connect(urlunsplit(server._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield urlunsplit(server._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
