"""How values go to files and come from them, and from inputs and defaults: `serialize`, `parse`, `validate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from crm.blueprint.nodes import Field
from crm.fields.notation import Notation
from crm.fields.reading import Reading


@dataclass(frozen=True)
class Reference:
    """A field whose values are records elsewhere: `model` is a label such as `travel.Customer`.

    `entity` names the target among the definitions, else `key` is the target's column that files write.
    `folded` is the target's column with the comparison form of `key`; left out, the values themselves are folded.
    `create` says whether a value that is not there yet is added; `scope` fills the added record's other columns.
    """

    model: str
    entity: str = ""
    key: str = ""
    folded: str = ""
    many: bool = False
    create: bool = False
    scope: Mapping[str, Any] = field(default_factory=dict)


class ExchangeFace:
    """A value as a file holds it, and back: CSV, XLSX and JSON, defaults in YAML, inputs of forms."""

    writes_numbers = False
    """True where a value is written as a number, or with one, so that a file's notation matters."""
    uploads = False
    """True where a value is the name of an upload, which may belong to another record."""

    def serialize(self, value: Any, field: Field) -> Any:
        """Return a value as a file holds it: text, a number, a boolean, a date, or what JSON knows. None is empty."""
        return value

    def written(self, value: Any, field: Field, notation: Notation | None = None) -> Any:
        """Return a value as a text file or a form writes it, with numbers in a notation; `parse` reverses it too."""
        return self.serialize(value, field)

    def parse(self, raw: Any, field: Field, reading: Reading) -> Any:
        """Return the value that a file's `raw` means; raise ValueError with a sentence for people.

        Never called with an empty cell. Reverses `serialize`, and understands what people and other systems write.
        """
        raise NotImplementedError

    def validate(self, value: Any, field: Field) -> Any:
        """Check a parsed value against the field's limits; raise ValueError with every complaint."""
        complaints = []
        for validator in field.validators:
            try:
                validator(value)
            except ValidationError as error:
                complaints += error.messages
        if complaints:
            raise ValueError(" ".join(complaints))
        return value

    def number_texts(self, cell: str) -> list[str]:
        """Return the numbers in a cell of text, by which a column's notation may be decided."""
        return []

    def reference(self, field: Field) -> Reference | None:
        """Say where the values are records; None for values in themselves."""
        return None

    def value_schema(self, field: Field) -> dict[str, Any]:
        """Return the JSON Schema of a value as `serialize` gives it."""
        return {"type": "string"}
