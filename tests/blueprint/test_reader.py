"""The part of YAML that the reader takes, and the tricks that it refuses at once, with their place."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from decimal import Decimal
from pathlib import Path

import pytest

from crm.blueprint.compiler import read_folder
from crm.blueprint.files import UnsafeFile, read_regular_file
from crm.blueprint.problems import DefinitionError
from crm.blueprint.reader import MAX_BYTES, MAX_DEPTH, MAX_NODES, read_file, read_text
from crm.wiring import LANGUAGE


def refusals(text: str) -> list[str]:
    began = time.process_time()
    with pytest.raises(DefinitionError) as caught:
        read_text(text, "trip.yaml")
    assert time.process_time() - began < 1
    return [f"{one.place}: {one.message}" for one in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("True", "True"),
        ("NULL", "NULL"),
        ("22:30", "22:30"),
        ("0123", "0123"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1e5", "1e5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31 10:00:00", "2026-01-31 10:00:00"),
        ("٣", "٣"),
        ("=", "="),
        ("'7'", "7"),
        ('"true"', "true"),
        ("''", ""),
        ("1" * 19, "1" * 19),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("0.10", Decimal("0.10")),
        ("-1.5", Decimal("-1.5")),
        ("[a, 1, [b]]", ["a", 1, ["b"]]),
        ("{a: {b: no}}", {"a": {"b": "no"}}),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        ("'Grüße, “日本” 🚆'", "Grüße, “日本” 🚆"),
    ],
)
def test_values_are_what_they_look_like(text: str, value: object):
    found = read_text(f"key: {text}", "trip.yaml").data["key"]
    assert (found, type(found)) == (value, type(value))


def test_keys_are_always_text():
    assert read_text("{no: 1, 7: 2, true: 3, ~: 4, 1.5: 5}", "trip.yaml").data == {
        "no": 1, "7": 2, "true": 3, "~": 4, "1.5": 5,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "---\n...\n", "\ufeff"])
def test_an_empty_file_is_an_empty_definition(text: str):
    found = read_text(text.removeprefix("\ufeff"), "trip.yaml")
    assert found.data == {}
    assert str(found.place()) == "trip.yaml:1:1"


def test_line_ends_of_every_system_count_as_one_line():
    for end in ("\n", "\r\n", "\r"):
        found = read_text(end.join(["label: Trip", "fields:", "  name: text"]), "trip.yaml")
        assert str(found.place(("fields", "name"))) == "trip.yaml:3:9"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("a: &x 1", "trip.yaml:1:4: anchors (&name) are not part of the language"),
        ("&x a: 1", "trip.yaml:1:1: anchors (&name) are not part of the language"),
        ("a: 1\nb: [*x]", "trip.yaml:2:5: aliases (*name) are not part of the language"),
        ("a: 1\n*x : 2", "trip.yaml:2:1: a key must be a word"),
        ("a:\n  <<: {b: 1}", "trip.yaml:2:3: merge keys (<<) are not part of the language"),
        ("a: !!python/name:os.system x", "trip.yaml:1:4: tags (tag:yaml.org,2002:python/name:os.system) are not "
         "part of the language"),
        ("a: !secret x", "trip.yaml:1:4: tags (!secret) are not part of the language"),
        ("a: !!str 7", "trip.yaml:1:4: tags (tag:yaml.org,2002:str) are not part of the language"),
        ("!!map {a: 1}", "trip.yaml:1:1: tags (tag:yaml.org,2002:map) are not part of the language"),
        ("? [a, b]\n: 1", "trip.yaml:1:3: a key must be a word"),
        ("{{a: 1}: 2}", "trip.yaml:1:2: a key must be a word"),
        ("- a\n- b", "trip.yaml:1:1: a definition is a list of 'key: value' lines"),
        ("only words", "trip.yaml:1:1: a definition is a list of 'key: value' lines"),
        ("a: 1\n---\nb: 2", "trip.yaml:2:1: a definition file holds one document"),
        ("a: 1\n...\nb: 2", "trip.yaml:3:1: this is not YAML: something follows the end of the definition"),
        ("a: 1\nb: 2\na: 3", "trip.yaml:3:1: the key 'a' stands here twice; the first is on line 1"),
        ("a:\n  b: 1\n  'b': 2", "trip.yaml:3:3: the key 'b' stands here twice; the first is on line 2"),
        ("a: [1, 2\nb: 3\n", "trip.yaml:2:2: this is not YAML: a '[' is not closed, or a ',' is missing"),
        ("a: [1, 2\n", "trip.yaml:1:4: this is not YAML: a '[' is not closed, or a ',' is missing"),
        ("a: {b: 1\n", "trip.yaml:1:4: this is not YAML: a '{' is not closed, or a ',' is missing"),
        ("a: 'x\nb: 1\n", "trip.yaml:1:4: this is not YAML: a quote is not closed"),
        ("a: b: c", "trip.yaml:1:5: this is not YAML: a ':' stands where none fits"),
        ("a:\n  b: 1\n c: 2", "trip.yaml:3:2: this is not YAML: this line does not fit the lines before it"),
        ("a:\n\tb: 1", "trip.yaml:2:1: this is not YAML: a tab, or a sign such as @ or %, stands where none fits"),
        ("a: @x", "trip.yaml:1:4: this is not YAML: a tab, or a sign such as @ or %, stands where none fits"),
        ("a: b\x00c", "trip.yaml:1:5: the character U+0000 cannot stand in a definition"),
        ("a: 1\nb: \x1b[31m", "trip.yaml:2:4: the character U+001B cannot stand in a definition"),
        ('a: "x\\0y"', "trip.yaml:1:4: the character U+0000 cannot stand in a definition"),
        ('"\\e": 1', "trip.yaml:1:1: the character U+001B cannot stand in a definition"),
        ('a: "\\ud800"', "trip.yaml:1:7: this is not YAML: while parsing a quoted scalar found invalid Unicode "
         "character escape code"),
    ],
)  # fmt: skip
def test_what_a_description_needs_not_is_refused_at_its_place(text: str, refusal: str):
    assert refusals(text) == [refusal]


def test_all_duplicate_keys_are_told_at_once():
    assert len(refusals("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3")) == 3


BOMB = "a: &a {x: 1}\n" + "\n".join(
    f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 9)}]}}" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (BOMB, "1:4"),
        ("[" * 30_000, "1:26"),
        ("a: " + "[" * 30_000, "1:28"),
        ("{" * 30_000, "1:2"),
        ("{a: " * 30_000, "1:101"),
        ("- " * 200_000, "1:51"),
        ("? " * 200_000, "1:3"),
        ("[? " * 100_000, "1:4"),
        ("".join(f"{' ' * depth}a:\n" for depth in range(600)), "26:26"),
        ("[" + "," * 400_000, "1:2"),
        ("a: [" + "1," * 40_000 + "]", "1:39999"),
        ("{" + "a, " * 9_000 + "}", "1:5"),
        ("'" * 300_001, "1:1"),
        ("a: '" + "x\n" * 200_000, "1:4"),
        (": " * 200_000, "1:1"),
        ("& " * 200_000, "1:2"),
        ("*a " * 100_000, "1:1"),
        ("!" * 400_000, "1:1"),
        ("%" * 400_000, "1:2"),
        ("\t" * 400_000, "1:1"),
        ("%TAG !a! b\n" * 40_000, "2:1"),
        ("@" * 400_000, "1:1"),
        ("- |\n" * 21_000, "20000:3"),
        ("a: >-\n" + " \n" * 150_000 + "b", "150002:1"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_a_file_made_to_hurt_is_refused_within_a_second(text: str, place: str):
    assert refusals(text)[0].startswith(f"trip.yaml:{place}: ")


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{number}: 1\n" for number in range(MAX_NODES // 2 - 2)),
        "a: [" + ",".join(["x"] * (MAX_NODES - 5)) + "]",
        "a: " + "x" * (MAX_BYTES - 100),
        "a: |\n" + " x\n" * 150_000,
        "#" * (MAX_BYTES - 1),
        "\n" * (MAX_BYTES - 1),
    ],
    ids=lambda text: text[:8],
)
def test_the_largest_files_are_read_within_a_second(text: str):
    began = time.process_time()
    read_text(text, "trip.yaml")
    assert time.process_time() - began < 1


def test_nesting_is_taken_up_to_the_limit_and_no_further():
    read_text("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1), "trip.yaml")
    assert refusals("a: " + "[" * MAX_DEPTH + "x" + "]" * MAX_DEPTH) == [
        f"trip.yaml:1:{MAX_DEPTH + 4}: nested deeper than {MAX_DEPTH} levels"
    ]


def read_bytes(folder: Path, raw: bytes) -> list[str]:
    path = folder / "trip.yaml"
    path.write_bytes(raw)
    with pytest.raises(DefinitionError) as caught:
        read_file(path, "shop/trip.yaml")
    return [str(one).splitlines()[0] for one in caught.value.problems]


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (b"a: 1\nb: x\xff\n", "2:5: the file is not UTF-8 text"),
        ("label: Réservation".encode("latin-1"), "1:9: the file is not UTF-8 text"),
        ("label: Trip".encode("utf-16"), "1:1: the file is not UTF-8 text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "1:1: the file is not UTF-8 text"),
        (b"a: \xed\xa0\x80", "1:4: the file is not UTF-8 text"),
        (b"\x00\x01\x02", "1:1: the character U+0000 cannot stand in a definition"),
        (b"PK\x03\x04", "1:3: the character U+0003 cannot stand in a definition"),
    ],
)
def test_what_is_no_text_is_refused_at_its_first_wrong_byte(tmp_path: Path, raw: bytes, refusal: str):
    assert read_bytes(tmp_path, raw) == [f"shop/trip.yaml:{refusal}"]


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path):
    path = tmp_path / "trip.yaml"
    with path.open("wb") as file:
        file.truncate(8 << 30)
    with pytest.raises(DefinitionError, match="8,589,934,592 bytes; a definition may have 524,288"):
        read_file(path, "shop/trip.yaml")


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path):
    (tmp_path / "circle.yaml").symlink_to("circle.yaml")
    for name, why in (("gone.yaml", "No such file or directory"), ("circle.yaml", "Too many levels of symbolic links")):
        with pytest.raises(DefinitionError, match=f"^shop/{name}: cannot be read: {why}$"):
            read_file(tmp_path / name, f"shop/{name}")


def make_unsafe(kind: str, path: Path) -> None:
    """Put something at a path that must not be read as a file."""
    if kind == "a folder":
        path.mkdir()
    elif kind == "a named pipe (FIFO)":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as end, contextlib.chdir(path.parent):
            end.bind(path.name)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        secret = path.parent.parent / "secret.yaml"
        secret.write_text("label: Secret", encoding="utf-8")
        path.symlink_to(secret)


OUTSIDE = "a link that leads out of the folder"
UNSAFE = {
    "a folder": "a folder, not a file",
    "a named pipe (FIFO)": r"a named pipe \(FIFO\), not a file",
    "a socket": "a socket, not a file",
    "a device": OUTSIDE,
    "a link": OUTSIDE,
}


@pytest.mark.parametrize("kind", UNSAFE)
@pytest.mark.parametrize("name", ["trip.yaml", "app.yaml"])
def test_what_is_no_regular_file_of_the_folder_is_refused_and_not_read(tmp_path: Path, kind: str, name: str):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "app.yaml").write_text("name: Shop", encoding="utf-8")
    (folder / name).unlink(missing_ok=True)
    make_unsafe(kind, folder / name)
    with pytest.raises(DefinitionError, match=f"^shop/{name}: is {UNSAFE[kind]}; it was not read") as caught:
        read_folder(folder, LANGUAGE, "shop")
    assert len(caught.value.problems) == 1 and "Secret" not in str(caught.value)


def test_a_device_in_the_folder_itself_is_refused():
    with pytest.raises(UnsafeFile, match="^is a device, not a file$"):
        read_regular_file(Path("/dev/zero"), Path("/dev"), 10)


def test_a_link_within_the_folder_is_read(tmp_path: Path):
    (tmp_path / "trip.yml").write_text("label: Trip", encoding="utf-8")
    (tmp_path / "trip.yaml").symlink_to("trip.yml")
    assert read_file(tmp_path / "trip.yaml", "trip.yaml").data == {"label": "Trip"}


def test_a_merge_that_is_not_finished_is_told_with_its_line(tmp_path: Path):
    text = "fields:\n<<<<<<< HEAD\n  nick: text\n=======\n  phone: phone\n>>>>>>> other\n"
    assert refusals(text) == ["trip.yaml:2:1: a merge of Git is not finished here: both sides stand in the file"]
    assert read_text("note: |\n  <<<<<<< HEAD\n", "trip.yaml").data == {"note": "<<<<<<< HEAD\n"}


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path):
    (tmp_path / "trip.yaml").write_bytes("\ufefflabel: Trip".encode())
    assert read_file(tmp_path / "trip.yaml", "trip.yaml").data == {"label": "Trip"}


def test_every_key_and_value_knows_its_place():
    found = read_text("list:\n  columns: [name, code]\n  page: 20\nfields: {name: text}", "trip.yaml")
    places = {
        ("list",): ("1:1", "2:3"),
        ("list", "columns"): ("2:3", "2:12"),
        ("list", "columns", 1): ("2:19", "2:19"),
        ("list", "page"): ("3:3", "3:9"),
        ("fields", "name"): ("4:10", "4:16"),
        ("fields", "gone", "to"): ("4:1", "4:1"),
        ("gone",): ("1:1", "1:1"),
    }
    for path, (key, value) in places.items():
        assert (str(found.place(path, key=True)), str(found.place(path))) == (f"trip.yaml:{key}", f"trip.yaml:{value}")
