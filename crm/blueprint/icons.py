"""The names of the icons: those that the font of the pages can draw, out of the file beside this one.

The font turns a word into an icon by its ligatures; another word would stand on the page as text.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from crm.blueprint.language import Report
from crm.blueprint.problems import did_you_mean
from crm.blueprint.sections import IsIcon

NAMES = Path(__file__).with_suffix(".txt")


@cache
def icon_names() -> frozenset[str]:
    """Return the names of all icons that there are."""
    return frozenset(line for line in NAMES.read_text().splitlines() if not line.startswith("#"))


def check_icons(section: BaseModel, report: Report) -> None:
    """Report every icon in a section that there is none of."""
    for path, name in _icons_in(section, ()):
        if name not in icon_names():
            hint = did_you_mean(name, icon_names()) or "fonts.google.com/icons shows them all."
            report(f"there is no icon {name!r}", *path, hint=hint)


def _icons_in(value: Any, path: tuple[Hashable, ...]) -> Iterator[tuple[tuple[Hashable, ...], str]]:
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            inner, key = getattr(value, name), info.alias or name
            if any(isinstance(mark, IsIcon) for mark in info.metadata):
                yield (*path, key), inner
            else:
                yield from _icons_in(inner, (*path, key))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _icons_in(inner, (*path, key))
