"""Tests that start processes without a word, or run commands where a pass would overlook them, fail; so does their sum."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import budget, server
from tests.support.budget import Budget, complain
from tests.support.passes import LEFT_OUT, is_decided_by_postgresql
from tests.support.workplace import ROOT


def item(nodeid: str = "tests/x.py::test", marks: tuple[str, ...] = (), most: int = 0, **given: Any) -> Any:
    known = {name: SimpleNamespace(args=(most,)) for name in marks}
    return SimpleNamespace(nodeid=nodeid, get_closest_marker=known.get, **given)


def test_a_process_that_is_not_declared_fails_its_test():
    with pytest.raises(pytest.fail.Exception, match="started 1 processes, and may start 0"):
        complain(item(), starts=1, commands=0)
    with pytest.raises(pytest.fail.Exception, match="started 3 processes, and may start 2"):
        complain(item(marks=("starts",), most=2), starts=3, commands=0)
    complain(item(marks=("starts",), most=2), starts=2, commands=0)


def test_commands_of_a_test_that_a_pass_would_leave_out_fail_it():
    with pytest.raises(pytest.fail.Exception, match="a run on PostgreSQL would leave it out"):
        complain(item(fixturenames=["tmp_path"]), starts=0, commands=1)
    complain(item(fixturenames=["db"]), starts=0, commands=1)


@pytest.mark.starts(1)
def test_starts_are_counted_for_the_test_that_makes_them(request: pytest.FixtureRequest):
    before = budget._started[request.node.nodeid]
    subprocess.run([sys.executable, "-c", ""], check=True)
    assert budget._started[request.node.nodeid] == before + 1


def test_a_run_that_starts_too_much_fails(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(budget, "_started", Counter())
    counted = Budget(SimpleNamespace())
    assert counted.exceeded() == []
    session = SimpleNamespace(exitstatus=0)
    counted.pytest_testnodedown(SimpleNamespace(workeroutput={"budget": {"starts": 60, "commands": budget.COMMANDS}}))
    counted.pytest_sessionfinish(session, 0)
    assert session.exitstatus == 0
    counted.pytest_testnodedown(SimpleNamespace(workeroutput={"budget": {"starts": budget.STARTS, "commands": 1}}))
    counted.pytest_sessionfinish(session, 0)
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED
    assert len(counted.exceeded()) == 2


# Passes


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"marks": ("django_db",)}, True),
        ({"fixturenames": ["db"]}, True),
        ({"fixturenames": ["order", "django_db_setup"]}, True),
        ({"fixturenames": ["tmp_path"]}, False),
        ({"module": budget}, False),
        ({"module": server}, True),
        ({"fixturenames": ["db"], "nodeid": "tests/stories/test_x.py::test"}, False),
        ({"fixturenames": ["db"], "callspec": SimpleNamespace(params={"report": "sqlite"})}, False),
        ({"fixturenames": ["db"], "callspec": SimpleNamespace(params={"report": "postgresql"})}, True),
    ],
)
def test_postgresql_gets_what_it_decides(given: dict[str, Any], expected: bool):
    assert is_decided_by_postgresql(item(**given)) is expected


def test_what_is_left_out_is_there_and_has_a_reason():
    assert all((ROOT / path).exists() and reason for path, reason in LEFT_OUT.items())
