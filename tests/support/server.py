"""A business that is served as its owner serves it: by a process of its own, on a free port of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.workplace import ROOT, Workplace

PATIENCE = 60
"""Seconds that a server may take to answer for the first time."""


@dataclass(frozen=True)
class Office:
    """A running business: its folder and commands, its address, and the password of the demo's people."""

    place: Workplace
    url: str
    password: str


@contextmanager
def serving(place: Workplace, *options: str) -> Iterator[str]:
    """Run `manage.py runserver` on a business, and yield its address; stopped at the end, with all its children."""
    port, log = _free_port(), place.var / "server.log"
    command = [sys.executable, str(ROOT / "manage.py"), "runserver", "--skip-checks", *options, f"127.0.0.1:{port}"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=place.environment, stdout=output, stderr=output, start_new_session=True)
        try:
            _wait(f"http://127.0.0.1:{port}/admin/login/", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait(url: str, server: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"the server did not answer:\n{log.read_text(errors='replace')[-4000:]}")
