"""A command that the fork server runs says, does and leaves what the same command does in a process of its own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.forkserver import MANAGE
from tests.support.workplace import Workplace, fork_server

APP = "name: {name}\ntime_zone: {zone}\ncurrency: EUR\n"
ENTITY = "fields: {name: {type: text, required: true}}\n"
STATE = """
import os, sys, time, threading
from pathlib import Path
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.urls import reverse
label = settings.BUSINESS_LOCATION.label
print(label, settings.TIME_ZONE, time.tzname, settings.DEBUG, settings.RELEASING, settings.MEDIA_ROOT)
print(connection.settings_dict["NAME"], connection.settings_dict["TIME_ZONE"], sys.argv[1:], Path.cwd(), os.environ.get("WORD"))
print([app.label for app in apps.get_app_configs()], [model._meta.label for model in apps.get_models()])
print([model._meta.label for model in admin.site._registry], threading.active_count(), sys.stdin.read())
print(sorted({name for name in sys.modules if name.startswith(("definitions", "project"))}))
"""


def business(folder: Path, name: str, zone: str) -> Workplace:
    """Write a business of one entity, and apply it."""
    (folder / name).mkdir(parents=True)
    (folder / name / "app.yaml").write_text(APP.format(name=name, zone=zone))
    (folder / name / f"{name}_thing.yaml").write_text(ENTITY)
    place = Workplace(folder / name, folder / "var")
    place.run("apply", "--yes")
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return business(tmp_path_factory.mktemp("first"), "ants", "Asia/Tokyo")


@pytest.mark.starts(4)
@pytest.mark.parametrize(
    ("words", "code"),
    [(["check"], 0), (["plan"], 0), (["nosuch"], 1), (["shell", "--verbosity=0", "--command", STATE], 0)],
    ids=["check", "plan", "unknown", "state"],
)
def test_it_is_as_in_a_process_of_its_own(place: Workplace, words: list[str], code: int, monkeypatch):
    monkeypatch.setenv("WORD", "given")
    forked, alone = (one.run(*words, expect=code) for one in (place, place.cold()))
    assert (forked.stdout, forked.stderr) == (alone.stdout, alone.stderr)
    assert forked.stdout or forked.stderr


def test_businesses_do_not_know_of_one_another(place: Workplace, tmp_path: Path):
    other = business(tmp_path, "bees", "Europe/Rome")
    for one, name, zone in (
        (place, "ants", "Asia/Tokyo"),
        (other, "bees", "Europe/Rome"),
        (place, "ants", "Asia/Tokyo"),
    ):
        printed = one.run("shell", "--verbosity=0", "--command", STATE).stdout.decode()
        assert printed.startswith(f"{name} {zone} ") and f"{name}.{name.title()}Thing" in printed
        assert {"ants": "bees", "bees": "ants"}[name] not in printed.replace(str(place.folder), "")


def test_what_a_command_changes_in_memory_ends_with_it(place: Workplace):
    change = (
        "import django, os; django.mark = os.environ['MARK'] = '1'; from django.conf import settings; settings.MARK = 1"
    )
    look = "import django, os; from django.conf import settings; print([hasattr(django, 'mark'), 'MARK' in os.environ, hasattr(settings, 'MARK')])"
    place.run("shell", "--verbosity=0", "--command", change)
    assert place.run("shell", "--verbosity=0", "--command", look).stdout == b"[False, False, False]\n"


@pytest.mark.parametrize(("end", "code"), [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", -9), ("sys.exit('no')", 1)])
def test_how_it_ends_is_told(place: Workplace, end: str, code: int):
    ended = place.run("shell", "--verbosity=0", "--command", f"import os, sys; {end}", expect=code)
    assert ended.stderr == (b"no\n" if code == 1 else b"")


def test_a_failure_is_told_with_its_traceback(place: Workplace):
    ended = place.run("shell", "--verbosity=0", "--command", "1 / 0", expect=1)
    assert ended.stderr.startswith(b"Traceback") and ended.stderr.endswith(b"ZeroDivisionError: division by zero\n")


def test_a_command_that_takes_too_long_is_ended(place: Workplace):
    words = [
        MANAGE,
        "shell",
        "--verbosity=0",
        "--command",
        "import os, time; print(os.getpid(), flush=True); time.sleep(60)",
    ]
    with pytest.raises(subprocess.TimeoutExpired):
        fork_server().run(words, place.environment, timeout=3)
    place.run("check")


def test_what_a_command_starts_is_a_fork_as_well_and_other_programs_are_not(place: Workplace):
    code = (
        "import os, subprocess, sys; from django.conf import settings; manage = str(settings.BASE_DIR / 'manage.py');"
        "inner = subprocess.run([sys.executable, manage, 'shell', '--verbosity=0', '--command', 'import os; print(os.getppid())'], "
        "capture_output=True, text=True); other = subprocess.run(['echo', 'hello'], capture_output=True, text=True);"
        "print(os.getppid(), inner.stdout, inner.returncode, other.stdout)"
    )
    server, inner, ended, other = place.run("shell", "--verbosity=0", "--command", code).stdout.split()
    assert int(server) == int(inner) == fork_server().process.pid != os.getpid()
    assert (ended, other) == (b"0", b"hello")


def test_a_script_runs_with_the_business_set_up(place: Workplace, tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(
        "from django.apps import apps; print(__name__, apps.get_model('ants', 'AntsThing')._meta.db_table)"
    )
    assert place.run_script(script) == b"__main__ ants_antsthing\n"


def test_a_workplace_that_is_cold_starts_processes(place: Workplace):
    assert replace(place, is_cold=True) == place.cold()
