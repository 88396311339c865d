"""Reads one YAML file into plain data and remembers where everything stands.

YAML is far wider than a description of a business needs, and several of its corners have hurt (see DESIGN.md,
section 5), so this reader walks the parser's events itself and takes a safe part of the language only: no anchors,
aliases, merge keys, tags or second documents; duplicate keys are refused; `true` and `false` are the only booleans;
22:30 and 0123 stay text; size, depth and number of nodes are capped before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from crm.blueprint.files import UnsafeFile, find_merge_mark, read_regular_file
from crm.blueprint.problems import DefinitionError, Place, Problem

Path_ = tuple[Hashable, ...]

MAX_BYTES = 512 * 1024
MAX_DEPTH = 24
MAX_NODES = 20_000
MAX_FILES = 2_000

INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}\Z")
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
CONSTANTS = {"": None, "null": None, "~": None, "true": True, "false": False}
LOADER = getattr(yaml, "CLoader", yaml.Loader)
IN_PLAIN_WORDS = {
    "did not find expected ',' or ']'": "a '[' is not closed, or a ',' is missing",
    "did not find expected ',' or '}'": "a '{' is not closed, or a ',' is missing",
    "found unexpected end of stream": "a quote is not closed",
    "did not find expected key": "this line does not fit the lines before it",
    "did not find expected '-' indicator": "this line does not fit the list before it",
    "could not find expected ':'": "a ':' is missing",
    "mapping values are not allowed in this context": "a ':' stands where none fits",
    "found character that cannot start any token": "a tab, or a sign such as @ or %, stands where none fits",
    "did not find expected <document start>": "something follows the end of the definition",
    "did not find expected node content": "a value is missing here",
}
"""What the parser says, and what it means to an owner."""


@dataclass
class Document:
    """A definition file: its plain data, and the place of every key and value in it."""

    file: str
    data: dict[str, Any]
    keys: dict[Path_, tuple[int, int]] = field(default_factory=dict, repr=False)
    values: dict[Path_, tuple[int, int]] = field(default_factory=dict, repr=False)
    lines: list[str] = field(default_factory=list, repr=False)

    def place(self, path: Path_ = (), *, key: bool = False) -> Place:
        """Return where `path` stands: its key, or its value; the nearest parent where it is not written."""
        path = tuple(path)
        while path:
            marks = (self.keys, self.values) if key else (self.values, self.keys)
            position = marks[0].get(path) or marks[1].get(path)
            if position:
                return self.at(*position)
            path, key = path[:-1], True
        return self.at(0, 0) if self.lines else Place(self.file)

    def at(self, line: int, column: int) -> Place:
        """Return the place of a mark that counts from 0; the end of the file where it stands behind that."""
        if line >= len(self.lines):
            line, column = len(self.lines) - 1, len(self.lines[-1])
        return Place(self.file, line + 1, column + 1, self.lines[line])


def read_file(path: Path, shown_as: str) -> Document:
    """Read one definition file. Raises DefinitionError with every problem found in it."""
    try:
        raw = read_regular_file(path, path.parent, MAX_BYTES)
    except UnsafeFile as error:
        hint = "A definition is a file of its own in the folder of the business."
        raise DefinitionError([Problem(Place(shown_as), f"{error}; it was not read", hint)]) from None
    except OSError as error:
        raise DefinitionError([Problem(Place(shown_as), f"cannot be read: {error.strerror}")]) from None
    if len(raw) > MAX_BYTES:
        message = f"the file has {path.stat().st_size:,} bytes; a definition may have {MAX_BYTES:,}"
        raise DefinitionError([Problem(Place(shown_as), message)])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace").splitlines() or [""]
        place = Place(shown_as, len(before), len(before[-1]) + 1)
        raise DefinitionError([Problem(place, "the file is not UTF-8 text", "Save it as UTF-8.")]) from None
    return read_text(text, shown_as)


def read_text(text: str, shown_as: str) -> Document:
    """Read YAML text. Raises DefinitionError with every problem found in it."""
    return _Composer(text, shown_as).document()


class _Composer:
    def __init__(self, text: str, shown_as: str):
        self.found = Document(shown_as, {}, lines=text.splitlines() or [""])
        self.text = text
        self.problems: list[Problem] = []
        self.nodes = 0

    def document(self) -> Document:
        try:
            self._check_characters()
            self._check_merge()
            self.events = yaml.parse(self.text, Loader=LOADER)
            self._skip_to_root()
        except yaml.MarkedYAMLError as error:
            self._refuse_yaml(error)
        except _Stop:
            pass
        if self.problems:
            raise DefinitionError(self.problems)
        return self.found

    def _check_characters(self) -> None:
        match = UNPRINTABLE.search(self.text)
        if match:
            before = f"{self.text[: match.start()]}^".splitlines()
            place = self.found.at(len(before) - 1, len(before[-1]) - 1)
            self.problems.append(Problem(place, f"the character U+{ord(match[0]):04X} cannot stand in a definition"))
            raise _Stop

    def _check_merge(self) -> None:
        line = find_merge_mark(self.text)
        if line:
            message = "a merge of Git is not finished here: both sides stand in the file"
            hint = "Keep what is wanted of both, and remove the lines with <<<<<<<, ======= and >>>>>>>."
            self.problems.append(Problem(self.found.at(line - 1, 0), message, hint))
            raise _Stop

    def _refuse_yaml(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        if error.context_mark and mark.index >= len(self.text.rstrip()):
            mark = error.context_mark
        what = " ".join(filter(None, (error.context, error.problem))).replace("\n", " ")
        what = IN_PLAIN_WORDS.get(error.problem, what)
        if not self._is_unspaced(mark.line):
            self._refuse(mark, f"this is not YAML: {what}", "Check the indentation, colons, quotes and brackets.")

    def _is_unspaced(self, number: int) -> bool:
        """Report a line like `label:Grower`, which YAML takes for one word, and say whether it is one."""
        match = UNSPACED.match(dict(enumerate(self.text.splitlines())).get(number, ""))
        if match:
            place = self.found.at(number, match.start(1))
            message = f"there is no blank behind the colon of {match[1]!r}"
            self.problems.append(Problem(place, message, f"Write '{match[1]}: {match[2].strip()}'."))
        return match is not None

    def _skip_to_root(self) -> None:
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop(event.start_mark, "a definition file holds one document", "Remove the '---'.")
            elif isinstance(event, yaml.NodeEvent):
                self._root(event)

    def _root(self, event: yaml.Event) -> None:
        mark = event.start_mark
        value = self._value(event, (), 0)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            if self._is_unspaced(mark.line):
                raise _Stop
            self._stop(mark, "a definition is a list of 'key: value' lines", "Start with 'label:' and 'fields:'.")
        self.found.data = value

    def _value(self, event: yaml.Event, path: Path_, depth: int) -> Any:
        self._check(event, depth)
        self.found.values[path] = (event.start_mark.line, event.start_mark.column)
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else self._plain(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return self._mapping(path, depth)

    def _check(self, event: yaml.Event, depth: int) -> None:
        mark = event.start_mark
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._stop(mark, f"the file has more than {MAX_NODES:,} values")
        if depth > MAX_DEPTH:
            self._stop(mark, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            self._stop(mark, "aliases (*name) are not part of the language", "Write the value out.")
        if event.anchor:
            self._stop(mark, "anchors (&name) are not part of the language", "Write the value out.")
        if event.tag:
            self._stop(mark, f"tags ({event.tag}) are not part of the language", "Remove the tag.")
        match = UNPRINTABLE.search(event.value) if isinstance(event, yaml.ScalarEvent) else None
        if match:
            self._stop(mark, f"the character U+{ord(match[0]):04X} cannot stand in a definition")

    def _sequence(self, path: Path_, depth: int) -> list:
        items: list = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items)), depth + 1))
        return items

    def _mapping(self, path: Path_, depth: int) -> dict:
        items: dict = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            mark = event.start_mark
            key = self._key(event, path, depth)
            at = (*path, key)
            if key in items:
                first = self.found.keys[at][0] + 1
                self._refuse(mark, f"the key {key!r} stands here twice; the first is on line {first}")
            self.found.keys.setdefault(at, (mark.line, mark.column))
            value = self._value(next(self.events), at, depth + 1)
            items.setdefault(key, value)
        return items

    def _key(self, event: yaml.Event, path: Path_, depth: int) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(event.start_mark, "a key must be a word")
        if event.value == "<<" and not event.style:
            self._stop(event.start_mark, "merge keys (<<) are not part of the language", "Write the keys out.")
        self._check(event, depth)
        return event.value

    @staticmethod
    def _plain(text: str) -> Any:
        if text in CONSTANTS:
            return CONSTANTS[text]
        if INTEGER.match(text):
            return int(text)
        return Decimal(text) if DECIMAL.match(text) else text

    def _refuse(self, mark: Any, message: str, hint: str = "") -> None:
        place = self.found.at(mark.line, mark.column) if mark else self.found.place()
        self.problems.append(Problem(place, message, hint))

    def _stop(self, mark: Any, message: str, hint: str = "") -> None:
        self._refuse(mark, message, hint)
        raise _Stop


UNSPACED = re.compile(r"\s*([A-Za-z_]\w*):([^\s/].*)\Z")


class _Stop(Exception):
    """Nothing after this can be trusted."""
