"""`rules` and `show`: what they become, and what is said of those that cannot be meant, at their place."""

from __future__ import annotations

import pytest

from tests.blueprint.writing import business, told

THING = """
fields:
  name: text
  start: date
  end_day: date
  price: {{type: money, default: 0}}
  reason: text
  doubled: {{type: money, compute: price * 2}}
  parts: {{type: table, of: part}}
  home: address
  words: tags
{}
"""
PART = "fields: {size: integer}"


def said(text: str) -> list[str]:
    return told(thing=THING.format(text), part=PART)


def thing(text: str):
    return business(thing=THING.format(text), part=PART).entities["thing"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [{check: prize > 0, message: x}]", "thing.yaml:11:17: 'Thing' has no field 'prize' (Did you mean 'price'?)"),
        ("rules: [{check: price > 'a', message: x}]", "thing.yaml:11:17: a number cannot be compared with text"),
        ("rules: [{check: price, message: x}]", "thing.yaml:11:17: a condition must be yes or no, this is a number"),
        ("rules: [{check: price >, message: x}]", "thing.yaml:11:"),
        ("rules: [{check: price > 0}]", "thing.yaml:11:9: 'message' is missing"),
        ("rules: [{message: x}]", "thing.yaml:11:9: 'check' is missing"),
        ("rules: [{check: price > 0, message: '{nme} is free'}]", "thing.yaml:11:37: there is no field 'nme' (Did you mean 'name'?)"),
        ("rules: [{check: price > 0, message: x, field: prise}]", "thing.yaml:11:47: there is no field 'prise' (Did you mean 'price'?)"),
        ("show: {reasn: {visible_if: price > 0}}", "thing.yaml:11:8: there is no field 'reasn' (Did you mean 'reason'?)"),
        ("show: {reason: {visible_if: prize > 0}}", "thing.yaml:11:29: 'Thing' has no field 'prize' (Did you mean 'price'?)"),
        ("show: {reason: {visible: price > 0}}", "thing.yaml:11:"),
        ("show: {reason: {required_if: name}}", "thing.yaml:11:30: a condition must be yes or no, this is text"),
        ("show: {doubled: {visible_if: price > 0}}", "thing.yaml:11:8: 'doubled' is computed: it cannot be asked for conditionally"),
        ("show: {home: {visible_if: price > 0}}", "thing.yaml:11:8: 'home' has several inputs: it cannot be asked for conditionally"),
        ("show: {parts: {visible_if: price > 0}}", "thing.yaml:11:8: 'parts' holds rows: it cannot be asked for conditionally"),
        ("show: {words: {required_if: price > 0}}", "thing.yaml:11:29: 'words' has no single value that could be required"),
        ("show: {words: {read_only_if: price > 0}}", "thing.yaml:11:30: 'words' has no single value that could be closed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(text, problem):
    (found,) = said(text)
    assert found.startswith(problem), found


STATES = "fields: {{state: {{type: choice, choices: [new, old, late], compute: {}}}, n: integer, other: {{type: choice, choices: {}}}}}"


@pytest.mark.parametrize(
    ("source", "others", "problem"),
    [
        ("\"'gone'\"", "[new]", "thing.yaml:1:69: state: 'gone' is none of its choices"),
        ("\"'new' if n > 1 else 'odl'\"", "[new]", "thing.yaml:1:89: state: 'odl' is none of its choices (Did you mean 'old'?)"),
        ("\"'nwe' if n > 1 else 'old'\"", "[new]", "thing.yaml:1:69: state: 'nwe' is none of its choices (Did you mean 'new'?)"),
        ("\"'new' if n > 1 else ('old' if n > 2 else 'x')\"", "[new]", "thing.yaml:1:110: state: 'x' is none of its choices"),
        ("\"coalesce(other, 'x')\"", "[new]", "thing.yaml:1:85: state: 'x' is none of its choices"),
        ("other", "[new, sold]", "thing.yaml:1:68: state: 'sold' is none of its choices (Did you mean 'old'?)"),
    ],
)  # fmt: skip
def test_a_computed_choice_that_the_field_does_not_have_is_refused(source, others, problem):
    (found,) = told(thing=STATES.format(source, others))
    assert found.startswith(problem.split(" (")[0]), found
    assert found.endswith(problem[problem.find(" (") :]) or "(" not in problem


@pytest.mark.parametrize(
    "source", ["\"'new' if n > 1 else 'old'\"", "\"coalesce(other, 'late')\"", "\"'new' if n > 1 else null\""]
)
def test_a_computed_choice_that_the_field_has_is_taken(source):
    assert business(thing=STATES.format(source, "[new, old]")).entities["thing"].computed["state"]


def test_all_problems_are_told_together():
    text = "rules:\n  - {check: prize > 0, message: x}\n  - {check: price > 0, message: '{nme}'}\nshow: {reasn: {visible_if: price > 0}}"
    assert [one.split(": ")[0] for one in said(text)] == ["thing.yaml:12:13", "thing.yaml:13:33", "thing.yaml:14:8"]


def test_a_message_stands_beside_the_first_field_that_is_asked_for_or_the_one_that_is_named():
    text = """
rules:
  - {check: doubled >= price, message: computed fields are not asked for}
  - {check: end_day >= start, message: first}
  - {check: end_day >= start, message: named, field: start}
  - {check: count(parts) > 0, message: none}
"""
    assert [one.field for one in thing(text).rules.checks] == ["price", "end_day", "start", ""]


def test_only_what_a_form_can_tell_is_asked_of_a_record_before_it_is_saved():
    text = """
rules:
  - {check: end_day >= start, message: own}
  - {check: doubled < 100, message: generated}
  - {check: count(parts) < 3, message: children}
"""
    assert [one.is_of_form for one in thing(text).rules.checks] == [True, True, False]


def test_a_field_that_is_required_at_times_is_a_rule_beside_it():
    entity = thing("show: {reason: {visible_if: price > 0, required_if: price > 100}}")
    (rule,) = entity.rules.checks
    assert (rule.field, rule.message.source) == ("reason", "This field is required.")
    assert set(entity.rules.showing) == {"reason"}
