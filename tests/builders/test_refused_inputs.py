"""After something is wrong with one field, rules of others judge by what was typed, not by nothing or what was there."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm.blueprint.expressions.parser import read_expression
from crm.blueprint.rules import Rule
from crm.blueprint.text import parse_template
from tests.support.pages import save, text_of
from tests.support.records import entity, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def rules(monkeypatch):
    """Let an entity's rules be these alone: condition, message, and the field that it stands beside."""

    def set_rules(name: str, *given: tuple[str, str, str]) -> None:
        made = [
            Rule(read_expression(source, entity(name)), parse_template(text), field) for source, text, field in given
        ]
        monkeypatch.setattr(entity(name).rules, "checks", made)

    return set_rules


def test_a_value_beyond_its_limit_is_no_empty_one(signed_in, rules):
    rules("booking", ("discount > 0 or seats > 0", "Nothing was asked for.", "notes"))
    booking = make("booking", seats=2, discount=Decimal(0))
    page = text_of(save(signed_in, "booking", booking, seats="0"))
    assert "greater than or equal to 1" in page and "Nothing was asked for." in page
    rules("note")
    note = make("note", subject="Short")
    rules("note", ("len(subject) > 125", "Say more.", "body"))
    page = text_of(save(signed_in, "note", note, subject="x" * 130))
    assert "at most 120 characters" in page and "Say more." not in page
    assert "Say more." in text_of(save(signed_in, "note", note, subject="x" * 20))


def test_what_cannot_be_read_breaks_no_rule(signed_in, rules):
    booking = make("booking", seats=2)
    rules("booking", ("seats > 5", "Too few.", "notes"))
    page = text_of(save(signed_in, "booking", booking, seats="many"))
    assert "'many' is not a number." in page and "Too few." not in page
    assert "Too few." in text_of(save(signed_in, "booking", booking, seats="3"))


def test_a_rule_that_saving_broke_leaves_the_value_to_the_other_rules(signed_in, rules):
    """The form is shown again with the rule beside its field; Django drops such a field before other rules are asked."""
    booking = make("booking", wishes="")
    rules(
        "booking",
        ("count(passengers) > 5", "Too few passengers.", "wishes"),
        ("wishes != null", "Say what they wish.", "notes"),
    )
    page = text_of(save(signed_in, "booking", booking, wishes="Window"))
    assert "Too few passengers." in page and "Say what they wish." not in page
