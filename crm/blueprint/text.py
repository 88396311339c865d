"""Text templates: `{path}` and `{path|format}`, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

PIECE = re.compile(r"\{([^{}]*)\}|([{}])")
PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")


@dataclass(frozen=True)
class Slot:
    """A `{path|format}` in a template: the way to a field, and how to write its value."""

    path: tuple[str, ...]
    format: str = ""


@dataclass(frozen=True)
class Template:
    """A parsed text template: literal text and slots, in order."""

    source: str
    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(part for part in self.parts if isinstance(part, Slot))


def parse_template(source: str) -> Template:
    """Parse a template. Raises ValueError that names the part which is not understood."""
    parts: list[str | Slot] = []
    end = 0
    for match in PIECE.finditer(source):
        if match[2]:
            raise ValueError(_unpaired(match[2], source, match.end()))
        path, _, style = match[1].partition("|")
        if not PATH.match(path.strip()):
            raise ValueError(f"{{{match[1]}}} is not a path to a field, such as {{customer.name}}")
        if source[end : match.start()]:
            parts.append(source[end : match.start()])
        parts.append(Slot(tuple(path.strip().split(".")), style.strip()))
        end = match.end()
    if source[end:]:
        parts.append(source[end:])
    return Template(source, tuple(parts))


def _unpaired(brace: str, source: str, end: int) -> str:
    if brace == "}":
        return f"a '}}' stands alone in {source!r}: nothing before it opens a field with '{{'"
    path = re.match(r"\s*([a-z][a-z0-9_.]*[a-z0-9_])", source[end:])
    return f"a '{{' is not closed in {source!r}: a field is written {{{path[1] if path else 'customer.name'}}}"
