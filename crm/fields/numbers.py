"""Whole and decimal numbers, money and percentages."""

from __future__ import annotations

import re
from decimal import Decimal as Number
from functools import cache
from typing import Any

from babel.numbers import format_currency, format_decimal, get_currency_precision, get_currency_symbol
from django.core.validators import DecimalValidator, MaxValueValidator, MinValueValidator
from django.db import models
from pydantic import Field as Key

from crm.blueprint.bounds import MAX_TEXT, shorten, to_decimal
from crm.blueprint.language import Report
from crm.blueprint.nodes import Business, Field
from crm.fields import columns
from crm.fields.base import FieldType
from crm.fields.cell_values import Inexact, Share, text_of
from crm.fields.limits import check_limits, limits_of
from crm.fields.notation import CURRENCY, Notation, number_locale, read_text
from crm.fields.options import Keyed
from crm.fields.reading import Reading

DIGITS = 14
"""SQLite keeps decimals as 8-byte floats, which are exact to 15 digits; so no column asks for more."""
BIGGEST = 2**63 - 1


class IntegerOptions(Keyed):
    min: int | None = Key(None, strict=True, description="The least value.")
    max: int | None = Key(None, strict=True, description="The greatest value.")


class DecimalOptions(Keyed):
    min: Number | None = Key(None, description="The least value.")
    max: Number | None = Key(None, description="The greatest value.")
    places: int = Key(2, ge=0, le=6, strict=True, description="How many digits stand after the point.")


class AmountOptions(Keyed):
    min: Number | None = Key(None, description="The least value.")
    max: Number | None = Key(None, description="The greatest value.")


def read_number(raw: Any, notation: Notation | None = None) -> Number:
    """Read a number as files and people write it; see `notation.py` for what a text means."""
    if isinstance(raw, bool):
        raise ValueError("must be a number, not true or false.")
    if isinstance(raw, int | float | Number):
        return to_decimal(raw)
    return read_text(raw, notation)


def locale_of(business: Business) -> str:
    """Return Babel's locale of a business: its first language, in its region."""
    return _locale(business.app.languages[0], business.app.region)


@cache
def _locale(language: str, region: str | None) -> str:
    from babel import Locale, UnknownLocaleError

    for name in filter(None, (region and f"{language.split('-')[0]}_{region}", language.replace("-", "_"), "en")):
        try:
            return str(Locale.parse(name))
        except (UnknownLocaleError, ValueError):
            continue
    return "en"


class Integer(FieldType):
    name = "integer"
    summary = "A whole number."
    Options = IntegerOptions
    examples = (0, 7, -12, 1_000_000)
    kind = "number"
    filter = "number"
    input = "number"
    align = "right"
    writes_numbers = True

    def number_texts(self, cell: str) -> list[str]:
        return [cell]

    def column(self, field: Field) -> models.Field:
        return columns.Integer(**self.common(field))

    def check(self, field: Field, report: Report) -> None:
        check_limits(field, report)
        super().check(field, report)

    def validators(self, field: Field) -> list:
        low, high = limits_of(field)
        validators: list = [] if low is None else [MinValueValidator(low)]
        return validators if high is None else [*validators, MaxValueValidator(high)]

    def display(self, value: Any, field: Field) -> str:
        return format_decimal(value, locale=number_locale(field.business))

    def parse(self, raw: Any, field: Field, reading: Reading) -> int:
        if isinstance(raw, Inexact):
            text_of(raw)
        number = read_number(raw, reading.numbers)
        if number != number.to_integral_value():
            raise ValueError(f"{shorten(raw)} is not a whole number.")
        if abs(number) > BIGGEST:
            raise ValueError(f"{shorten(raw)} is too large.")
        return int(number)

    def input_options(self, field: Field) -> dict[str, Any]:
        low, high = limits_of(field)
        return {"min": low, "max": high, "step": "1"}

    def value_schema(self, field: Field) -> dict[str, Any]:
        low, high = limits_of(field)
        limits = {"minimum": low, "maximum": high}
        return {"type": "integer", **{key: value for key, value in limits.items() if value is not None}}


class Decimal(Integer):
    name = "decimal"
    summary = "A number with digits after the point."
    Options = DecimalOptions
    examples = ("0.00", "12.50", "-3.25")

    def places(self, field: Field) -> int:
        return field.options.places

    def column(self, field: Field) -> models.Field:
        return columns.Decimal(max_digits=DIGITS, decimal_places=self.places(field), **self.common(field))

    def display(self, value: Any, field: Field) -> str:
        return format_decimal(value, locale=number_locale(field.business), decimal_quantization=False)

    def serialize(self, value: Any, field: Field) -> str:
        return f"{value:.{self.places(field)}f}"

    def written(self, value: Any, field: Field, notation: Notation | None = None) -> str:
        """Return a number as a notation writes it; where none is decided, so that it can only be read in one way."""
        plain = self.serialize(value, field)
        if notation is None:
            return plain
        return notation.write(plain if notation.decimal or self.places(field) != 3 else f"{plain}0")

    def parse(self, raw: Any, field: Field, reading: Reading) -> Number:
        number, places = read_number(raw, reading.numbers), self.places(field)
        if abs(number) >= Number(10) ** (DIGITS - places):
            raise ValueError(f"{shorten(raw)} is too large.")
        exact = round(number, places + 6) if isinstance(raw, float) else number
        rounded = exact.quantize(Number(1).scaleb(-places))
        if rounded != exact:
            raise ValueError(f"{shorten(raw)} has more than {places} digits after the point.")
        return rounded + 0

    def validators(self, field: Field) -> list:
        return [*super().validators(field), DecimalValidator(DIGITS, self.places(field))]

    def input_options(self, field: Field) -> dict[str, Any]:
        places = self.places(field)
        return {**super().input_options(field), "step": str(Number(1).scaleb(-places)) if places else "1"}

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "pattern": rf"^-?\d+(\.\d{{{self.places(field)}}})?$"}


class Money(Decimal):
    name = "money"
    summary = "An amount in the currency of the business."
    Options = AmountOptions

    examples = ("0.00", "1250.00", "-19.99")

    def places(self, field: Field) -> int:
        return get_currency_precision(field.business.app.currency)

    def parse(self, raw: Any, field: Field, reading: Reading) -> Number:
        code = field.business.app.currency
        sign = re.sub(r"[\s\d.,+\-\u2212'\u2019]", "", raw[:MAX_TEXT]) if isinstance(raw, str) else ""
        own = {code, get_currency_symbol(code, number_locale(field.business))}
        if re.fullmatch(CURRENCY, sign) and sign not in own:
            raise ValueError(f"{shorten(raw)} is in another currency; amounts are in {code}.")
        return super().parse(raw, field, reading)

    def display(self, value: Any, field: Field) -> str:
        return format_currency(value, field.business.app.currency, locale=number_locale(field.business))

    def input_options(self, field: Field) -> dict[str, Any]:
        symbol = get_currency_symbol(field.business.app.currency, number_locale(field.business))
        return {**super().input_options(field), "prefix": symbol}


class Percent(Decimal):
    name = "percent"
    summary = "A percentage; 20 means 20 %."
    Options = AmountOptions
    examples = ("0.00", "17.50", "100.00")

    def places(self, field: Field) -> int:
        return 2

    def parse(self, raw: Any, field: Field, reading: Reading) -> Number:
        return super().parse(raw * 100 if isinstance(raw, Share) else raw, field, reading)

    def display(self, value: Any, field: Field) -> str:
        shown = format_decimal(value, format="#,##0.##", locale=number_locale(field.business))
        return f"{shown}%"

    def input_options(self, field: Field) -> dict[str, Any]:
        return {**super().input_options(field), "suffix": "%"}
