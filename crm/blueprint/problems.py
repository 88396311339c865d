"""Problems in definitions: each names its place, and all are shown at once."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

WIDTH = 160
"""How much of a line, or of a message, is shown."""
MOST = 100
"""How many problems are written out; more than that nobody reads at a time."""


@dataclass(frozen=True)
class Place:
    """A spot in a definition file; `path` leads to it from the top of the file.

    `line` and `column` count from 1; both are 0 where only the file is known.
    """

    file: str
    line: int = 0
    column: int = 0
    text: str = field(default="", compare=False)

    def within(self, source: str, offset: int) -> Place:
        """Return the place of a letter of the text that stands here; where it stands on several lines, this place."""
        start = self.text.find(source, self.column - 1) if self.line and source else -1
        return Place(self.file, self.line, start + offset + 1, self.text) if start >= 0 else self

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the definitions, and how to mend it."""

    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        message = self.message if len(self.message) <= 3 * WIDTH else f"{self.message[: 3 * WIDTH]}…"
        lines = [f"{self.place}: {message}", *_excerpt(self.place)]
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


def _excerpt(place: Place) -> list[str]:
    """Return the line of a place, and a line with a caret below its column; of a long line the part around it."""
    if not place.text.strip():
        return []
    column = place.column - 1
    start = max(0, column - WIDTH // 2) if column >= WIDTH else 0
    text = "".join(character if character.isprintable() or character == "\t" else "\ufffd" for character in place.text)
    return [f"    {text[start : start + WIDTH].rstrip()}", f"    {_blank(text[start:column])}^"]


def _blank(text: str) -> str:
    """Return blanks that are as wide as the text in a terminal."""
    widths = (
        2 if unicodedata.east_asian_width(character) in "WF" else not unicodedata.combining(character)
        for character in text
    )
    return "".join("\t" if character == "\t" else " " * width for character, width in zip(text, widths, strict=True))


class DefinitionError(Exception):
    """The definitions cannot be used; carries every problem found, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]):
        unique = dict.fromkeys(problems)
        self.problems = sorted(unique, key=lambda p: (p.place.file, p.place.line, p.place.column))
        rest = len(self.problems) - MOST
        shown = [str(problem) for problem in self.problems[:MOST]]
        super().__init__("\n".join([*shown, f"… and {rest:,} more"] if rest > 0 else shown))

    @property
    def summary(self) -> str:
        count = len(self.problems)
        return f"{count} problem{'' if count == 1 else 's'} in the definitions"


MAX_WORD = 200
"""How much of a word is compared with those that are known."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, or the few that there are, or nothing."""
    names = sorted(set(known))
    ends = [name for name in names if name.lower().endswith(f"_{word}".lower())]
    if len(ends) == 1 and str(word).lower() not in map(str.lower, names):
        return f"Did you mean {ends[0]!r}?"
    near = difflib.get_close_matches(str(word)[:MAX_WORD].lower(), [name.lower() for name in names], n=1, cutoff=0.6)
    if near:
        return f"Did you mean {next(name for name in names if name.lower() == near[0])!r}?"
    return f"Known: {', '.join(names)}." if 0 < len(names) <= 40 else ""
