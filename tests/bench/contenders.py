"""The projects that are compared, each in processes of its own with nothing of this process's settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from databases import fresh_database
from folders import write_travel

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASELINE = HERE / "baseline"
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


class Failed(Exception):
    """A child process did not do what it was asked; the message holds what it said."""


@dataclass(frozen=True)
class Contender:
    """A Django project: `root` holds its manage.py, `label` is the app of its models."""

    name: str
    root: Path
    label: str
    environment: Mapping[str, str]

    @property
    def env(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return {**inherited, "PYTHONPATH": str(self.root), "BENCH_LABEL": self.label, **self.environment}

    def run(self, *words: str, timeout: float | None = None, fine: Sequence[int] = (0,)) -> float:
        """Run Python with these arguments and return the seconds it took.

        Raises Failed where it ends with a code that is not `fine`, TimeoutExpired where it takes too long.
        """
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *words], env=self.env, cwd=self.root, capture_output=True, text=True, timeout=timeout
        )
        seconds = time.perf_counter() - start
        if done.returncode not in fine:
            raise Failed(f"{self.name}: {' '.join(words)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return seconds

    def manage(self, *words: str, timeout: float | None = None, fine: Sequence[int] = (0,)) -> float:
        """Run a command of manage.py and return the seconds it took; raises as `run`."""
        return self.run("manage.py", *words, timeout=timeout, fine=fine)


class Worker:
    """A process with the project loaded, that does one measured thing at a time; see worker.py."""

    def __init__(self, contender: Contender, errors: IO[str]) -> None:
        self.name = contender.name
        self._errors = errors
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")],
            env=contender.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ask(self, task: str, **details: Any) -> Any:
        """Have a task of worker.py done, and return its answer. Raises Failed with the traceback."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"task": task, "details": details}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or "{}")
        if "answer" not in answer:
            raise Failed(f"{self.name}: {task}\n{answer.get('error') or self._last_words()}")
        return answer["answer"]

    def _last_words(self) -> str:
        self._errors.seek(0)
        return f"The process ended with {self._process.wait()}.\n{self._errors.read()[-3000:]}"

    def close(self) -> None:
        """End the process, gently where it listens."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def formwright(var: Path, folder: Path, url: str, name: str = "Formwright") -> Contender:
    """Return Formwright with the definitions of a folder."""
    return Contender(name, ROOT, folder.name, {"BUSINESS": str(folder), **_settings("project.settings", var, url)})


def baseline(var: Path, url: str, settings: str = "settings", name: str = "baseline") -> Contender:
    """Return the project of the folder `baseline`, with one of its settings."""
    return Contender(name, BASELINE, "agency", _settings(f"config.{settings}", var, url))


def _settings(module: str, var: Path, url: str) -> dict[str, str]:
    var.mkdir(parents=True, exist_ok=True)
    return {
        "DJANGO_SETTINGS_MODULE": module,
        "VAR_DIR": str(var),
        "DATABASE_URL": url,
        "SECRET_KEY": "measured, never served: 0123456789 abcdefghijklmnopqrstuvwxyz",
        "ALLOWED_HOSTS": "testserver",
        "HTTPS": "0",
    }


@dataclass(frozen=True)
class Ready:
    """The contenders with the same tables, migrated and empty. The last two share the baseline's database."""

    ours: Contender
    baseline: Contender
    tuned: Contender
    plain: Contender


@contextmanager
def ready(kind: str) -> Iterator[Ready]:
    """Make the contenders ready on databases of a kind, in a folder that is gone afterwards."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        urls = [stack.enter_context(fresh_database(kind)) for _ in range(2)]
        folder = write_travel(ROOT / "definitions" / "travel", place / "definitions")
        usual = baseline(place / "baseline", urls[1])
        found = Ready(
            formwright(place / "ours", folder, urls[0]),
            usual,
            replace(usual, name="baseline, tuned", environment={**usual.environment, "BENCH_RESOURCES": "Tuned"}),
            baseline(place / "baseline", urls[1], "settings_plain", "plain admin"),
        )
        found.ours.manage("apply", "--yes")
        found.baseline.manage("migrate", "--verbosity", "0")
        yield found


@contextmanager
def working(*contenders: Contender) -> Iterator[list[Worker]]:
    """Start a worker for each contender, and end them all."""
    with ExitStack() as stack:
        workers = []
        for one in contenders:
            errors = stack.enter_context(tempfile.TemporaryFile(mode="w+"))
            workers.append(Worker(one, errors))
            stack.callback(workers[-1].close)
        yield workers
