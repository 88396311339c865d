"""The databases that are measured: each contender gets an empty one of its own, which is gone afterwards."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

POSTGRESQL = os.environ.get("BENCH_POSTGRESQL", "postgres://postgres@127.0.0.1:5432/postgres")
"""A server on which databases may be made; BENCH_POSTGRESQL names another."""
_numbers = count(1)


def postgresql_version() -> str:
    """Return the server's version; nothing where no server answers."""
    try:
        with psycopg.connect(POSTGRESQL, connect_timeout=2) as connection:
            return connection.execute("SHOW server_version").fetchone()[0].split()[0]
    except psycopg.OperationalError:
        return ""


def name_of(kind: str) -> str:
    """Return a database's name and version."""
    return f"SQLite {sqlite3.sqlite_version}" if kind == "sqlite" else f"PostgreSQL {postgresql_version()}"


@contextmanager
def fresh_database(kind: str) -> Iterator[str]:
    """Make an empty database and yield its URL; for SQLite nothing, as the project then keeps a file of its own."""
    if kind == "sqlite":
        yield ""
        return
    name = f"bench_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(POSTGRESQL)._replace(path=f"/{name}"))
        finally:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
