"""The key `trash:`: every mistake in it is told at its place."""

from __future__ import annotations

import pytest

from tests.blueprint.writing import told

SAID = "'restore_for' says how long deleted records can be brought back: 30d"


@pytest.mark.parametrize(
    ("trash", "said"),
    [
        ("{}", SAID),
        ("{restore_for: 0d}", SAID),
        ("{restore_for: soon}", "'restore_for': 'soon' is not a duration; write it as 1:30, 90m, 1h 30m or 30d."),
    ],
)
def test_how_long_is_said_and_more_than_nothing(trash, said):
    (found,) = told(app="name: Shop", thing=f"fields: {{name: text}}\ntrash: {trash}")
    assert found.endswith(said), found


@pytest.mark.parametrize("name", ["deleted_at", "deleted_in"])
def test_the_columns_of_the_trash_are_its_own(name):
    for trash in ("", "trash: {restore_for: 30d}"):  # An entity that others take along has them, too.
        (found,) = told(app="name: Shop", thing=f"fields: {{{name}: text}}\n{trash}")
        assert found.endswith(f"{name!r} is a name that every record has already")
