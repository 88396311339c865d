"""Commands without a database, or without room for what they print, end with a sentence and 1."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.workplace import ROOT, Workplace

COMMANDS = [
    ("plan",),
    ("apply", "--yes"),
    ("import", "customer", "customers.csv"),
    ("export", "customer"),
    ("purge",),
    ("rules",),
    ("recompute",),
    ("demo",),
    ("migrate",),
    ("createsuperuser", "--noinput", "--username", "a", "--email", "a@example.org"),
]
NOWHERE = "postgres://nobody:secretword@127.0.0.1:9/nothing"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "customers.csv").write_text("name,email\n")
    return Workplace(ROOT / "definitions" / "travel", tmp_path / "var", NOWHERE)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_command_without_its_database_says_so(place, words):
    if words[0] == "import":
        words = (*words[:2], str(place.var.parent / words[2]))
    result = place.run(*words, expect=1)
    said = result.stderr.decode()
    assert "Traceback" not in said and "secretword" not in said
    assert said.strip().splitlines()[-1].startswith("Error: The database cannot be reached. (")


@pytest.mark.starts(1)
@pytest.mark.parametrize("words", [("schema",), ("export", "customer")], ids=lambda words: words[0])
def test_what_finds_no_room_for_its_output_says_so(tmp_path, words):
    """In a process of its own: the interpreter writes the rest at its very end."""
    place = Workplace(ROOT / "definitions" / "travel", tmp_path / "var")
    if words[0] == "export":
        place.run("migrate", "--verbosity", "0")
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "manage.py", *words]
        environment = place.environment
        result = subprocess.run(command, env=environment, cwd=ROOT, stdout=full, stderr=subprocess.PIPE)
    said = result.stderr.decode()
    assert result.returncode == 1, said
    assert said.strip() == "Error: There is no room left to store anything. ([Errno 28] No space left on device)"
