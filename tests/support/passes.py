"""Which tests run on which database: all on SQLite, and on PostgreSQL those whose outcome PostgreSQL decides.

That is known without anybody's help: a test that reaches no database cannot depend on one. pytest-django keeps the
tests of this process from the database unless they ask for it, and the budget of process starts (budget.py) keeps the
others from reaching one through a command. So a new test is taken in as soon as it uses a database.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

EVERYTHING = "--everything"
LEFT_OUT = {
    "tests/stories/": "what the browser shows; the same pages are asked for without one, on both databases",
    "tests/test_docs.py": "the pages show what SQLite prints",
    "tests/access/test_canary.py": "which rows a rule hides is compared on both databases (tests/expressions, "
    "tests/access/test_limits.py); that every page asks for them is Python",
    "tests/release/test_two_hundred.py": "calls of Python are counted; tables are changed on both databases elsewhere",
}
"""Folders and files that use a database, and are left to SQLite all the same, with the reason."""
FIXTURES = {"db", "transactional_db", "django_db_setup", "live_server", "office"}
"""The fixtures that open a database; `office` (tests/stories) has one beside this process."""
WORKPLACES = {"tests.support.workplace", "tests.release.shop", "tests.support.server"}
"""The modules that set a business up beside a database of its own."""


FIRST = ("tests/stories/", "tests/test_docs.py")
"""What takes long for each test comes first: two workers are then busy to the end, and one of them has all stories."""


class Passes:
    """Deselects, in a run on PostgreSQL, what that database does not decide; `--everything` selects all."""

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: not item.nodeid.startswith(FIRST))
        if config.getoption(EVERYTHING) or not is_postgresql():
            return
        kept = [item for item in items if is_decided_by_postgresql(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def is_postgresql() -> bool:
    """Return whether this run's own database is PostgreSQL."""
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


def is_decided_by_postgresql(item: pytest.Item) -> bool:
    """Return whether another database could change the outcome of a test."""
    if item.nodeid.startswith(tuple(LEFT_OUT)) or "sqlite" in _parameters(item):
        return False
    return uses_database(item)


def uses_database(item: pytest.Item) -> bool:
    """Return whether a test may reach a database: one of this process, or that of a business beside it."""
    if item.get_closest_marker("django_db") or FIXTURES & set(getattr(item, "fixturenames", ())):
        return True
    module = getattr(item, "module", None)
    return bool(WORKPLACES & {_home(value) for value in vars(module).values()}) if module else False


def _parameters(item: pytest.Item) -> list[Any]:
    found = getattr(item, "callspec", None)
    return list(found.params.values()) if found else []


def _home(value: Any) -> str:
    return getattr(value, "__module__", None) or ""
