"""Text of one line, and of many."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models
from pydantic import Field as Key

from crm.blueprint.nodes import Field
from crm.fields import columns
from crm.fields.base import FieldType
from crm.fields.cell_values import text_of
from crm.fields.comparison import fold_text
from crm.fields.limits import check_storable
from crm.fields.options import Keyed, Stored
from crm.fields.reading import Reading


class TextOptions(Keyed):
    max_length: int = Key(200, ge=1, le=2000, strict=True, description="The most letters it may have.")


class LongTextOptions(Stored):
    max_length: int = Key(100_000, ge=1, le=1_000_000, strict=True, description="The most letters it may have.")


class Text(FieldType):
    name = "text"
    summary = "A line of text."
    Options = TextOptions
    examples = ("Alice", "O'Hara & Søn", "=1+1", "  x ".strip(), "007")
    searchable = True
    reads_as_title = True
    kind = "text"
    filter = "text"
    filter_by_default = False
    folds = True

    def comparison_key(self, value: Any, field: Field) -> str:
        return fold_text(str(value))

    def column(self, field: Field) -> models.Field:
        return columns.Char(max_length=field.options.max_length, **self.common(field))

    def nullable(self, field: Field) -> bool:
        return getattr(field.options, "unique", False) and not field.options.required

    def empty(self, field: Field) -> Any:
        return None if self.nullable(field) or field.options.required else ""

    def validators(self, field: Field) -> list:
        return [MaxLengthValidator(field.options.max_length), check_storable]

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        if isinstance(raw, list | dict):
            raise ValueError("must be text, not a list or a map.")
        return text_of(raw)


class LongText(Text):
    name = "long_text"
    summary = "Text of several lines."
    Options = LongTextOptions
    examples = ("One line", "Two\nlines, “quoted”")
    reads_as_title = False
    listable = True
    sortable = False
    filter = ""
    input = "textarea"

    def column(self, field: Field) -> models.Field:
        return columns.Text(**self.common(field))

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        return _lines(super().parse(raw, field, reading))

    def equals(self, value: Any, other: Any) -> bool:
        """Browsers end a line with two characters, files with one: to people both are the same text."""
        return _lines(value or "") == _lines(other or "")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
