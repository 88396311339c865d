"""The JSON Schema of the language, so that an editor completes and checks definitions while they are written."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from crm.blueprint.language import Language
from crm.blueprint.sections import AppSection, EntitySection

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def app_schema() -> dict[str, Any]:
    """Return the schema of `app.yaml`."""
    return {"$schema": DRAFT, **AppSection.model_json_schema()}


def entity_schema(language: Language) -> dict[str, Any]:
    """Return the schema of an entity's file: the engine's keys, the capabilities' sections, and every field type."""
    definitions: dict[str, Any] = {}
    schema = _inline(EntitySection, definitions)
    properties = schema["properties"]
    names = sorted(language.types)
    for spec in language.types.values():
        definitions[f"field_{spec.name}"] = _field(spec, definitions)
    references = [{"$ref": f"#/$defs/field_{name}"} for name in names]
    properties["fields"] = {
        **properties["fields"],
        "minProperties": 1,
        "additionalProperties": {"anyOf": [{"enum": names}, *references]},
    }
    for key, spec in language.sections.items():
        properties[key] = _inline(spec.Section, definitions)
    return {"$schema": DRAFT, **schema, "$defs": definitions}


def _field(spec: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _inline(spec.Options, definitions)
    kind = {"type": {"const": spec.name, "description": spec.summary}}
    required = ["type", *schema.get("required", [])]
    return {**schema, "title": spec.name, "properties": {**kind, **schema["properties"]}, "required": required}


def _inline(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(schema.pop("$defs", {}))
    schema.setdefault("properties", {})
    return schema
