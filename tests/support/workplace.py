"""A business in a folder and a database of its own, worked with by the commands that its owner has."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUSINESSES = ROOT / "tests" / "businesses"
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")
"""A PostgreSQL server where databases may be made and dropped; their names begin with that of the URL's."""
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(not POSTGRES, reason="no TEST_POSTGRES_URL"))]
"""The databases that a test runs on, as its parameters."""


@dataclass(frozen=True)
class Workplace:
    """A copied folder of definitions, with its database and its VAR_DIR."""

    folder: Path
    var: Path
    database_url: str = ""

    def run(self, *words: str | Path, expect: int = 0) -> subprocess.CompletedProcess[bytes]:
        """Run a command of manage.py, and check how it ended."""
        return self._python(ROOT / "manage.py", *words, expect=expect)

    def run_script(self, path: Path) -> bytes:
        """Run a Python file in a process that serves this business, and return what it printed."""
        start = "import django, runpy, sys; django.setup(); runpy.run_path(sys.argv[1], run_name='__main__')"
        return self._python("-c", start, path).stdout

    @property
    def environment(self) -> dict[str, str]:
        """What a process must be told to work on this business."""
        mine = {"BUSINESS": str(self.folder), "VAR_DIR": str(self.var), "DATABASE_URL": self.database_url}
        return {**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", "DEBUG": "1", **mine}

    def _python(self, *words: str | Path, expect: int = 0) -> subprocess.CompletedProcess[bytes]:
        found = subprocess.run([sys.executable, *map(str, words)], env=self.environment, capture_output=True, cwd=ROOT)
        said = (found.stderr + found.stdout).decode(errors="replace")
        assert found.returncode == expect, f"{' '.join(map(str, words))} ended with {found.returncode}:\n{said}"
        return found

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


@contextmanager
def database(engine: str) -> Iterator[str]:
    """Make a database for as long as it is used, and give its URL; nothing for SQLite, which is a file."""
    if engine == "sqlite":
        yield ""
        return
    server = urlsplit(POSTGRES)
    name = f"{server.path.strip('/') or 'formwright'}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(urlunsplit(server._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(server._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
