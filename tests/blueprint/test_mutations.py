"""Hundreds of small accidents in the travel definitions: each is read or refused with its place, never worse.

The accidents are drawn from seeds, so that a failure comes again.
"""

from __future__ import annotations

import gc
import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from crm.blueprint import compiler
from crm.blueprint.compiler import read_folder
from crm.blueprint.nodes import Business
from crm.blueprint.problems import DefinitionError, Problem
from crm.blueprint.reader import Document, read_file
from crm.wiring import FIELD_TYPES, LANGUAGE

TRAVEL = settings.BASE_DIR / "definitions" / "travel"
FILES = sorted(path.name for path in TRAVEL.glob("*.yaml"))
EACH = 40
"""How many accidents happen to each file."""
SECONDS = 1.0

ODD = "\t\x00\x07\u00a0\u2028\ufeff\u202e日🚆é'\"`@%&*!|>?#-:{}[],~<=\\$"
VALUES = [
    *("", "~", "null", "true", "false", "yes", "no", "0", "-1", "1.5", "1e9", "9" * 30, "007", "22:30", "2026-02-30"),
    *("''", "' '", "[]", "{}", "[a, b]", "{a: b}", "[[[]]]", "{type: text}", "&a x", "*a", "!!int 7", "<<", "|", ">-"),
    *("text", "link", "customer", "{customer}", "{customer.name.first}", "-name", "a.b.c", "x" * 300, "日本", "1, 2"),
    *(one.name for one in FIELD_TYPES),
]
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
VALUE = re.compile(r"(?<=: )[^,{}\[\]\n]+")


def drop_line(lines: list[str], dice: random.Random) -> None:
    del lines[dice.randrange(len(lines))]


def double_line(lines: list[str], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    lines.insert(dice.randrange(len(lines)), lines[at])


def swap_lines(lines: list[str], dice: random.Random) -> None:
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def move_line_in_or_out(lines: list[str], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    indent = len(lines[at]) - len(lines[at].lstrip()) + dice.choice([-4, -2, -1, 1, 2, 3, 8])
    lines[at] = dice.choice(["", "\t"]) + " " * max(0, indent) + lines[at].lstrip()


def join_lines(lines: list[str], dice: random.Random) -> None:
    at = dice.randrange(max(1, len(lines) - 1))
    lines[at : at + 2] = [" ".join(lines[at : at + 2])]


def break_line(lines: list[str], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    cut = dice.randrange(len(lines[at]) + 1)
    lines[at : at + 1] = [lines[at][:cut], lines[at][cut:]]


def cut_the_end(lines: list[str], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    lines[at:] = [lines[at][: dice.randrange(len(lines[at]) + 1)]]


def insert_odd_letters(lines: list[str], dice: random.Random) -> None:
    at = dice.randrange(len(lines))
    cut = dice.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:cut] + "".join(dice.choices(ODD, k=dice.randint(1, 3))) + lines[at][cut:]


def delete_a_sign(lines: list[str], dice: random.Random) -> None:
    _in_a_line(lines, dice, re.compile(r"[\[\]{}\"':,-]"), lambda found: "")


def misspell_a_word(lines: list[str], dice: random.Random) -> None:
    def misspell(word: str) -> str:
        at = dice.randrange(len(word))
        changed = [word[:at] + word[at + 1 :], word[:at] + dice.choice("aexq_") + word[at:], word.upper(), word.title()]
        return dice.choice([*changed, word[:at] + word[at : at + 2][::-1] + word[at + 2 :]])

    _in_a_line(lines, dice, WORD, misspell)


def exchange_a_word(lines: list[str], dice: random.Random) -> None:
    words = WORD.findall("\n".join(lines))
    _in_a_line(lines, dice, WORD, lambda found: dice.choice(words))


def exchange_a_value(lines: list[str], dice: random.Random) -> None:
    _in_a_line(lines, dice, VALUE, lambda found: dice.choice(VALUES))


def _in_a_line(lines: list[str], dice: random.Random, pattern: re.Pattern, change: Callable[[str], str]) -> None:
    spots = [(at, found) for at, line in enumerate(lines) for found in pattern.finditer(line)]
    if spots:
        at, found = dice.choice(spots)
        lines[at] = lines[at][: found.start()] + change(found[0]) + lines[at][found.end() :]


ACCIDENTS = [
    *(drop_line, double_line, swap_lines, move_line_in_or_out, join_lines, break_line, cut_the_end),
    *(insert_odd_letters, delete_a_sign, misspell_a_word, exchange_a_word, exchange_a_value, exchange_a_value),
]


def spoil(text: str, seed: str) -> str:
    dice = random.Random(seed)
    lines = text.splitlines()
    for accident in dice.choices(ACCIDENTS, k=dice.choice([1, 1, 1, 2, 4])):
        accident(lines, dice)
        lines = lines or [""]
    return "\n".join(lines) + dice.choice(["\n", "", "\r\n"])


_read: dict[tuple[str, bytes], Document] = {}


def read_once(path: Path, file: str) -> Document:
    """Read a file as it is only once: all files for each accident to one took most of the time."""
    key = file, path.read_bytes()
    if key not in _read:
        _read[key] = read_file(path, file)
    return _read[key]


@pytest.fixture(autouse=True)
def _reads_files_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "read_file", read_once)


def outcome(folder: Path) -> Business | list[Problem]:
    gc.disable()  # as timeit does: what other tests left would be walked through, too
    began = time.process_time()
    try:
        return read_folder(folder, LANGUAGE)
    except DefinitionError as error:
        assert str(error)
        return error.problems
    finally:
        gc.enable()
        assert time.process_time() - began < SECONDS


def assert_names_its_place(problem: Problem, folder: Path) -> None:
    place = problem.place
    assert place.file.startswith(f"{folder.name}/")
    lines = (folder.parent / place.file).read_text(encoding="utf-8-sig").splitlines() or [""]
    assert 1 <= place.line <= len(lines)
    assert 1 <= place.column <= len(lines[place.line - 1]) + 1
    assert problem.message


def test_there_are_accidents_enough():
    assert EACH * len(FILES) >= 500


@pytest.mark.parametrize("name", FILES)
def test_every_accident_is_read_or_refused_at_its_place(name: str, tmp_path: Path):
    folder = tmp_path / "travel"
    shutil.copytree(TRAVEL, folder, ignore=shutil.ignore_patterns("migrations"))
    text = (folder / name).read_text(encoding="utf-8")
    seen: Counter[str] = Counter()
    for number in range(EACH):
        (folder / name).write_bytes(spoil(text, f"{name} {number}").encode())
        found = outcome(folder)
        seen["read" if isinstance(found, Business) else "refused"] += 1
        for problem in found if isinstance(found, list) else ():
            assert_names_its_place(problem, folder)
    print(f"{name}: {seen['read']} read, {seen['refused']} refused")
    assert seen["read"] and seen["refused"]
