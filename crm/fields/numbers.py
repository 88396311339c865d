"""Whole and decimal numbers, money and percentages."""

from __future__ import annotations

import re
from decimal import Decimal as Number
from decimal import InvalidOperation
from functools import cache
from typing import Any

from babel.numbers import format_currency, format_decimal, get_currency_precision, get_currency_symbol
from django.core.validators import DecimalValidator, MaxValueValidator, MinValueValidator
from django.db import models
from pydantic import Field as Key

from crm.blueprint.language import Report
from crm.blueprint.nodes import Business, Field
from crm.fields import columns
from crm.fields.base import FieldType, Keyed, Reading, Share, check_limits, limits_of

DIGITS = 14
"""SQLite keeps decimals as 8-byte floats, which are exact to 15 digits; so no column asks for more."""
BIGGEST = 2**63 - 1
CURRENCY = r"(?:[A-Z]{0,3}[$¢£¤¥฿\u20a0-\u20cf]|[A-Z]{3}|[Kk]r\.?|zł|Fr\.?)"
"""What may stand beside an amount: a currency's sign or its code, never a letter that was meant as a digit."""


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


def read_number(raw: Any) -> Number:
    """Read a number as people and spreadsheets write it: 1234.5, 1,234.50, 1,23,456, £1,234.50, 99 EUR, 20 %."""
    if isinstance(raw, bool):
        raise ValueError("must be a number, not true or false.")
    if isinstance(raw, int | Number):
        found = Number(raw)
    elif isinstance(raw, float):
        found = Number(repr(raw))
    else:
        text = re.sub(r"[\s\u00a0\u202f]", "", str(raw)).lstrip("'")
        text = re.sub(rf"\A([-+]?){CURRENCY}", r"\1", text)
        text = re.sub(rf"({CURRENCY}|%)\Z", "", text)
        if re.fullmatch(r"[-+]?(\d{1,3}(,\d{3})+|\d{1,2}(,\d{2})+,\d{3})(\.\d+)?", text):
            text = text.replace(",", "")
        if not re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?", text):
            raise ValueError(f"{raw!r} is not a number.")
        try:
            found = Number(text)
        except InvalidOperation:
            raise ValueError(f"{raw!r} is not a number.") from None
    if not found.is_finite():
        raise ValueError(f"{raw!r} is not a number.")
    return found


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

    def column(self, field: Field) -> models.Field:
        return columns.Integer(**self.common(field))

    def check(self, field: Field, report: Report) -> None:
        check_limits(field, report)
        super().check(field, report)

    def validators(self, field: Field) -> list:
        low, high = limits_of(field)
        found: list = [] if low is None else [MinValueValidator(low)]
        return found if high is None else [*found, MaxValueValidator(high)]

    def display(self, value: Any, field: Field) -> str:
        return format_decimal(value, locale=locale_of(field.business))

    def parse(self, raw: Any, field: Field, reading: Reading) -> int:
        found = read_number(raw)
        if found != found.to_integral_value():
            raise ValueError(f"{raw!r} is not a whole number.")
        if abs(found) > BIGGEST:
            raise ValueError(f"{raw!r} is too large.")
        return int(found)

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
        return format_decimal(value, locale=locale_of(field.business), decimal_quantization=False)

    def serialize(self, value: Any, field: Field) -> str:
        return f"{value:.{self.places(field)}f}"

    def parse(self, raw: Any, field: Field, reading: Reading) -> Number:
        found, places = read_number(raw), self.places(field)
        if abs(found) >= Number(10) ** (DIGITS - places):
            raise ValueError(f"{raw!r} is too large.")
        exact = round(found, places + 6) if isinstance(raw, float) else found
        rounded = exact.quantize(Number(1).scaleb(-places))
        if rounded != exact:
            raise ValueError(f"{raw!r} has more than {places} digits after the point.")
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
        sign = re.sub(r"[\s\d.,+\-']", "", raw) if isinstance(raw, str) else ""
        if re.fullmatch(CURRENCY, sign) and sign not in {code, get_currency_symbol(code, locale_of(field.business))}:
            raise ValueError(f"{raw!r} is in another currency; amounts are in {code}.")
        return super().parse(raw, field, reading)

    def display(self, value: Any, field: Field) -> str:
        return format_currency(value, field.business.app.currency, locale=locale_of(field.business))

    def input_options(self, field: Field) -> dict[str, Any]:
        symbol = get_currency_symbol(field.business.app.currency, locale_of(field.business))
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
        shown = format_decimal(value, format="#,##0.##", locale=locale_of(field.business))
        return f"{shown}%"

    def input_options(self, field: Field) -> dict[str, Any]:
        return {**super().input_options(field), "suffix": "%"}
