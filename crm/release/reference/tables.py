"""Schemas as tables: what a key takes, in words."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from crm.blueprint.sections import Formula

WORDS = {
    r"^[a-z][a-z0-9_]*$": "a name",
    r"^-?[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$": "a path",
    r"^[A-Z]{3}$": "three capital letters",
    r"^[A-Z]{2}$": "two capital letters",
    r"^[a-z0-9_]+$": "a name",
    r"^[a-z0-9]{1,8}$": "an ending",
    r"^[a-z]{2}(-[a-z]{2,4})?$": "a language code",
}
"""What the patterns of the schemas mean; one that is missing here is shown as it is."""
SIMPLE = {"string": "text", "boolean": "true or false", "integer": "a whole number", "number": "a number"}
COUNTED = {
    "a name": "names",
    "a path": "paths",
    "text": "texts",
    "text or a whole number": "texts or whole numbers",
    "an ending": "endings",
    "a language code": "language codes",
}
EXPRESSION = "an [expression](#expressions)"


def paragraph(text: str) -> Iterator[str]:
    """Yield a paragraph as lines of the page; what stands between backquotes is not broken."""
    whole = re.sub(r"`[^`]*`", lambda match: match[0].replace(" ", "\0"), " ".join(text.split()))
    lines = textwrap.wrap(whole, 120, break_long_words=False, break_on_hyphens=False)
    yield from (line.replace("\0", " ") for line in lines)


def listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def heading_of(section: str) -> str:
    """Return the heading below which a section is described, by the name of its class."""
    return "A role" if section == "RoleSection" else section.removesuffix("Section").lower()


def described(section: type[BaseModel]) -> Iterator[str]:
    """Yield what a section is, and the table of its keys."""
    yield from [(section.__doc__ or "").strip(), "", *table(section)]


def table(section: type[BaseModel], only: set[str] | None = None) -> Iterator[str]:
    """Yield the keys of a section as a table, and an empty line."""
    schema = section.model_json_schema()
    required, formulas = set(schema.get("required", ())), set(formula_keys(section))
    yield from ["| Key | Takes | Left out | What it says |", "|---|---|---|---|"]
    for key, schema_of_key in schema.get("properties", {}).items():
        if only is None or key in only:
            default = "**required**" if key in required else _default(schema_of_key.get("default"))
            takes = EXPRESSION if key in formulas else _takes(schema_of_key)
            yield row(f"`{key}`", takes, default, schema_of_key.get("description", ""))
    yield ""


def formula_keys(section: type[BaseModel]) -> Iterator[str]:
    """Yield the keys of a section behind which an expression stands."""
    for name, info in section.model_fields.items():
        if Formula in get_args(info.annotation) or info.metadata == list(get_args(Formula)[1:]):
            yield info.alias or name


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def flow(value: Any) -> str:
    """Return a value as one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _default(value: Any) -> str:
    if value in (None, [], {}, "") or isinstance(value, dict):
        return ""
    return f"`{flow(value)}`"


def _takes(schema: dict[str, Any]) -> str:
    """Return in words what a JSON Schema lets through."""
    if "anyOf" in schema:
        alternatives = [_takes(one) for one in schema["anyOf"] if one.get("type") != "null"]
        between = "; or " if any(" or " in one for one in alternatives) else " or "
        return "a number" if alternatives == ["a number", "text"] else between.join(dict.fromkeys(alternatives))
    if "$ref" in schema:
        return _section(schema["$ref"].rsplit("/", 1)[-1])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        items = _takes(schema.get("items", {}))
        return f"a list of {COUNTED.get(items, _several(items))}"
    if kind == "object":
        values = schema.get("additionalProperties", True)
        values = next(iter(schema.get("patternProperties", {}).values()), values)
        return "a map" if values is True else f"a map to {_takes(values)}"
    return _simple(schema, kind)


def _section(name: str) -> str:
    heading = heading_of(name)
    if heading == "A role":
        return "[a role](#a-role)"
    return f"[a map](#{heading})" if name.endswith("Section") else "a map"


def _several(items: str) -> str:
    return items.replace("[a map]", "[maps]").replace("a list", "lists").replace("text,", "texts,")


def _simple(schema: dict[str, Any], kind: str | None) -> str:
    if "pattern" in schema:
        return WORDS.get(schema["pattern"], f"text as `{schema['pattern']}`")
    if kind is None:
        return "a value of the field"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        return f"{SIMPLE[kind]}, {low:,} to {high:,}" if high is not None else f"{SIMPLE[kind]}, {low:,} or more"
    most = schema.get("maxLength")
    return f"text, {most} letters at most" if most and most < 200 else SIMPLE[kind]
