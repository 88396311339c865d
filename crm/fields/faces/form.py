"""How forms ask for a value."""

from __future__ import annotations

from typing import Any

from crm.blueprint.nodes import Field


class FormFace:
    """The input of a field type."""

    input = "text"
    """The kind of input in a form; builders/inputs.py has the table."""

    def input_options(self, field: Field) -> dict[str, Any]:
        """Return what the input needs to know: choices, limits, suffix; see builders/inputs.py."""
        return {}
