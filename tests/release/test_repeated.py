"""What a migration adds again: left out where another branch has added it, kept where the migration removed it first."""

from __future__ import annotations

from django.db import migrations, models
from django.db.migrations.state import ProjectState

from crm.release.repeated import without_repeats


def once(*names: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=names, name="day_once")


def state_with(*operations) -> ProjectState:
    state = ProjectState()
    for one in operations:
        one.state_forwards("shop", state)
    return state


CREATE = migrations.CreateModel(
    "Day",
    [("id", models.BigAutoField(primary_key=True)), ("number", models.IntegerField())],
    {"constraints": [once("number")]},
)


def test_a_constraint_that_is_there_is_not_added_again():
    again = migrations.AddConstraint("day", once("number"))
    assert without_repeats([again], state_with(CREATE), "shop") == []


def test_a_constraint_that_the_same_migration_removed_is_added_again():
    operations = [migrations.RemoveConstraint("day", "day_once"), migrations.AddConstraint("day", once("number", "id"))]
    assert without_repeats(operations, state_with(CREATE), "shop") == operations
