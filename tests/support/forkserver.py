"""A fork server for commands of `manage.py`: a child of a process that has imported everything, instead of a cold start.

The server imports Django, the engine and their libraries, and forgets which apps and settings it was given. A command
is a fork of it, with an environment, a folder, arguments and streams of its own, which reads the settings, sets Django
up and builds the business just as `manage.py` does: only the imports (four fifths of a start) were done before. A
`subprocess.run` of `manage.py` inside a command, as `apply` makes them, is a fork as well.

What a fork cannot show is an import that fails in a fresh process: the tests that start real ones do (budget.py).
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import random
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
MANAGE = str(ROOT / "manage.py")
FORK_SERVER = "tests.support.forkserver"
HOOK = "FORK_HOOK"
"""The variable that names a function, `package.module:function`, which each fork calls before its command."""
LIMIT = 1 << 20
"""The size that a request may have: its arguments and its environment, as JSON."""


class ForkServer:
    """The server as its clients see it: the address that it listens at. It ends with the process that started it."""

    def __init__(self, address: str, process: subprocess.Popen | None = None):
        self.address, self.process = address, process
        self.commands, self.seconds = 0, 0.0
        """How many commands were run, and the processor time that they took."""

    def run(
        self,
        words: Sequence[str],
        environment: dict[str, str],
        cwd: Path | str = ROOT,
        timeout: float | None = None,
        is_merged: bool = False,
    ) -> CompletedProcess[bytes]:
        """Run a script with its arguments, as `python words...` would: `manage.py`, or a file that needs the business.

        Where it `is_merged`, all that it says is in `stdout`, as a terminal shows it.
        Raises TimeoutExpired, with the command killed, where it takes longer than `timeout` seconds.
        """
        with (
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
            open(os.devnull, "rb") as stdin,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            connection.settimeout(timeout)
            connection.connect(self.address)
            request = json.dumps({"words": list(words), "environment": environment, "cwd": str(cwd)}).encode()
            streams = [stream.fileno() for stream in (stdin, stdout, stdout if is_merged else stderr)]
            socket.send_fds(connection, [f"{len(request):8}".encode()], streams)
            connection.sendall(request)
            try:
                answer = connection.recv(64)  # Nothing where the server itself has ended.
            except TimeoutError:
                raise subprocess.TimeoutExpired(list(words), timeout or 0) from None
            if not answer:
                raise ConnectionError(f"the fork server at {self.address} has ended")
            code, seconds = answer.split()
            self.commands, self.seconds = self.commands + 1, self.seconds + float(seconds)
            stdout.seek(0)
            stderr.seek(0)
            return CompletedProcess(list(words), int(code), stdout.read(), stderr.read())


def start_server(folder: Path) -> ForkServer:
    """Start a server that listens at an address in `folder`, and wait until it does."""
    address = str(folder / "forkserver")
    environment = {**os.environ, "VAR_DIR": str(folder / "var"), "DEBUG": "1", "DATABASE_URL": "", "BUSINESS": "travel"}
    command = [sys.executable, "-m", FORK_SERVER, address]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError(f"the fork server did not start: it ended with {process.wait()}")
    return ForkServer(address, process)


# The server's side


def main(address: str) -> None:
    """Import everything, then serve until the standard input ends, which it does with the process that started this."""
    _import_everything()
    _forget_configuration()
    # Commands write and rewrite migrations within the second that tells a compiled file from a later source.
    sys.dont_write_bytecode = True
    subprocess.run = _run_by(ForkServer(address), subprocess.run)  # type: ignore[assignment]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)
        _serve(listener)


def _import_everything() -> None:
    """Import the apps, their models, and the modules that commands and pages need, without setting Django up."""
    import django.db.models.sql.compiler  # noqa: F401
    from django.apps import AppConfig, apps
    from django.conf import settings
    from pydantic import BaseModel

    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    for entry in settings.INSTALLED_APPS:
        if not entry.endswith(".BusinessConfig"):
            config = AppConfig.create(entry)
            config.apps, apps.app_configs[config.label] = apps, config
    apps.apps_ready = True
    for config in list(apps.app_configs.values()):
        config.import_models()
    apps.models_ready = True
    for package in ("crm.builders", "crm.capabilities", "crm.management", "crm.release"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            import_module(module.name)
    for name in ("check", "migrate", "shell", "flush", "showmigrations", "runserver"):
        import_module(f"django.core.management.commands.{name}")
    for name in ("PIL.Image", "openpyxl", "phonenumbers.data", "psycopg", "tablib", "unfold.admin", "unfold.forms"):
        import_module(name)
    for model in _subclasses(BaseModel):
        if model.__module__.startswith("crm."):
            model.model_rebuild()
    for name in ("base", "schema", "introspection", "operations", "features", "client", "creation"):
        for engine in ("sqlite3", "postgresql"):
            import_module(f"django.db.backends.{engine}.{name}")


def _subclasses(base: type) -> Iterator[type]:
    for known in base.__subclasses__():
        yield known
        yield from _subclasses(known)


def _forget_configuration() -> None:
    """Leave nothing of the settings, the apps' order, databases and caches that a command would not start with."""
    from django.apps import apps
    from django.conf import settings
    from django.contrib import admin
    from django.core.cache import caches
    from django.db import connections
    from django.utils import timezone
    from django.utils.functional import empty

    assert admin.site._wrapped is empty, "an import has asked for the admin's site"
    apps.app_configs.clear()
    apps.clear_cache()
    apps.apps_ready = apps.models_ready = apps.loading = apps.ready = False
    for handler in (connections, caches):
        for alias in handler:
            with suppress(AttributeError):
                del handler[alias]
        handler.__dict__.pop("settings", None)
        handler._settings = None
    timezone.get_default_timezone.cache_clear()
    settings._wrapped = empty
    for name in ("project.settings", "crm.apps", "axes.conf"):  # each fills the settings, or is filled by them
        sys.modules.pop(name, None)
    gc.collect()
    gc.freeze()  # So that a fork's search for garbage need not copy what is here.


def _serve(listener: socket.socket) -> None:
    """Fork for each request, and tell its client how the fork has ended."""
    import selectors

    children: dict[int, socket.socket] = {}
    waking, woken = socket.socketpair()
    for end in (waking, woken):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken.fileno())
    selector = selectors.DefaultSelector()
    for source in (listener, waking, sys.stdin):
        selector.register(source, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection = listener.accept()[0]
                if request := _read_request(connection):
                    pid = os.fork()
                    if not pid:
                        selector.close()
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        for other in (listener, waking, woken, connection, *children.values()):
                            other.close()
                        _become(*request)
                    _, streams = request
                    for stream in streams:
                        os.close(stream)
                    children[pid] = connection
                    selector.register(connection, selectors.EVENT_READ, pid)
            elif key.fileobj is waking:
                with suppress(BlockingIOError):
                    waking.recv(4096)
                _reap(children, selector)
            elif key.fileobj is sys.stdin:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                return
            elif key.data in children:  # The client has gone: nobody waits for its command any more.
                os.kill(key.data, signal.SIGKILL)
                selector.unregister(key.fileobj)


def _read_request(connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    head, streams, _, _ = socket.recv_fds(connection, 8, 3)
    if not head:
        connection.close()
        return None
    size, data = int(head), b""
    assert size < LIMIT
    while len(data) < size:
        data += connection.recv(size - len(data))
    return json.loads(data), streams


def _reap(children: dict[int, socket.socket], selector: Any) -> None:
    while children:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if not pid:
            return
        connection = children.pop(pid)
        with suppress(KeyError):
            selector.unregister(connection)
        with suppress(OSError):
            seconds = usage.ru_utime + usage.ru_stime  # With what the command itself has waited for.
            connection.sendall(f"{os.waitstatus_to_exitcode(status)} {seconds:.3f}".encode())
        connection.close()


def _become(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """Be the process that was asked for, to its end."""
    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", 1), open(2, "w", 1)  # noqa: SIM115
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["cwd"])
        sys.argv = list(request["words"])
        if hook := os.environ.get(HOOK):
            module, name = hook.split(":")
            getattr(import_module(module), name)()
        random.seed()
        gc.enable()
        _run_script()
        code = 0
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            _run_exit_functions()
        for stream in (sys.stdout, sys.stderr):
            with suppress(BaseException):
                stream.flush()
        os._exit(code)


def _run_script() -> None:
    """Carry out `sys.argv`: a command of `manage.py`, or a script with Django set up."""
    import runpy

    import django

    if sys.argv[0] == MANAGE:
        runpy.run_path(MANAGE, run_name="__main__")
    else:
        django.setup()
        runpy.run_path(sys.argv[0], run_name="__main__")


def _run_exit_functions() -> None:
    import atexit

    atexit._run_exitfuncs()


def _run_by(server: ForkServer, run: Any) -> Any:
    """Return a `subprocess.run` which has the server start `manage.py`, and starts everything else itself."""

    def run_or_fork(words: Any, **options: Any) -> CompletedProcess:
        known = {"env", "capture_output", "text", "timeout", "cwd"}
        if list(words[:2]) != [sys.executable, MANAGE] or options.keys() - known or not options.get("capture_output"):
            return run(words, **options)
        environment = options.get("env") or dict(os.environ)
        result = server.run(words[1:], environment, options.get("cwd") or os.getcwd(), options.get("timeout"))
        if options.get("text"):
            return CompletedProcess(words, result.returncode, result.stdout.decode(), result.stderr.decode())
        return result

    return run_or_fork


if __name__ == "__main__":
    main(sys.argv[1])
