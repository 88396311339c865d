"""A choice out of a list, a tick, and a colour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from django.core.validators import RegexValidator
from django.db import models
from pydantic import BeforeValidator
from pydantic import Field as Key

from crm.blueprint.bounds import shorten
from crm.blueprint.language import Report
from crm.blueprint.names import humanize
from crm.blueprint.nodes import Field
from crm.blueprint.problems import did_you_mean
from crm.blueprint.sections import Color, Flag, Section, Text
from crm.fields import columns
from crm.fields.base import FieldType
from crm.fields.cell_values import text_of
from crm.fields.options import Computable, Keyed, Stored
from crm.fields.reading import Reading
from crm.fields.text import Text as TextType

WIDTH = 60


class Choice(Section):
    """One choice: its label, the colour of that label in lists, and the choice whose place it takes."""

    label: Text | None = None
    color: Color | None = None
    was: Annotated[str, Key(max_length=WIDTH, min_length=1)] | None = None


def _choices(raw: object) -> object:
    if isinstance(raw, list):
        if any(isinstance(choice, list | dict) or choice is None for choice in raw):
            raise ValueError("each choice is a word of its own, not a list or a map")
        raw = {str(choice): None for choice in raw}
    if isinstance(raw, Mapping):
        return {
            str(key): {"label": value} if isinstance(value, str | int) else value or {} for key, value in raw.items()
        }
    return raw


ChoiceMap = Annotated[
    dict[Annotated[str, Key(max_length=WIDTH, min_length=1)], Choice],
    BeforeValidator(_choices, json_schema_input_type=dict[str, Text | Choice | None] | list[str | int]),
]


class ChoiceOptions(Stored):
    choices: ChoiceMap = Key(
        min_length=1,
        description="What there is to choose: `key: Label`, or `key: {label: Label, color: green}`. "
        "With `was: old`, `apply` writes the new key for an old one that is gone.",
    )


class ChoiceType(FieldType):
    name = "choice"
    summary = "One out of a list; with colours, shown as a label."
    Options = ChoiceOptions
    examples = ("draft", "sent")
    example_options = {"choices": {"draft": "Draft", "sent": {"label": "Sent", "color": "green"}}}
    kind = "text"
    filter = "choice"
    input = "select"

    def column(self, field: Field) -> models.Field:
        return columns.Char(max_length=WIDTH, choices=self.labels(field), **self.common(field))

    def labels(self, field: Field) -> list[tuple[str, str]]:
        """Return the choices as Django wants them: key and label."""
        return [(key, choice.label or humanize(key)) for key, choice in field.options.choices.items()]

    def nullable(self, field: Field) -> bool:
        return False

    def empty(self, field: Field) -> Any:
        return None if field.options.required else ""

    def display(self, value: Any, field: Field) -> str:
        return dict(self.labels(field)).get(value, str(value))

    def badges(self, value: Any, field: Field) -> list[tuple[str, str]]:
        choices = field.options.choices
        if not any(choice.color for choice in choices.values()):
            return []
        color = choices[value].color if value in choices else None
        return [(self.display(value, field), color or "gray")]

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        text = text_of(raw)
        if text in field.options.choices:
            return text
        keys = [key for key, label in self.labels(field) if text.lower() in {label.lower(), key.lower()}]
        if len(keys) != 1:
            known = [label for _, label in self.labels(field)]
            raise ValueError(f"{shorten(text)} is none of the choices. {did_you_mean(text, known)}".strip())
        return keys[0]

    def input_options(self, field: Field) -> dict[str, Any]:
        return {"choices": self.labels(field)}

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"enum": list(field.options.choices)}

    def replaced_values(self, field: Field) -> dict[str, str]:
        return {choice.was: key for key, choice in field.options.choices.items() if choice.was}

    def check(self, field: Field, report: Report) -> None:
        former = [choice.was for choice in field.options.choices.values() if choice.was]
        for key, choice in field.options.choices.items():
            if choice.was in field.options.choices:
                report(f"{choice.was!r} is still a choice: nothing takes its place", "choices", key, "was")
            elif choice.was and former.count(choice.was) > 1:
                report(f"more than one choice takes the place of {choice.was!r}", "choices", key, "was")
        super().check(field, report)


class BooleanOptions(Computable):
    default: Flag = Key(False, description="What a new record starts with.")
    index: Flag = Key(False, description="Whether the database keeps an index.")


YES = {"true", "yes", "y", "1", "on", "x", "t"}
NO = {"false", "no", "n", "0", "off", "f"}


class Boolean(FieldType):
    name = "boolean"
    summary = "Yes or no; no when nothing is said."
    Options = BooleanOptions
    examples = (True, False)
    kind = "boolean"
    filter = "boolean"
    input = "switch"

    def column(self, field: Field) -> models.Field:
        return columns.Boolean(**self.common(field))

    def nullable(self, field: Field) -> bool:
        return False

    def empty(self, field: Field) -> bool:
        return False

    def display(self, value: Any, field: Field) -> str:
        return "Yes" if value else "No"

    def icon(self, value: Any, field: Field) -> bool:
        return bool(value)

    def parse(self, raw: Any, field: Field, reading: Reading) -> bool:
        text = text_of(raw).lower()
        if text not in YES | NO:
            raise ValueError(f"{shorten(text_of(raw))} is neither yes nor no.")
        return text in YES

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "boolean"}


HEX = re.compile(r"\A#[0-9a-f]{6}\Z")


class ColorType(TextType):
    name = "color"
    summary = "A colour, as `#0d9488`."
    Options = Keyed
    examples = ("#0d9488", "#ffffff")
    searchable = False
    reads_as_title = False
    filter = ""
    folds = False
    input = "color"

    def column(self, field: Field) -> models.Field:
        return columns.Char(max_length=7, **self.common(field))

    def validators(self, field: Field) -> list:
        """Capitals are refused as well: files and forms are read into small letters, and one colour is one value."""
        return [RegexValidator(HEX, "Write a colour as #0d9488.")]

    def picture(self, value: Any, field: Field) -> str:
        return value if HEX.match(str(value)) else ""

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        text = text_of(raw).lower()
        if re.fullmatch(r"#[0-9a-f]{3}", text):
            text = "#" + "".join(2 * digit for digit in text[1:])
        if not HEX.match(text):
            raise ValueError(f"{shorten(text_of(raw))} is not a colour; write it as #0d9488.")
        return text

    def check(self, field: Field, report: Report) -> None:
        super().check(field, report)

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
