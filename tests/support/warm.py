"""Runs commands of manage.py in forks of one warm process: the libraries are imported once for all tests of a worker.

A cold start costs about a second of processor, most of it for imports that are the same every time. The warm process
has imported the libraries but neither the settings nor any model, so a fork of it starts as `manage.py` would: with an
environment and arguments of its own. Processes that a command starts itself (`manage.py check`, `recompute`) become
forks as well. A test may name a `hook`, `package.module:function`, that is called in every fork before the command.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = """
django.core.management django.db.migrations.executor django.db.migrations.autodetector django.db.migrations.writer
django.db.backends.sqlite3.base django.db.backends.postgresql.base django.contrib.admin django.test.client pydantic
yaml psycopg phonenumbers django_countries openpyxl django_filters import_export simple_history unfold PIL.Image
crm.blueprint.compiler crm.blueprint.schema crm.fields.base crm.expressions.compile_sql
"""
ADDRESS = "WARM_PROCESS"
"""The variable that tells a fork where to ask for another."""


def run_warm(words: list[str], environment: dict[str, str], hook: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run `manage.py WORDS` in a fork of the warm process; its return code is negative where a signal ended it."""
    address = os.environ.get(ADDRESS) or _start()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, socket.socket(socket.AF_UNIX) as end:
        end.connect(address)
        request = json.dumps({"words": words, "environment": {**environment, ADDRESS: address}, "hook": hook}).encode()
        socket.send_fds(end, [struct.pack("!I", len(request))], [out.fileno(), err.fileno()])
        end.sendall(request)
        status = struct.unpack("!i", _receive(end, 4))[0]
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(["manage.py", *words], status, out.read(), err.read())


_process: subprocess.Popen[bytes] | None = None


def _start() -> str:
    """Start the warm process of this worker; it ends with the worker, whose end of the pipe it reads."""
    global _process
    address = f"{tempfile.mkdtemp(prefix='warm-')}/socket"
    _process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.warm", address], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert _process.stdout is not None and _process.stdout.readline() == b"ready\n"
    os.environ[ADDRESS] = address
    atexit.register(_process.kill)
    return address


def _receive(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = end.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _serve(address: str) -> None:
    """Answer each connection in a process of its own, that forks once more for the command and waits for it."""
    for name in LIBRARIES.split():
        importlib.import_module(name)
    assert "project.settings" not in sys.modules
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    print("ready", flush=True)
    while True:
        end, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(end)
            os._exit(0)
        end.close()


def _answer(end: socket.socket) -> None:
    size, files, _, _ = socket.recv_fds(end, 4, 2)
    request = json.loads(_receive(end, struct.unpack("!I", size)[0]))
    child = os.fork()
    if child == 0:
        end.close()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(files[0], 1)
        os.dup2(files[1], 2)
        os._exit(_command(**request))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    end.sendall(struct.pack("!i", status))


def _command(words: list[str], environment: dict[str, str], hook: str) -> int:
    """Do what manage.py does, and return its exit code."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["manage.py", *words]
    code: Any = 0
    try:
        subprocess.run = _run_warm_too(subprocess.run, hook)  # type: ignore[assignment]
        if hook:
            module, _, function = hook.partition(":")
            getattr(importlib.import_module(module), function)()
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")
    except SystemExit as ended:
        code = ended.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code or 0


def _run_warm_too(cold: Any, hook: str) -> Any:
    """Return a `subprocess.run` that starts manage.py as a fork, and anything else as ever."""

    def run(words: list[str], env: dict[str, str] | None = None, text: bool = False, **options: Any) -> Any:
        if words[:1] != [sys.executable] or not str(words[1]).endswith("manage.py"):
            return cold(words, env=env, text=text, **options)
        found = run_warm([str(word) for word in words[2:]], dict(env or os.environ), hook)
        if text:
            found = subprocess.CompletedProcess(
                found.args, found.returncode, found.stdout.decode(), found.stderr.decode()
            )
        return found

    return run


if __name__ == "__main__":
    _serve(sys.argv[1])
