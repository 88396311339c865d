"""What a field's values are in expressions."""

from __future__ import annotations

from typing import Any

from crm.blueprint.nodes import Field


class ExpressionFace:
    """How expressions calculate with the values of a field type."""

    kind = ""
    """What a value is in expressions (`blueprint/expressions/tree.py`): number, text, boolean …, or nothing."""

    def places(self, field: Field) -> int:
        """Return how many digits stand after the point of a number."""
        return 0

    def operand(self, value: Any, field: Field) -> Any:
        """Return a value as expressions calculate with it; None for nothing."""
        return str(value) or None if self.kind == "text" and value is not None else value
