"""How problems are shown: all at once, in the order of the files, each with its line and a caret below its column."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm.blueprint.compiler import read_folder
from crm.blueprint.problems import MOST, DefinitionError, Place, Problem, did_you_mean
from crm.wiring import LANGUAGE


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path) -> str:
    with pytest.raises(DefinitionError) as caught:
        read_folder(folder, LANGUAGE, "shop")
    return str(caught.value).replace(f"{folder.name}/", "")


def test_the_problems_of_several_files_are_shown_together_in_order(tmp_path: Path):
    folder = write(
        tmp_path,
        app="name: Shop\ncolour: red\nmenu: {Goods: [thng]}\n",
        broken="fields: {a: text\n",
        other="fields:\n  b: {type: link, to: thig}\n  a: texxt\n",
        thing="labl: Thing\nfields: {a: {type: text, max_length: x}}\nlist: {columns: [b]}\n",
    )
    assert read(folder) == (
        "app.yaml:2:1: unknown key 'colour'\n"
        "    colour: red\n"
        "    ^\n"
        "    Did you mean 'color'?\n"
        "broken.yaml:1:9: this is not YAML: a '{' is not closed, or a ',' is missing\n"
        "    fields: {a: text\n"
        "            ^\n"
        "    Check the indentation, colons, quotes and brackets.\n"
        "other.yaml:2:23: there is no entity 'thig'\n"
        "      b: {type: link, to: thig}\n"
        "                          ^\n"
        "    Did you mean 'thing'?\n"
        "other.yaml:3:6: unknown field type 'texxt'\n"
        "      a: texxt\n"
        "         ^\n"
        "    Did you mean 'text'?\n"
        "thing.yaml:1:1: unknown key 'labl'\n"
        "    labl: Thing\n"
        "    ^\n"
        "    Did you mean 'label'?\n"
        "thing.yaml:2:38: 'max_length' takes a whole number, not 'x'\n"
        "    fields: {a: {type: text, max_length: x}}\n"
        "                                         ^\n"
        "thing.yaml:3:18: 'Thing' has no field 'b'\n"
        "    list: {columns: [b]}\n"
        "                     ^\n"
        "    Known: created, updated."
    )


def shown(text: str, column: int) -> list[str]:
    return str(Problem(Place("a.yaml", 1, column, text), "wrong")).splitlines()[1:]


def test_the_caret_stands_below_the_column_behind_tabs_and_wide_letters():
    assert shown("a:\tb", 4) == ["    a:\tb", "      \t^"]
    assert shown("日本: b", 5) == ["    日本: b", "          ^"]
    assert shown("e\u0301: b", 5) == ["    e\u0301: b", "       ^"]


def test_of_a_long_line_the_part_around_the_column_is_shown():
    line, caret = shown("x" * 500 + "HERE" + "y" * 500, 501)
    assert len(line) == 164
    assert line[caret.index("^") :].startswith("HERE")


def test_what_a_terminal_would_obey_is_not_shown():
    assert shown("a: \x1b[31m\u202e", 4) == ["    a: \ufffd[31m\ufffd", "       ^"]


def test_an_endless_message_is_cut():
    assert len(str(Problem(Place("a.yaml"), "x" * 100_000))) < 600


def test_a_place_behind_the_line_and_a_file_without_lines_are_shown_too():
    assert shown("a: ", 4) == ["    a:", "       ^"]
    assert str(Problem(Place("a.yaml"), "wrong", "Mend it.")) == "a.yaml: wrong\n    Mend it."


def test_of_very_many_problems_the_first_are_shown_and_all_are_counted():
    problems = [Problem(Place("a.yaml", line, 1), "wrong") for line in range(1, MOST + 43)]
    error = DefinitionError([*problems, problems[0]])
    assert str(error).splitlines()[-1] == "… and 42 more"
    assert (len(error.problems), error.summary) == (MOST + 42, f"{MOST + 42} problems in the definitions")


def test_a_near_word_is_suggested_else_the_few_that_there_are():
    assert did_you_mean("Colour", ["color", "label"]) == "Did you mean 'color'?"
    assert did_you_mean("zzz", ["b", "a"]) == "Known: a, b."
    assert did_you_mean("zzz", map(str, range(100))) == did_you_mean("zzz", []) == ""


def test_a_folder_without_an_app_file_is_no_business(tmp_path: Path):
    assert read(tmp_path).startswith("app.yaml: there is no such file\n")
    assert read(write(tmp_path, thing="fields: {n: integer}")).startswith("app.yaml: there is no such file\n")


def test_what_editors_leave_beside_the_files_is_no_definition(tmp_path: Path):
    folder = write(tmp_path, app="name: Shop", thing="fields: {n: integer}")
    for name in (".thing.yaml.swp", "thing.yaml~", "._thing.yaml", "#thing.yaml#", "notes.txt", "migrations"):
        (folder / name).write_text("{", encoding="utf-8")
    (folder / ".#thing.yaml").symlink_to("someone@machine.1234")
    assert list(read_folder(folder, LANGUAGE, "shop").entities) == ["thing"]


def test_an_entity_is_defined_in_one_file(tmp_path: Path):
    folder = write(tmp_path, app="name: Shop", thing="fields: {n: integer}")
    (folder / "thing.yml").write_text("fields: {n: integer}")
    assert read(folder).splitlines()[0] == "thing.yml:1:1: the file's name: 'thing' is defined in thing.yaml already"
