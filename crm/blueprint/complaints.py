"""Turns what Pydantic says of a section into problems that an owner understands, at their place in the file."""

from __future__ import annotations

import re
from collections.abc import Hashable
from copy import deepcopy
from itertools import takewhile
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from crm.blueprint.problems import Problem, did_you_mean
from crm.blueprint.reader import Document

Checked = TypeVar("Checked", bound=BaseModel)

PLAIN = {
    "missing": "{key!r} is missing",
    "bool_type": "{key!r} takes true or false, not {value}",
    "bool_parsing": "{key!r} takes true or false, not {value}",
    "int_type": "{key!r} takes a whole number, not {value}",
    "int_parsing": "{key!r} takes a whole number, not {value}",
    "int_from_float": "{key!r} takes a whole number, not {value}",
    "decimal_parsing": "{key!r} takes a number, not {value}",
    "decimal_type": "{key!r} takes a number, not {value}",
    "string_type": "{key!r} takes text, not {value}",
    "list_type": "{key!r} takes a list, such as [one, two], not {value}",
    "dict_type": "{key!r} takes a map of 'key: value' lines, not {value}",
    "model_type": "{key!r} takes a map of 'key: value' lines, not {value}",
    "string_too_short": "{key!r} is empty",
    "string_too_long": "{key!r} may have {ctx[max_length]} letters",
    "too_short": "{key!r} is empty",
    "too_long": "{key!r} is longer than {ctx[max_length]}",
    "greater_than_equal": "{key!r} must be at least {ctx[ge]}, not {value}",
    "greater_than": "{key!r} must be more than {ctx[gt]}, not {value}",
    "less_than_equal": "{key!r} may be {ctx[le]} at most, not {value}",
    "string_pattern_mismatch": "{value} does not fit {key!r}",
}
QUOTE_HINT = "Where a comma is part of a value between braces, put the value in quotes."
NAME_HINT = "Names are written in small letters, digits and '_'."


def known_keys(schema: type[BaseModel]) -> list[str]:
    """Return the keys of a section as they stand in YAML."""
    return [info.alias or name for name, info in schema.model_fields.items()]


def check_section(
    schema: type[Checked],
    raw: Any,
    document: Document,
    path: tuple[Hashable, ...],
    problems: list[Problem],
    what: str = "key",
) -> Checked | None:
    """Validate `raw` against `schema`; add what is wrong to `problems`.

    Returns what is left without the faulty keys, so that nothing is said of what only follows from them; None where
    nothing can be made of the rest.
    """
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        told = _worth_telling(error.errors(), raw)
        for details in told:
            problems.append(_problem(schema, details, document, path, what))
        return _salvaged(schema, raw, [tuple(details["loc"]) for details in told])


def _salvaged(schema: type[Checked], raw: Any, spots: list[tuple]) -> Checked | None:
    """Return the section without its faulty keys, and without lists that hold faulty items."""
    rest = deepcopy(raw)
    for spot in spots:
        keys = tuple(takewhile(lambda part: isinstance(part, str), spot))
        _drop(rest, keys)
    try:
        return schema.model_validate(rest) if spots and all(spots) else None
    except ValidationError:
        return None


def _drop(raw: Any, keys: tuple) -> None:
    for key in keys[:-1]:
        raw = raw.get(key) if isinstance(raw, dict) else None
    if isinstance(raw, dict) and keys:
        raw.pop(keys[-1], None)


def _worth_telling(errors: list[Any], raw: Any) -> list[Any]:
    """Of the branches of a union, tell the deepest alone: the one that was meant."""
    details_by_spot: dict[tuple, Any] = {}
    for details in errors:
        spot = _spot(details, raw)
        details_by_spot.setdefault(spot, {**details, "loc": spot})
    shallow = {spot[:end] for spot in details_by_spot for end in range(len(spot))}
    return [details for spot, details in details_by_spot.items() if spot not in shallow]


def _spot(error: Any, raw: Any) -> tuple:
    """Return where an error stands in the file: its location without what names a branch of the schema."""
    spot: list[Hashable] = []
    for part in error["loc"]:
        if (isinstance(raw, dict) and part in raw) or (isinstance(raw, list) and isinstance(part, int)):
            spot.append(part)
            raw = raw[part]
    return (*spot, error["loc"][-1]) if error["type"] == "missing" else tuple(spot)


def _problem(schema: type[BaseModel], error: Any, document: Document, path: tuple, what: str) -> Problem:
    spot, kind = tuple(error["loc"]), error["type"]
    key = next((part for part in reversed((*path[-1:], *spot)) if isinstance(part, str)), what)
    if kind == "extra_forbidden":
        place = document.place((*path, *spot), key=True)
        cut = isinstance(key, str) and re.search(r"[^\w\s.-]", key)
        hint = QUOTE_HINT if cut else did_you_mean(key, _known_keys(schema, spot[:-1]))
        return Problem(place, f"unknown {what} {key!r}", hint)
    place = document.place((*path, *spot), key=kind == "missing")
    if kind == "literal_error":
        choices = _literals(error["ctx"]["expected"])
        return Problem(place, f"{key!r} cannot be {_shown(error['input'])}", did_you_mean(error["input"], choices))
    text = PLAIN.get(kind)
    if text is None:
        message = error["msg"].removeprefix("Value error, ")
        return Problem(place, f"{key!r}: {message}")
    context = error.get("ctx", {})
    hint = NAME_HINT if "[a-z][a-z0-9_]*" in str(context.get("pattern")) else ""
    return Problem(place, text.format(key=key, value=_shown(error["input"]), ctx=context), hint)


def _shown(value: Any) -> str:
    """Return a value in the words of YAML, not of Python."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    return repr(value) if isinstance(value, str) else str(value)


def _known_keys(schema: type[BaseModel], spot: tuple) -> list[str]:
    for part in spot:
        info = next(
            (candidate for name, candidate in schema.model_fields.items() if part in (candidate.alias, name)), None
        )
        schema = (section_within(info.annotation) if info else None) or schema
    return known_keys(schema)


def section_within(annotation: Any) -> type[BaseModel] | None:
    """Return the section that an annotation such as `dict[str, RoleSection | None]` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((section for argument in get_args(annotation) if (section := section_within(argument))), None)


def _literals(expected: str) -> list[str]:
    return [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
