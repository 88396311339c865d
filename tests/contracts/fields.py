"""A field of each type, made from a definition, with the values that its type gives as examples."""

from __future__ import annotations

from typing import Any

from crm.blueprint.compiler import compile_business
from crm.blueprint.nodes import Field
from crm.blueprint.reader import Document
from crm.fields.base import FieldType
from crm.fields.reading import Reading
from crm.wiring import LANGUAGE

APP = {"name": "Sample", "currency": "GBP", "time_zone": "Europe/London", "region": "GB"}
PLAIN = Reading()


def field_of(kind: FieldType, **options: Any) -> Field:
    """Return the field `value` of a type, with its example options and others."""
    made = {"type": kind.name, **kind.example_options, **options}
    files = {
        "app.yaml": APP,
        "other.yaml": {"fields": {"name": "text"}},
        "thing.yaml": {"fields": {"name": "text", "value": made}},
    }
    documents = {name: Document(f"sample/{name}", data) for name, data in files.items()}
    return compile_business("sample", documents, LANGUAGE).entities["thing"].fields["value"]


def values_of(field: Field) -> list[Any]:
    """Return the values that the examples of a field's type mean."""
    kind = field.type
    assert kind.examples, "without examples, what is said of each of them would hold for nothing"
    return [kind.validate(kind.parse(raw, field, PLAIN), field) for raw in kind.examples]
