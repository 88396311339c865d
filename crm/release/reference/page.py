"""The reference as a whole: the page, and whether the one that is there is still true."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from crm.release.reference.capabilities import capabilities_part
from crm.release.reference.commands import commands_part
from crm.release.reference.expressions import expressions_part
from crm.release.reference.fields import fields_part
from crm.release.reference.files import app_part, entity_part

PATH = settings.BASE_DIR / "docs" / "reference.md"
INTRODUCTION = """\
# Reference of the language

This page is written from the engine's own schemas by `manage.py reference`; do not edit it. A test fails when it is
out of date.

- [app.yaml](#appyaml): the business as a whole.
- [An entity's file](#an-entitys-file): what one kind of record is, and how it is shown.
- [Fields](#fields): the field types and their options.
- [Expressions](#expressions): values that are worked out, and conditions.
- [Capabilities](#capabilities): what every entity has besides its fields.
- [Commands](#commands).

A **name** is small letters, digits and single `_`, starting with a letter, of 40 letters at most. Some words are taken:
those of Python (`from`, `class`, `is`), of SQL (`group`, `row`, `values`), of Django (`save`,
`clean`, `action`), and what every record has (`id`, `created`, `updated`, `history`); add a word to them, as in
`from_date`. A **path** is a field, or one across links: `customer.address.city`."""
PARTS = (app_part, entity_part, fields_part, expressions_part, capabilities_part, commands_part)


def reference_text() -> str:
    """Return the whole page."""
    text = "\n".join(line for part in ([INTRODUCTION], *(part() for part in PARTS)) for line in [*part, ""])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def is_stale(path: Path = PATH) -> bool:
    """Say whether the page is missing or differs from what would be written now."""
    return not path.is_file() or path.read_text(encoding="utf-8") != reference_text()
