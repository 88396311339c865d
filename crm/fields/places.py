"""Countries and postal addresses."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import models
from django_countries import countries
from pydantic import Field as Key

from crm.blueprint.bounds import shorten
from crm.blueprint.nodes import Field
from crm.blueprint.problems import did_you_mean
from crm.blueprint.sections import Name
from crm.fields import columns
from crm.fields.base import FieldType
from crm.fields.cell_values import text_of
from crm.fields.comparison import fold_text
from crm.fields.options import Keyed, Options
from crm.fields.reading import Reading

ALIASES = {"uk": "GB", "england": "GB", "usa": "US", "u.s.a.": "US", "south korea": "KR", "russia": "RU"}


@cache
def country_codes() -> dict[str, str]:
    """Return the comparison form of what people write for a country → its ISO alpha-2 code."""
    codes = dict(ALIASES)
    for code, name in countries:
        codes[code.lower()] = code
        codes[countries.alpha3(code).lower()] = code
        codes[fold_text(str(name))] = code
    return codes


def country_code(text: str) -> str | None:
    """Return the code of a country by what people write for it, be its apostrophe straight or curly; None for none."""
    return country_codes().get(fold_text(text))


class Country(FieldType):
    name = "country"
    summary = "A country; files may hold its ISO code of two or three letters, or its English name."
    kind = "text"
    Options = Keyed
    examples = ("GB", "PT", "JP")
    filter = "choice"
    filter_by_default = True
    input = "country"

    def column(self, field: Field) -> models.Field:
        return columns.Country(blank_label="", **self.common(field))

    def nullable(self, field: Field) -> bool:
        return False

    def empty(self, field: Field) -> Any:
        return None if field.options.required else ""

    def display(self, value: Any, field: Field) -> str:
        return str(countries.name(str(value)) or value)

    def serialize(self, value: Any, field: Field) -> str:
        return str(value)

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        code = country_code(text_of(raw))
        if not code:
            names = [str(name) for _, name in countries]
            hint = did_you_mean(text_of(raw), names)
            raise ValueError(
                f"{shorten(text_of(raw))} is not a country. {'' if hint.startswith('Known') else hint}".strip()
            )
        return code

    def equals(self, value: Any, other: Any) -> bool:
        return str(value or "") == str(other or "")

    def input_options(self, field: Field) -> dict[str, Any]:
        return {"choices": [(code, str(name)) for code, name in countries]}

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[A-Z]{2}$"}


LINES = {"street": 200, "city": 100, "region": 100, "postcode": 20}


class AddressOptions(Options):
    was: Name | None = Key(None, description="The field's former name: the data and its history move along.")


class Address(FieldType):
    name = "address"
    summary = "A postal address: street, city, region, postcode and country, each a column that can be filtered by."
    Options = AddressOptions
    stored = False
    sortable = False

    def parts(self, field: Field) -> dict[str, tuple[str, dict[str, Any]]]:
        was = {key: {"was": f"{field.options.was}_{key}"} if field.options.was else {} for key in (*LINES, "country")}
        lines = {
            f"{field.name}_{key}": ("text", {"label": key.capitalize(), "max_length": size, **was[key]})
            for key, size in LINES.items()
        }
        return {**lines, f"{field.name}_country": ("country", {"label": "Country", **was["country"]})}

    def column(self, field: Field) -> None:
        return None

    def display(self, value: Any, field: Field) -> str:
        shown = [part.type.display(value[name], part) for name, part in field.parts.items() if value.get(name)]
        return ", ".join(shown)
