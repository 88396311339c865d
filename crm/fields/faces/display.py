"""What people read: the text of a value, and what is shown beside it or instead of it."""

from __future__ import annotations

from typing import Any

from crm.blueprint.nodes import Field


class DisplayFace:
    """How a field type shows its values to people: in lists, documents, messages and the history."""

    align = "left"
    """The side of a column at which its values stand."""
    breaks = True
    """False where a list never breaks the text into lines: a phone number, a moment."""
    reads_as_title = False
    """True where a value may be the title of a record whose entity gives none."""

    def display(self, value: Any, field: Field) -> str:
        """Return a value that is not empty as people read it."""
        return str(value)

    def columns_displayed(self, field: Field) -> tuple[str, ...]:
        """Return the columns that `display` reads of a target which is no entity's record; none given means all."""
        return ()

    def badges(self, value: Any, field: Field) -> list[tuple[str, str]]:
        """Return the coloured labels that the value is shown as, text and colour each; empty for plain text."""
        return []

    def icon(self, value: Any, field: Field) -> bool | None:
        """Return True or False where a tick or a cross says it better than text."""
        return None

    def picture(self, value: Any, field: Field) -> str:
        """Return the colour or the picture's URL that is shown beside the text."""
        return ""

    def address(self, value: Any, field: Field) -> str:
        """Return the address that the value leads to when clicked (a mail, a call, a page, a file), or nothing."""
        return ""
