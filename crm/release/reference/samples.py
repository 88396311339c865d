"""Small businesses to ask what a type, a capability or an expression makes of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from crm.blueprint.compiler import compile_business
from crm.blueprint.expressions.parser import kind_of
from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.reader import Document
from crm.fields.base import FieldType
from crm.wiring import FIELD_TYPES, LANGUAGE


def sample(kind: FieldType) -> Field:
    """Return a field of a type with its example options, in a business of its own."""
    return sample_entity({"type": kind.name, **kind.example_options}).fields["example"]


def sample_entity(raw: dict[str, Any]) -> Entity:
    """Return an entity with one field, `example`."""
    return sample_business(sample={"example": raw}, other={"name": "text"}).entities["sample"]


def sample_business(**fields: dict[str, Any]) -> Business:
    """Return a business of entities with these fields: name → fields."""
    documents = {f"{name}.yaml": Document(f"{name}.yaml", {"fields": raw}) for name, raw in fields.items()}
    return compile_business("reference", documents, LANGUAGE)


@cache
def plain_fields() -> list[Field]:
    """Return a field of each type that has no parts of its own."""
    return [field for kind in FIELD_TYPES if not (field := sample(kind)).parts]


def kind_word(field: Field) -> str:
    """Return the kind of a field's values in expressions; an empty text where it has no single one."""
    kind = kind_of(field)
    return kind.name if kind is not None and not (field.type.many or field.type.rows) else ""
