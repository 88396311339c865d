"""A budget of process starts: what made a pass slow was not tests but interpreters that started for them.

A test starts none, unless its marker `starts(most)` says how many it may, in its setup and itself; and all tests
together stay below `STARTS`, however many they become. Commands of `manage.py` go to the fork server (forkserver.py);
those are counted too. The numbers of a run stand at its end.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.examples import TIMES
from tests.support.forkserver import FORK_SERVER
from tests.support.passes import uses_database

STARTS = 80
"""How many processes all tests of a run may start."""
COMMANDS = 900 if TIMES == 1 else 1_030
"""How many commands the fork server may be asked for in a run; each takes from a tenth to half a second of a processor.

Every night there are more, since an apply is killed at each of its writes.
"""
SESSION = "the run itself"
_started: Counter[str] = Counter()
_current = SESSION


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen" and arguments[1][0] != "git":  # No interpreter: it takes some milliseconds.
        # The server starts once for a run, whichever test is the first to need it.
        _started[SESSION if FORK_SERVER in arguments[1] else _current] += 1


sys.addaudithook(_listen)


class Budget:
    """Counts what each test starts, and fails the tests and the run that start too much."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.commands: Counter[str] = Counter()
        self.totals = Counter[str]()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._watch(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._watch(item))

    def _watch(self, item: pytest.Item) -> Iterator[None]:
        global _current
        before, _current = commands_served(), item.nodeid
        try:
            result = yield
        finally:
            _current = SESSION
        commands = commands_served() - before
        self.commands[item.nodeid] += commands
        complain(item, _started[item.nodeid], commands)
        return result

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        mine = {"starts": _started.total(), "commands": self.commands.total()}
        if (output := getattr(self.config, "workeroutput", None)) is not None:
            output["budget"] = mine
            return
        self.totals.update(mine)
        if self.exceeded() and not exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.totals.update(getattr(node, "workeroutput", {}).get("budget", {}))

    def exceeded(self) -> list[str]:
        """Return what is beyond the budget of a run, a sentence each."""
        limits = {"starts": STARTS, "commands": COMMANDS}
        return [
            f"{self.totals[name]} {name} are more than the {limit} of tests/support/budget.py: let new tests work in "
            "this process, or share what they set up"
            for name, limit in limits.items()
            if self.totals[name] > limit
        ]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        counts = f"{self.totals['starts']} of {STARTS}, commands by forks: {self.totals['commands']} of {COMMANDS}"
        terminalreporter.write_line(f"process starts: {counts}")
        for line in self.exceeded():
            terminalreporter.write_line(line, red=True)


def commands_served() -> int:
    """Return how many commands the fork server has run for this process."""
    workplace = sys.modules.get("tests.support.workplace")
    return workplace.fork_server().commands if workplace and workplace.fork_server.cache_info().currsize else 0


def complain(item: pytest.Item, starts: int, commands: int) -> None:
    """Fail a test that starts more than it has declared, or runs commands where nobody would know of its database."""
    marker = item.get_closest_marker("starts")
    most = marker.args[0] if marker else 0
    if starts > most:
        pytest.fail(
            f"{item.nodeid} started {starts} processes, and may start {most}. A start takes a second of a processor: "
            "use Workplace.run(), which forks, or declare it by @pytest.mark.starts(most).",
            pytrace=False,
        )
    if commands and not uses_database(item):
        pytest.fail(
            f"{item.nodeid} runs commands, but a run on PostgreSQL would leave it out: import what sets its business up "
            "from tests/support/workplace.py or tests/release/shop.py.",
            pytrace=False,
        )
