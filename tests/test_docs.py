"""The documentation says what is so: keys, options, variables, links, commands; and whole pages are carried out.

A page that is carried out is read from the top: a fenced block `yaml file=PATH` is written there, a `diff` is applied,
and the commands of a `console` block are run and must print what the page shows. `…` stands for any text, and alone in
a line for any lines. `python tests/test_docs.py docs/tutorial.md` writes into the page what the commands print now.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.support.workplace import MANAGE, fork_server  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CARRIED_OUT = [
    "docs/tutorial.md",
    "docs/how-to/start-a-business.md",
    "docs/how-to/import-a-messy-file.md",
    "docs/how-to/compute-a-field.md",
    "docs/how-to/guard-a-state.md",
    "docs/how-to/rename-and-convert.md",
    "docs/how-to/add-a-field-type.md",
    "docs/how-to/add-a-capability.md",
    "docs/how-to/add-a-function.md",
    "docs/how-to/set-up-the-editor.md",
]
FORKED = {
    "docs/how-to/import-a-messy-file.md",
    "docs/how-to/compute-a-field.md",
    "docs/how-to/rename-and-convert.md",
}
"""The pages that leave the code as it is, and whose commands other pages start as processes: forks carry them out."""
FENCE = re.compile(r"^```(\S*)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    """A fenced block of a page: its language, what stands behind that, its text, and where the text begins."""

    language: str
    about: str
    text: str
    start: int

    @property
    def file(self) -> str:
        return self.about.removeprefix("file=") if self.about.startswith("file=") else ""


def blocks_of(page: Path) -> list[Block]:
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [Block(one[1], one[2].strip(), one[3], one.start(3)) for one in found]


def prose_of(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


# The reference


def test_the_reference_is_fresh():
    from crm.release.reference.page import PATH, reference_text

    assert PATH.read_text(encoding="utf-8") == reference_text(), "run: manage.py reference"


def test_the_command_tells_a_stale_reference(tmp_path, monkeypatch, capsys):
    from django.core.management import call_command

    from crm.management.commands import reference as command
    from crm.release.reference.page import reference_text

    page = tmp_path / "reference.md"
    page.write_text(reference_text().replace("`max_length`", "`longest`"), encoding="utf-8")
    monkeypatch.setattr(command, "PATH", page)
    with pytest.raises(SystemExit) as ended:
        call_command("reference", "--check")
    assert ended.value.code == 1
    assert "stale" in capsys.readouterr().err
    call_command("reference")
    call_command("reference", "--check")


def documented_keys() -> dict[str, set[str]]:
    """Return the keys that the reference describes below each of its headings."""
    found: dict[str, set[str]] = {}
    heading = ""
    for line in prose_of(ROOT / "docs/reference.md").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
            found[heading] = set()
        elif (row := re.match(r"\| `([a-z_]+)` \|", line)) and heading:
            found[heading].add(row[1])
        elif "(#options-that-most-fields-share): " in line:
            found[heading] |= set(re.findall(r"`([a-z_]+)`", line))
    return found


def test_every_key_is_documented_and_no_other():
    from crm.blueprint.complaints import known_keys
    from crm.blueprint.sections import AppSection, EntitySection, RoleSection
    from crm.fields.choices import Choice
    from crm.release.reference.files import inner_sections
    from crm.release.reference.tables import heading_of
    from crm.wiring import CAPABILITIES, FIELD_TYPES

    schemas = {
        "app.yaml": AppSection,
        "A role": RoleSection,
        "An entity's file": EntitySection,
        **{heading_of(one.__name__): one for one in inner_sections(EntitySection)},
        "A choice": Choice,
        **{one.name: one.Section for one in CAPABILITIES},
        **{one.name: one.Options for one in FIELD_TYPES},
    }
    documented = documented_keys()
    for heading, schema in schemas.items():
        assert documented[heading] == set(known_keys(schema)), heading


# Settings


def test_every_environment_variable_is_documented_and_no_other():
    code = [ROOT / "manage.py", *(ROOT / "project").glob("*.py"), *(ROOT / "crm").rglob("*.py")]
    reads = re.compile(r"""(?:os\.environ(?:\.get\(|\[)|\bflag\(|\bwords\(|\bwhole_number\()["']([A-Z][A-Z_]*)["']""")
    read = {name for path in code for name in reads.findall(path.read_text(encoding="utf-8"))}
    read |= set(re.findall(r"^(?:export )?([A-Z_]+) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE))
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)) == read


# Links, commands, texts


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE_FILE = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.py)`")


def test_there_are_links_and_files_to_check():
    texts = [prose_of(page) for page in PAGES]
    assert sum(len(LINK.findall(text)) for text in texts) > 100
    assert sum(len(CODE_FILE.findall(text)) for text in texts) > 20


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    for target in LINK.findall(prose_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors_of(there), target


def test_every_page_is_linked():
    linked = set()
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s#]+)", prose_of(page)):
            linked.add((page.parent / target).resolve())
    assert [name_of(page) for page in PAGES[1:] if page not in linked] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_exists(page):
    from django.core.management import get_commands

    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\bmanage\.py ([a-z_]+)", text)) | set(re.findall(r"^#+ manage\.py ([a-z]+)", text, re.M))
    assert named - set(get_commands()) == set()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    fenced = "\n".join(block.text for block in blocks_of(page))
    called = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"^(?:\$ )?make ([a-z-]+)", fenced, re.M))
    assert called - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_texts_name_no_machine(page):
    assert re.findall(r"/(?:tmp|work|root|home)/\w+", page.read_text(encoding="utf-8")) == []


def rows_below(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    text = prose_of(page)
    table = re.search(r"^\|.*(?:\n\|.*)*", text[text.index(f"## {heading}") :], re.MULTILINE)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_every_package_is_described_and_no_other():
    packages = {path.name for path in (ROOT / "crm").iterdir() if (path / "__init__.py").is_file()}
    hidden = {"migrations", "templatetags"}
    table = rows_below(ROOT / "docs/how-it-works.md", "The layers")
    described = {name for row in table for name in code(row[0] + row[1])}
    assert {f"{name}/" for name in packages - hidden} <= described


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_the_contracts_are_described_in_full():
    from crm.fields.base import FieldType
    from crm.kernel.capability import Capability

    page = ROOT / "docs/how-it-works.md"
    for heading, contract, column in (
        ("A field type", FieldType, 1),
        ("A capability and its contract", Capability, 0),
    ):
        described = {name.split("(")[0] for row in rows_below(page, heading) for name in code(row[column])}
        named = {name for part in contract.__mro__[:-1] for name in {**vars(part), **part.__annotations__}}
        members = {name for name in named if not name.startswith("_")}
        assert sorted(described) == sorted(members), heading


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_of_the_code_that_is_named_exists(page):
    made = {block.file for block in blocks_of(page)}
    near = [ROOT, ROOT / "crm", ROOT / "crm/capabilities"]
    for name in CODE_FILE.findall(prose_of(page)):
        assert name in made or any((folder / name).is_file() for folder in near), name


def test_every_name_of_the_code_that_the_inner_workings_mention_exists():
    """Functions and columns by name; tables by those of the models, and one option of a library."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "crm").rglob("*.py"))
    known = {*re.findall(r"\w+", text), *(one._meta.db_table for one in apps.get_models()), "use_bulk"}
    named = set(re.findall(r"`([a-z]*(?:_[a-z]+)+)(?:\(\))?`", prose_of(ROOT / "docs/how-it-works.md")))
    assert len(named) > 30 and named <= known, sorted(named - known)


def test_the_readme_begins_with_its_two_commands():
    first = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20]
    assert {"make run", "make test"} <= {line.strip().lstrip("$ ").split("  ")[0] for line in first}


def test_the_pictures_are_small():
    pictures = list((ROOT / "docs/images").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 200_000, picture.name


# YAML


def yaml_blocks() -> list:
    found = []
    for page in PAGES:
        for block in blocks_of(page):
            if block.language == "yaml":
                line = page.read_text(encoding="utf-8")[: block.start].count("\n") + 1
                found.append(pytest.param(block, id=f"{name_of(page)}:{line}"))
    return found


@pytest.mark.parametrize("block", yaml_blocks())
def test_yaml_is_of_the_language(block):
    """Read a fenced block: `yaml app` as app.yaml, `yaml fields` as fields, `yaml entity NAME` as an entity's file.

    Others are read as YAML only; those with `file=` are compiled where their page is carried out.
    """
    from crm.blueprint.compiler import compile_business
    from crm.blueprint.reader import read_text
    from crm.wiring import LANGUAGE

    document = read_text(block.text, "example.yaml")
    kind, _, name = block.about.partition(" ")
    other = read_text("fields: {name: {type: text, required: true}}", "other.yaml")
    documents = {"other.yaml": other}
    if kind == "app":
        entities = {one for names in document.data.get("menu", {}).values() for one in names}
        documents |= {"app.yaml": document, **{f"{one}.yaml": other for one in entities}}
    elif kind == "fields":
        document.data = {"fields": document.data}
        documents["example.yaml"] = document
    elif kind == "entity":
        documents[f"{name}.yaml"] = document
        links = re.findall(r"\b(?:to|of|related): ([a-z_]+)", block.text)
        documents |= {f"{one}.yaml": other for one in links if one != name}
    else:
        return
    compile_business("example", documents, LANGUAGE)


def refused_lines() -> list:
    blocks = [(page, block) for page in PAGES for block in blocks_of(page) if block.about == "refused"]
    return [
        pytest.param(line, id=f"{name_of(page)}:{line}") for page, block in blocks for line in block.text.splitlines()
    ]


@pytest.mark.parametrize("line", refused_lines())
def test_what_the_language_cannot_say_is_refused(line):
    """Each line of a block `yaml refused` is a field that an entity cannot have; once it can, the page must say so."""
    from crm.blueprint.compiler import compile_business
    from crm.blueprint.problems import DefinitionError
    from crm.blueprint.reader import read_text
    from crm.wiring import LANGUAGE

    names = ("other", "another")
    documents = {f"{name}.yaml": read_text("fields: {name: {type: text, required: true}}", name) for name in names}
    documents["example.yaml"] = read_text(f"fields:\n  name: text\n  {line}\n", "example.yaml")
    with pytest.raises(DefinitionError) as told:
        compile_business("example", documents, LANGUAGE)
    assert "example.yaml:3:" in str(told.value)


def test_the_readmes_example_is_the_file_that_is_shipped():
    entities = [block for block in blocks_of(ROOT / "README.md") if block.about.startswith("entity ")]
    assert entities
    for block in entities:
        shipped = ROOT / "definitions/travel" / f"{block.about.split()[1]}.yaml"
        assert block.text == shipped.read_text(encoding="utf-8")


# Pages that are carried out


def place_of(folder: Path) -> Path:
    """Make a copy of the project with what is compiled of it, so that a page can do as it likes."""
    place = folder / "formwright"
    kept = shutil.ignore_patterns(".git", ".venv", "var", "tests", ".*", "*.pyc.*")
    shutil.copytree(ROOT, place, ignore=kept)
    return place


def environment() -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "TMPDIR") if key in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**kept, "PATH": path, "PYTHONUNBUFFERED": "1", "COLUMNS": "120"}


def carried_out(page: Path, folder: Path, is_forked: bool = False) -> str:
    """Carry a page out, and return its text with what the commands printed."""
    place, known = place_of(folder), environment()
    text, done, parts = page.read_text(encoding="utf-8"), 0, []
    for block in blocks_of(page):
        parts.append(text[done : block.start])
        done = block.start + len(block.text)
        shown = block.text
        if block.file:
            path = place / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "diff":
            apply_diff(block.text, place)
        elif block.language == "console":
            shown = run_console(block.text, place, known, is_forked)
        parts.append(shown)
    return "".join([*parts, text[done:]])


def apply_diff(text: str, place: Path) -> None:
    """Apply a diff whose first line names the file; each hunk begins with `@@` and must fit exactly once."""
    first, *rest = text.splitlines()
    path = place / first.removeprefix("--- ").strip()
    content = path.read_text(encoding="utf-8")
    for hunk in re.split(r"^@@.*\n", "\n".join(rest) + "\n", flags=re.MULTILINE):
        if not hunk:
            continue
        lines = hunk.splitlines()
        old = "".join(f"{one[1:]}\n" for one in lines if one[:1] in {" ", "-"})
        new = "".join(f"{one[1:]}\n" for one in lines if one[:1] in {" ", "+"})
        assert content.count(old) == 1, f"{path.name} holds this {content.count(old)} times:\n{old}"
        content = content.replace(old, new)
    path.write_text(content, encoding="utf-8")


def run_console(text: str, place: Path, known: dict[str, str], is_forked: bool) -> str:
    shown = []
    for part in re.split(r"^(?=\$ )", text, flags=re.MULTILINE):
        if not part.startswith("$ "):
            shown.append(part)
            continue
        command, _, expected = part[2:].partition("\n")
        words = shlex.split(command)
        if words[0] == "export":
            known.update(word.split("=", 1) for word in words[1:])
            shown.append(part)
            continue
        if is_forked and words[:2] == ["python", "manage.py"] and not set("|<>&;") & set(words):
            forked = fork_server().run([MANAGE, *words[2:]], known, cwd=place, timeout=180, is_merged=True)
            returncode, output = forked.returncode, forked.stdout.decode()
        else:
            run = subprocess.run(
                command, shell=True, cwd=place, env=known, timeout=180, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, executable="/bin/bash",
            )  # fmt: skip
            returncode, output = run.returncode, run.stdout
        printed = "".join(f"{line.rstrip()}\n" for line in output.splitlines())
        if not expected.strip() and not returncode:
            printed = expected
        shown.append(f"$ {command}\n{expected if fits(expected, printed) else printed}")
    return "".join(shown)


def fits(expected: str, printed: str) -> bool:
    """Say whether a page shows what was printed; `…` stands for any text, alone in a line for any lines.

    Empty lines do not count.
    """
    pattern = ""
    for line in filter(str.strip, expected.splitlines()):
        any_lines = line.strip() == "…"
        pattern += r"(?:.*\n)*?" if any_lines else re.escape(line.rstrip()).replace("…", ".*") + r"\n"
    return re.fullmatch(pattern, re.sub(r"^\n", "", printed, flags=re.MULTILINE)) is not None


@pytest.mark.skipif("DATABASE_URL" in os.environ, reason="the pages show what SQLite prints")
@pytest.mark.starts(30)
@pytest.mark.parametrize("page", CARRIED_OUT)
def test_a_page_does_what_it_says(page, tmp_path):
    written = (ROOT / page).read_text(encoding="utf-8")
    found = carried_out(ROOT / page, tmp_path, is_forked=page in FORKED)
    told = difflib.unified_diff(written.splitlines(), found.splitlines(), page, "what was printed", lineterm="")
    assert found == written, "\n".join(told)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            written = carried_out(Path(argument).resolve(), Path(folder))
        Path(argument).write_text(written, encoding="utf-8")
