"""Every field type through every face. A new type is tested by standing in the list of the wiring."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import jsonschema
import pytest
from contracts.fields import PLAIN, field_of, values_of
from django.core.files.storage import default_storage
from django.db import models
from django.db.migrations.writer import MigrationWriter
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm.blueprint.names import NAME
from crm.builders.filters import FILTERS
from crm.builders.inputs import INPUTS, NUMBER_KEYS
from crm.fields.base import FieldType
from crm.records.display import is_empty
from crm.wiring import FIELD_TYPES

VALUES = [kind for kind in FIELD_TYPES if kind.stored and kind.input not in {"file", "image"}]
VALUES = [kind for kind in VALUES if kind.reference(field_of(kind)) is None]
UPLOADS = [kind for kind in FIELD_TYPES if kind.input in {"file", "image"}]
REFERENCES = [kind for kind in FIELD_TYPES if kind.reference(field_of(kind)) is not None]
STORED = [kind for kind in FIELD_TYPES if kind.stored]


def each(kinds):
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.name)


@each(FIELD_TYPES)
def test_a_type_introduces_itself(kind: FieldType):
    assert NAME.match(kind.name)
    assert kind.summary.endswith(".") and "\n" not in kind.summary
    assert kind.examples or kind not in VALUES, "the reference and these tests need examples"


def test_no_two_types_have_a_name():
    assert len({kind.name for kind in FIELD_TYPES}) == len(FIELD_TYPES)


@each(FIELD_TYPES)
def test_an_unknown_option_is_refused(kind):
    with pytest.raises(ValidationError, match="extra_forbidden"):
        kind.Options.model_validate({**kind.example_options, "colour_of_the_sky": "blue"})


@each(FIELD_TYPES)
def test_every_option_is_described(kind):
    bare = [name for name, info in kind.Options.model_fields.items() if not info.description]
    assert not bare, f"the reference has nothing to say of {bare}"


@each(FIELD_TYPES)
def test_the_schema_of_the_options_takes_the_example(kind):
    schema = kind.Options.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dict(kind.example_options), schema)


# The column


@each(FIELD_TYPES)
@pytest.mark.parametrize("required", [False, True], ids=["optional", "required"])
def test_migrations_know_the_column_as_djangos_own(kind, required):
    takes = "required" in kind.Options.model_fields
    field = field_of(kind, required=True) if required and takes else field_of(kind)
    column = kind.column(field)
    assert (column is None) == (not kind.stored)
    if column is not None:
        _, path, args, kwargs = column.deconstruct()
        assert path.startswith("django.db.models."), path
        assert not {"verbose_name", "help_text", "choices", "validators"} & set(kwargs)
        text, _ = MigrationWriter.serialize(column)
        assert "crm." not in re.sub(r"'crm\.\w+'", "", text), text
        assert column.null == kind.nullable(field) or kind.many


@each(STORED)
def test_a_record_that_an_older_release_adds_is_complete(kind):
    """A column that cannot be NULL and must not be given has a default in the database itself."""
    column = kind.column(field_of(kind))
    assert column.null or kind.many or column.db_default is not models.NOT_PROVIDED


@each(STORED)
def test_nothing_is_stored_as_nothing(kind):
    field = field_of(kind)
    empty = kind.empty(field)
    assert kind.many or is_empty(empty) or empty is False
    if kind.nullable(field):
        assert empty is None


# Files: text and values


@each(VALUES)
def test_a_value_written_and_read_is_the_same(kind):
    field = field_of(kind)
    for value in values_of(field):
        again = kind.parse(kind.serialize(value, field), field, PLAIN)
        assert kind.equals(again, value) and kind.equals(value, again), (value, again)
        assert kind.validate(again, field) == value


@each(VALUES)
def test_a_value_is_the_same_after_text_alone(kind):
    """A CSV file holds text and nothing else."""
    field = field_of(kind)
    for value in values_of(field):
        assert kind.equals(kind.parse(str(kind.serialize(value, field)), field, PLAIN), value)


@each(VALUES)
def test_the_schema_of_a_value_fits_what_files_hold(kind):
    field = field_of(kind)
    schema = kind.value_schema(field)
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for value in values_of(field):
        checker.validate(json.loads(json.dumps(kind.serialize(value, field))))


@each(VALUES)
def test_a_value_is_shown_as_text(kind):
    field = field_of(kind)
    for value in values_of(field):
        shown = kind.display(value, field)
        assert isinstance(shown, str) and shown.strip()
        assert isinstance(kind.badges(value, field), list) and isinstance(kind.picture(value, field), str)
        assert kind.icon(value, field) in {True, False, None}


@each(VALUES)
def test_no_two_examples_are_the_same(kind):
    field = field_of(kind)
    values = values_of(field)
    for index, one in enumerate(values):
        assert not any(kind.equals(one, other) for other in values[index + 1 :])


@each(VALUES)
@given(raw=st.text(min_size=1, max_size=40) | st.integers() | st.floats() | st.booleans())
def test_a_cell_that_is_no_value_is_told_in_a_sentence(kind, raw):
    """Whatever a cell holds, it is read, or refused with ValueError; and what is read can be written and read again."""
    field = field_of(kind)
    try:
        value = kind.validate(kind.parse(raw, field, PLAIN), field)
    except ValueError as error:
        assert len(str(error)) > 10
        return
    again = kind.parse(kind.serialize(value, field), field, PLAIN)
    assert kind.equals(again, value) or is_empty(value)
    assert isinstance(kind.display(value, field), str)


@each(UPLOADS)
def test_only_a_file_of_this_very_field_is_taken(kind, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    field = field_of(kind)
    name = f"{kind.folder(field)}/{'a' * 32}/letter.pdf"
    with pytest.raises(ValueError, match="not a file that was uploaded"):
        kind.parse(name, field, PLAIN)
    default_storage.save(name, __import__("io").BytesIO(b"x"))
    assert kind.parse(name, field, PLAIN) == name
    for other in (f"{kind.folder(field)}/../{name}", f"other/{name}", "/etc/passwd", name.replace("value", "name")):
        with pytest.raises(ValueError, match="not a file that was uploaded"):
            kind.parse(other, field, PLAIN)


# Links


@each(REFERENCES)
def test_a_reference_names_its_target(kind):
    field = field_of(kind)
    reference = kind.reference(field)
    assert reference.many == kind.many
    assert bool(reference.entity) != bool(reference.key)
    assert reference.entity == kind.target(field)
    column = kind.column(field)
    assert column.many_to_many if kind.many else column.many_to_one
    schema = kind.value_schema(field)
    jsonschema.validate(["A", "B"] if kind.many else "A", schema)


# Forms and lists


@each([kind for kind in FIELD_TYPES if kind.stored])
def test_a_stored_type_has_an_input(kind):
    assert kind.input in INPUTS


@each(FIELD_TYPES)
def test_a_filter_is_one_that_there_is(kind):
    assert not kind.filter or kind.filter in FILTERS


@each(FIELD_TYPES)
def test_the_inputs_options_are_plain(kind):
    """The table of inputs knows every one of them, and each is a value that stays as it is: nothing lazy, no markup."""
    limits = {"min": 1, "max": 9} if "step" in kind.input_options(field_of(kind)) else {}
    options = kind.input_options(field_of(kind, **limits))
    assert options.keys() <= {*NUMBER_KEYS, "choices", "scope"}
    if limits:
        assert {key: Decimal(options[key]) for key in limits} == limits
        assert Decimal(options["step"]) > 0
    for key, value in options.items():
        if isinstance(value, list):
            assert value and all(isinstance(one, tuple) and len(one) == 2 for one in value)
            assert {type(text) for pair in value for text in pair} == {str}, key
        else:
            assert value is None or type(value) in {str, int, Decimal}, key


def test_numbers_and_choices_tell_their_inputs_something():
    told = {key for kind in FIELD_TYPES for key in kind.input_options(field_of(kind))}
    assert told == {*NUMBER_KEYS, "choices", "scope"}


@each([kind for kind in FIELD_TYPES if kind.filter == "choice"])
def test_a_filter_by_choice_has_choices(kind):
    choices = kind.input_options(field_of(kind))["choices"]
    assert choices and all(isinstance(key, str) and isinstance(label, str) for key, label in choices)


@each(STORED)
def test_parts_and_wholes_exclude_each_other(kind):
    assert not kind.parts(field_of(kind)), "a type of several parts keeps nothing of its own"
