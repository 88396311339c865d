"""Names that a definition may not use, because Python, SQL, Django or the engine use them already."""

from __future__ import annotations

import keyword
from types import ModuleType

import pytest
from django.apps.registry import Apps
from django.conf import settings

from crm.blueprint.names import NAME, SQL, humanize, name_problem
from crm.builders.models import build_models
from crm.wiring import CAPABILITIES
from tests.blueprint.writing import business, problems, told

REFUSED = {
    "A": "is no name for a field: use small letters, digits and single '_', starting with a letter",
    "due-on": "is no name for a field",
    "due on": "is no name for a field",
    "due__on": "is no name for a field",
    "due_": "is no name for a field",
    "_due": "is no name for a field",
    "2due": "is no name for a field",
    "größe": "is no name for a field",
    "": "is no name for a field",
    "class": "is a word of Python",
    "lambda": "is a word of Python",
    "select": "is a word of SQL",
    "table": "is a word of SQL",
    "save": "is a name that Django keeps for itself",
    "full_clean": "is a name that Django keeps for itself",
    "get_next_by_due": "begins like a method of Django",
    "id": "is a name that every record has already",
    "created": "is a name that every record has already",
    "history": "is a name that every record has already",
    "historical_price": "begins like the tables of the history",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_field_cannot_take_a_name_that_is_in_use(name: str):
    (problem,) = problems(thing=f"fields:\n  ok: text\n  {name!r}: text")
    assert str(problem.place) == "thing.yaml:3:3"
    assert problem.message.startswith(f"{name!r} {REFUSED[name]}")


@pytest.mark.parametrize(
    "name", ["Trip", "tr-ip", "trip__stop", "class", "select", "objects", "user", "historical_trip"]
)
def test_an_entity_cannot_take_a_name_that_is_in_use(name: str):
    (problem,) = problems(**{name: "fields: {n: integer}"})
    assert str(problem.place) == f"{name}.yaml:1:1"
    assert problem.message.startswith(f"the file's name: {name!r} ")


def test_a_role_is_named_as_a_field_is():
    assert told(app="name: X\nroles: {Sales: {}, class: {}}", thing="fields: {n: integer}") == [
        "app.yaml:2:9: 'Sales' is no name for a role: use small letters, digits and single '_', starting with a letter",
        "app.yaml:2:20: 'class' is a word of Python: add another to it, as in 'class_date' or 'is_class'",
    ]


def test_a_name_may_have_forty_letters():
    business(thing=f"fields: {{{'x' * 40}: text}}")
    (problem,) = problems(thing=f"fields: {{{'x' * 41}: text}}")
    assert problem.message == "the name 'xxxxxxxxxxxxxxxxxxxx'… has 41 letters; a field may have 40"


def test_everything_that_a_model_has_is_refused_as_a_fields_name():
    """Asks a built model, so that what a new release of a library adds is noticed."""
    label = settings.BUSINESS_LOCATION.label
    definition = business(label, thing="fields: {due: {type: date, required: true}}")
    built = build_models(definition, CAPABILITIES, ModuleType(f"definitions.{label}.tried"), Apps())["thing"]
    attributes = {name for name in dir(built) if NAME.match(name)} - {"due"}
    assert {name for name in attributes if not name_problem(name, "a field")} == set()


def test_every_word_of_python_and_sql_is_refused():
    words = [word for word in [*keyword.kwlist, *SQL] if NAME.match(word)]
    assert {"class", "select"} < set(words)
    for word in words:
        assert name_problem(word, "a field"), word


@pytest.mark.parametrize(
    ("first", "second"), [("invoice_line", "invoiceline"), ("a1_b", "a1b"), ("in_voice_line", "invoice_line")]
)
def test_two_entities_cannot_share_a_table(first: str, second: str):
    (problem,) = problems(**{first: "fields: {n: integer}", second: "fields: {n: integer}"})
    assert problem.message == f"{second!r} would have the same table as {first!r} ({first}.yaml)"


@pytest.mark.parametrize("name", ["number", "order", "type", "key", "name", "x", "b2b", "price_2026", "date", "user"])
def test_ordinary_words_are_free(name: str):
    business(thing=f"fields: {{{name}: text}}")


def test_a_name_reads_as_a_label():
    assert humanize("due_on") == "Due on"
