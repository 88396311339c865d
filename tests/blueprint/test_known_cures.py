"""Mistakes whose cure is known are told with it, and once."""

from __future__ import annotations

import pytest

from crm.blueprint.problems import did_you_mean
from tests.blueprint.writing import told

STATES = "state: {type: choice, choices: [a, b], default: a}"


@pytest.mark.parametrize("word", ["from", "class"])
def test_a_word_of_python_has_a_cure_and_is_told_once(word):
    hive = f"fields: {{{word}: date, until: date}}\nrules:\n  - {{check: {word} < until, message: X}}"
    (found,) = told(hive=hive)
    assert found.endswith(f"'{word}' is a word of Python: add another to it, as in '{word}_date' or 'is_{word}'")


def test_a_word_of_python_in_an_expression_is_named():
    (found,) = told(hive="fields: {name: text, until: {type: integer, compute: class + 1}}")
    assert found == "hive.yaml:1:54: until: 'class' is a word of Python, which names no field"


@pytest.mark.parametrize("text", ["label:Grower\nfields: {name: text}", "fields: {name: text}\nlabel:Grower\n"])
def test_a_blank_that_is_missing_behind_a_colon(text):
    (found,) = told(hive=text)
    assert found.endswith("there is no blank behind the colon of 'label' (Write 'label: Grower'.)")


def test_a_moment_where_a_day_is_wanted():
    hive = (
        f"fields: {{{STATES}, day: date}}\nworkflow: {{field: state, actions: {{go: {{to: b, set: {{day: now()}}}}}}}}"
    )
    (found,) = told(hive=hive)
    assert "a date field holds a date (The day is 'today()' instead of 'now()'" in found
    (found,) = told(hive="fields: {name: text, day: {type: date, compute: now()}}")
    assert "(The day is 'today()'" in found


@pytest.mark.parametrize(
    "rest",
    ["list: {columns: [frames]}", "form: {quick: [frames]}", "form: {tabs: {A: [frames]}}", "unique: [[frames]]",
     "rules: [{check: frames > 1, message: X}]"],
)  # fmt: skip
def test_a_former_name_leads_to_the_one_of_now(rest):
    (found,) = told(hive=f"fields: {{name: text, combs: {{type: integer, was: frames}}}}\n{rest}")
    assert "'frames' (It is 'combs' now.)" in found


def test_a_number_where_a_condition_holds():
    (found,) = told(hive="fields: {late: boolean, fee: {type: integer, compute: 45 * (late)}}")
    assert "(A number where a condition holds is written '45 if late else 0'.)" in found


def test_the_end_of_a_name_is_meant_before_a_word_that_looks_like_it():
    assert did_you_mean("city", ["capacity", "place_city", "name"]) == "Did you mean 'place_city'?"
    assert did_you_mean("city", ["place_city", "home_city", "cite"]) == "Did you mean 'cite'?"
