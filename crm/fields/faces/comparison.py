"""When two values are one: to people, and behind `unique`, `match_on` and the links of files."""

from __future__ import annotations

from typing import Any

from crm.blueprint.nodes import Field


class ComparisonFace:
    """When a field type takes two values for the same."""

    folds = False
    """True where texts that are written differently may be one value; `comparison_key` says which."""
    usable_as_key = True
    """False where a value cannot be the key that tells the records of a file apart."""

    def equals(self, value: Any, other: Any) -> bool:
        """Say whether two values are the same to people."""
        return value == other

    def comparison_key(self, value: Any, field: Field) -> Any:
        """Return the comparison form of a stored value: two values with the same one are one value.

        It is behind `unique`, `match_on` and the links of files. Idempotent; types that fold give text.
        """
        return value
