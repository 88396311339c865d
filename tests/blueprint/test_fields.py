"""What an entity's file may say of its fields: types, options, defaults; each mistake with its place."""

from __future__ import annotations

import pytest

from crm.blueprint.compiler import MAX_FIELDS
from crm.wiring import FIELD_TYPES
from tests.blueprint.writing import business, fields, problems, told

NO_TYPE = "the field 'a' has no type (Write 'name: text', or 'name: {type: text, required: true}'.)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{a: texxt}", "unknown field type 'texxt' (Did you mean 'text'?)"),
        ("{a: {type: emial}}", "unknown field type 'emial' (Did you mean 'email'?)"),
        ("{a: Text}", "unknown field type 'Text' (Did you mean 'text'?)"),
        ("{a: }", NO_TYPE),
        ("{a: 7}", NO_TYPE),
        ("{a: [text]}", NO_TYPE),
        ("{a: {max_length: 5}}", NO_TYPE),
        ("{a: {type: {type: text}}}", NO_TYPE),
        ("{a: {type: }}", NO_TYPE),
        ("{}", "an entity needs at least one field"),
        ("[a, b]", "'fields' takes a map of 'key: value' lines, not a list"),
        ("a", "'fields' takes a map of 'key: value' lines, not 'a'"),
        ("", "'fields' takes a map of 'key: value' lines, not nothing"),
    ],
)
def test_every_field_needs_a_type_that_exists(text: str, problem: str):
    assert fields(text) == problem


def test_an_entity_needs_fields():
    assert told(thing="label: Thing") == ["thing.yaml:1:1: 'fields' is missing"]


REQUIRED = {"link": "to: other, ", "links": "to: other, ", "table": "of: other, ", "choice": "choices: [x], "}


@pytest.mark.parametrize("kind", sorted(one.name for one in FIELD_TYPES))
def test_every_type_refuses_an_option_that_it_does_not_have(kind: str):
    thing = f"fields:\n  a: {{type: {kind}, {REQUIRED.get(kind, '')}colour: red}}"
    (problem,) = problems(thing=thing, other="fields: {n: integer}")
    article = "an" if kind[0] in "aei" else "a"
    assert problem.message == f"unknown option of {article} {kind} field 'colour'"
    assert problem.place.line == 2 and problem.place.text[problem.place.column - 1 :].startswith("colour")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("text, maxlength: 5", "unknown option of a text field 'maxlength' (Did you mean 'max_length'?)"),
        ("text, requierd: true", "unknown option of a text field 'requierd' (Did you mean 'required'?)"),
        ("text, required: yes", "'required' takes true or false, not 'yes'"),
        ("text, required: 1", "'required' takes true or false, not 1"),
        ("text, required: ", "'required' takes true or false, not nothing"),
        ("text, max_length: long", "'max_length' takes a whole number, not 'long'"),
        ("text, max_length: 1.5", "'max_length' takes a whole number, not 1.5"),
        ("text, max_length: 0", "'max_length' must be at least 1, not 0"),
        ("text, max_length: 2001", "'max_length' may be 2000 at most, not 2001"),
        ("text, label: ''", "'label' is empty"),
        ("text, label: [a]", "'label' takes text, not a list"),
        ("text, label: true", "'label' takes text, not true"),
        ("text, help: {a: b}", "'help' takes text, not a map"),
        ("text, was: Old Name", "'Old Name' does not fit 'was' (Names are written in small letters, digits and '_'.)"),
        ("long_text, unique: true", "unknown option of a long_text field 'unique' (Known: backfill, compute, default, help, "
         "index, label, max_length, read_only, required, was.)"),
        ("integer, min: 1.5", "'min' takes a whole number, not 1.5"),
        ("integer, min: 5, max: 1", "'min' (5) is more than 'max' (1)"),
        ("decimal, min: x", "'min' takes a number, not 'x'"),
        ("decimal, min: true", "'min' takes a number, not true"),
        ("decimal, places: 9", "'places' may be 6 at most, not 9"),
        ("money, currency: EUR", "unknown option of a money field 'currency' (Known: backfill, compute, default, help, index, "
         "label, max, min, read_only, required, unique, was.)"),
        ("boolean, required: true", "unknown option of a boolean field 'required' (Known: compute, default, help, index, label, "
         "read_only, was.)"),
        ("boolean, default: maybe", "'default' takes true or false, not 'maybe'"),
        ("duration, min: x", "'min': 'x' is not a duration; write it as 1:30, 90m, 1h 30m or 30d."),
        ("duration, min: 2h, max: 1h", "'min' (2h) is more than 'max' (1h)"),
        ("choice", "'choices' is missing"),
        ("choice, choices: []", "'choices' is empty"),
        ("choice, choices: 5", "'choices' takes a map of 'key: value' lines, not 5"),
        ("choice, choices: {x: {label: X, color: pnk}}", "'color' cannot be 'pnk' (Did you mean 'pink'?)"),
        ("choice, choices: {Xy: {colour: red}}", "unknown option of a choice field 'colour' (Did you mean 'color'?)"),
        ("tags, choices: x", "'choices' takes a list, such as [one, two], not 'x'"),
        ("link", "'to' is missing"),
        ("link, to: Thing", "'Thing' does not fit 'to' (Names are written in small letters, digits and '_'.)"),
        ("link, to: thing, on_delete: deny", "'on_delete' cannot be 'deny' (Known: cascade, empty, protect.)"),
        ("link, to: thing, default: 5", "unknown option of a link field 'default' (Known: help, label, on_delete, "
         "read_only, required, to, unique, was.)"),
        ("links, to: thing, required: true", "unknown option of a links field 'required' (Known: help, label, "
         "read_only, to, was.)"),
        ("user, default: you", "'default' cannot be 'you' (Known: me.)"),
        ("file, accept: pdf", "'accept' takes a list, such as [one, two], not 'pdf'"),
        ("file, accept: [.pdf]", "'.pdf' does not fit 'accept'"),
        ("file, max_size: 0", "'max_size' must be at least 1, not 0"),
        ("sequence, format: 'B-'", "'format': the number {n} is missing"),
        ("sequence, format: '{nn}'", "'format': only {n}, {n:05}, {year} and {month} may stand in braces"),
        ("sequence, start: -1", "'start' must be at least 0, not -1"),
        ("slug, from: titel", "there is no field 'titel' (Known: a.)"),
    ],
)  # fmt: skip
def test_an_option_that_is_misused_says_what_it_takes(text: str, problem: str):
    assert fields(f"{{a: {{type: {text}}}}}") == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("text, default: abc, max_length: 2", "Ensure this value has at most 2 characters (it has 3)."),
        ("text, default: [1]", "must be text, not a list or a map."),
        ("integer, default: many", "'many' is not a number."),
        ("integer, default: true", "must be a number, not true or false."),
        ("integer, min: 3, default: 1", "Ensure this value is greater than or equal to 3."),
        ("money, default: [1]", "[1] is not a number."),
        ("date, default: tomorow", "'tomorow' is not a date; write it as 2026-12-31."),
        ("date, default: 2026-02-30", "'2026-02-30' is not a date; write it as 2026-12-31."),
        ("datetime, default: soon", "'soon' is not a moment; write it as 2026-12-31 14:30."),
        ("time, default: 25:00", "'25:00' is not a time of day; write it as 14:30."),
        ("duration, default: 5 apples", "'5 apples' is not a duration; write it as 1:30, 90m, 1h 30m or 30d."),
        ("email, default: me", "Enter a valid email address."),
        ("phone, default: '12'", "'12' is not a phone number that exists; write it +44 20 7946 0018."),
        ("url, default: 'javascript:x'", "Enter a valid URL."),
        ("choice, choices: [x, y], default: z", "'z' is none of the choices. Known: X, Y."),
        ("country, default: Germny", "'Germny' is not a country. Did you mean 'Germany'?"),
        ("color, default: blue", "'blue' is not a colour; write it as #0d9488."),
        ("json, default: '{'", "'{' is not JSON (Expecting property name enclosed in double quotes)."),
    ],
)
@pytest.mark.parametrize("key", ["default", "backfill"])
def test_a_default_or_backfill_must_be_a_value_of_the_type(text: str, problem: str, key: str):
    assert fields(f"{{a: {{type: {text.replace('default', key)}}}}}") == f"'{key}': {problem}"


@pytest.mark.parametrize(
    "text",
    [
        "text, default: 007",
        "text, default: 1.50, label: 7, help: Seven",
        "integer, default: 7, min: 0, max: 7",
        "decimal, default: 1.25, places: 2, min: -1.5",
        "boolean, default: true",
        "date, default: today",
        "datetime, default: now",
        "time, default: 22:30",
        "duration, default: 1h 30m, min: 30m, max: 8h",
        "choice, choices: {no: No, yes: {label: Yes, color: green}}, default: no",
        "choice, choices: [1, 2], default: 1",
        "country, default: Germany",
        "json, default: {a: [1]}",
        "user, default: me",
        "sequence, format: 'B-{year}-{n:05}', gapless: true, start: 100",
    ],
)
def test_good_options_are_taken(text: str):
    business(thing=f"fields: {{a: {{type: {text}}}}}")


def test_numbers_are_typed_where_that_is_said():
    made = business(thing="fields: {a: sequence, b: {type: sequence, read_only: false}}").entities["thing"]
    assert made.find("a").read_only and not made.find("b").read_only


def test_all_the_mistakes_of_a_field_are_told_at_once():
    assert told(thing="fields: {a: {type: text, max_length: x, required: y, labl: z}}") == [
        "thing.yaml:1:38: 'max_length' takes a whole number, not 'x'",
        "thing.yaml:1:51: 'required' takes true or false, not 'y'",
        "thing.yaml:1:54: unknown option of a text field 'labl' (Did you mean 'label'?)",
    ]


def test_the_parts_of_a_composite_cannot_share_a_name_with_another_field():
    for text in ("{home: address, home_city: text}", "{home_city: text, home: address}"):
        assert fields(text).startswith("'home_city' is a field already: thing.yaml:1:10")


def test_an_entity_may_have_so_many_fields_and_no_more():
    lines = "".join(f"\n  f{number}: text" for number in range(MAX_FIELDS))
    business(thing=f"fields:{lines}")
    assert told(thing=f"fields:{lines}\n  more: text\n  most: text") == [
        f"thing.yaml:{MAX_FIELDS + 2}:3: an entity may have {MAX_FIELDS} fields"
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("labl: Trip", "1:1: unknown key 'labl' (Did you mean 'label'?)"),
        ("Label: Trip", "1:1: unknown key 'Label' (Did you mean 'label'?)"),
        ("label: ''", "1:8: 'label' is empty"),
        (f"label: {'x' * 201}", "1:8: 'label' is longer than 200"),
        ("label: [Trip]", "1:8: 'label' takes text, not a list"),
        ("icon: Big Icon", "1:7: 'Big Icon' does not fit 'icon'"),
        ("icon: lugage", "1:7: there is no icon 'lugage' (Did you mean 'luggage'?)"),
        ("icon: xqzv", "1:7: there is no icon 'xqzv' (fonts.google.com/icons shows them all.)"),
        ("was: Trip", "1:6: 'Trip' does not fit 'was' (Names are written in small letters, digits and '_'.)"),
        ("history: {track: [cod]}", "1:19: there is no field 'cod' (Did you mean 'code'?)"),
        ("history: {track: some}", "1:18: 'track' cannot be 'some' (Known: all.)"),
        ("history: {raeson: true}", "1:11: unknown key 'raeson' (Did you mean 'reason'?)"),
        ("history: 5", "1:10: 'history' takes a map of 'key: value' lines, not 5"),
    ],
)
def test_a_key_that_is_unknown_or_misused_is_told_at_its_place(line: str, problem: str):
    assert told(trip=f"{line}\nfields: {{code: text}}") == [f"trip.yaml:{problem}"]
