"""Ways to reach people: email addresses, phone numbers, web addresses."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.core.validators import EmailValidator, MaxLengthValidator, URLValidator
from django.db import models
from phonenumber_field.phonenumber import PhoneNumber, to_python
from phonenumber_field.validators import validate_international_phonenumber
from pydantic import Field as Key

from crm.blueprint.bounds import UNSTORABLE, shorten
from crm.blueprint.nodes import Field
from crm.blueprint.sections import Flag
from crm.fields import columns
from crm.fields.cell_values import text_of
from crm.fields.comparison import fold_text
from crm.fields.limits import check_storable
from crm.fields.options import Keyed
from crm.fields.reading import Reading
from crm.fields.text import Text

E164 = re.compile(r"\+[1-9][0-9]{5,14}\Z")


def _ascii_host(host: str) -> str:
    """Return a host's name as the net writes it; one that cannot be written so stays as it is."""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


class PhoneOptions(Keyed):
    strict: Flag = Key(True, description="Whether a number must exist in its country's plan, or is kept as written.")


class Email(Text):
    name = "email"
    summary = "An email address."
    Options = Keyed
    examples = ("ada@example.org", "first.last+tag@sub.example.co.uk")
    reads_as_title = False
    input = "email"

    def column(self, field: Field) -> models.Field:
        return columns.Email(max_length=254, **self.common(field))

    def validators(self, field: Field) -> list:
        return [EmailValidator(), MaxLengthValidator(254)]

    def address(self, value: Any, field: Field) -> str:
        return f"mailto:{value}"

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        return text_of(raw)

    def comparison_key(self, value: Any, field: Field) -> str:
        """Return an address in small letters, with the domain as mail systems write it: `xn--…`."""
        name, at, domain = fold_text(str(value)).rpartition("@")
        return f"{name}{at}{_ascii_host(domain)}"

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "format": "email"}


class Url(Email):
    name = "url"
    summary = "A web address."
    examples = ("https://example.org/a?b=c", "http://example.org")
    input = "url"
    searchable = False

    def column(self, field: Field) -> models.Field:
        return columns.Url(max_length=500, **self.common(field))

    def validators(self, field: Field) -> list:
        return [URLValidator(schemes=["http", "https"]), MaxLengthValidator(500)]

    def address(self, value: Any, field: Field) -> str:
        return str(value)

    def comparison_key(self, value: Any, field: Field) -> str:
        """Return an address whose scheme and host are in small letters: `HTTPS://Example.org` is the same with `/`."""
        text = unicodedata.normalize("NFC", str(value).strip())
        scheme, sign, rest = text.partition("://")
        host, slash, path = rest.partition("/")
        if not sign or "?" in host or "#" in host:
            return text
        port = {"http": ":80", "https": ":443"}.get(scheme.lower(), "")
        return f"{scheme.lower()}://{_ascii_host(fold_text(host).removesuffix(port))}{slash or '/'}{path}"

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "string", "format": "uri"}


class Phone(Text):
    name = "phone"
    summary = "A phone number; without a country code it is read as one of the region in `app.yaml`."
    Options = PhoneOptions
    examples = ("+442079460018", "+14155552671")
    reads_as_title = False
    input = "phone"
    breaks = False

    def column(self, field: Field) -> models.Field:
        """Return a column of plain text: E.164, which compares and matches as it is."""
        return columns.Char(max_length=60, **self.common(field))

    def validators(self, field: Field) -> list:
        existing = [validate_international_phonenumber] if field.options.strict else []
        return [check_storable, *existing]

    def number(self, raw: Any, field: Field) -> PhoneNumber | str | None:
        return to_python(text_of(raw), region=field.business.app.region)

    def display(self, value: Any, field: Field) -> str:
        number = self.number(value, field)
        return number.as_international if number.is_valid() else str(number)

    def address(self, value: Any, field: Field) -> str:
        number = self.number(value, field)
        return number.as_rfc3966 if number.is_valid() else ""

    def comparison_key(self, value: Any, field: Field) -> str:
        """Return the number in E.164; of one that is kept as written, its digits and letters alone."""
        text = str(value)
        if E164.match(text):
            return text
        number = self.number(text, field)
        if number and number.is_valid():
            return str(number.as_e164) if not number.extension else f"{number.as_e164};ext={number.extension}"
        folded = fold_text(text)
        return re.sub(r"[^\w+]", "", folded) or folded

    def serialize(self, value: Any, field: Field) -> str:
        return str(value)

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        number = self.number(raw, field)
        if not number:
            raise ValueError(f"{shorten(raw)} is not a phone number.")
        if number.is_valid():
            return number.as_e164 if not number.extension else str(number)
        if field.options.strict:
            hint = "+44 20 7946 0018" if not field.business.app.region else "with its country code, as +44 20 7946 0018"
            raise ValueError(f"{shorten(text_of(raw))} is not a phone number that exists; write it {hint}.")
        if len(text_of(raw)) > 40:
            raise ValueError("may have 40 letters at most.")
        return text_of(raw)

    def validate(self, value: str, field: Field) -> str:
        """Take what `parse` found to exist; only a number kept as written can still hold what no database takes."""
        if UNSTORABLE.search(value):
            raise ValueError("may not hold NUL characters or halves of characters.")
        return value
