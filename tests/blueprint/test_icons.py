"""The icons that there are: those of the font that the pages are drawn with, wherever a section names one."""

from __future__ import annotations

import hashlib
import re

from django.contrib.staticfiles import finders

from crm.blueprint.compiler import compile_business
from crm.blueprint.icons import NAMES, icon_names
from crm.wiring import LANGUAGE
from tests.blueprint.writing import business, told

STATES = "status: {type: choice, default: a, choices: {a: A, b: B}}"


def acting(icon: str) -> str:
    return f"fields: {{{STATES}}}\nworkflow: {{field: status, actions: {{go: {{from: [a], to: b, icon: {icon}}}}}}}"


def test_the_list_is_that_of_the_font_of_the_pages():
    """After an update of Unfold: read the ligatures of the font anew (its GSUB table), and note its SHA-256."""
    font = finders.find("unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2")
    noted = re.search(r"SHA-256 (\w+)", NAMES.read_text())
    with open(font, "rb") as file:
        assert noted[1] == hashlib.file_digest(file, "sha256").hexdigest()
    assert len(icon_names()) == 4137 and {"luggage", "table_rows", "arrow_forward"} <= icon_names()


def test_the_icon_of_an_action_is_looked_for_too():
    assert business(thing=acting("send"))
    assert told(thing=acting("sendd")) == ["thing.yaml:2:66: there is no icon 'sendd' (Did you mean 'send'?)"]


def test_what_is_in_force_starts_with_an_icon_that_is_gone():
    shop = business(thing=acting("send"))
    shop.documents["thing.yaml"].data["icon"] = "gone_from_the_font"
    assert compile_business("shop", shop.documents, LANGUAGE, was_in_force=True).entities["thing"].icon
