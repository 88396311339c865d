"""A column that is missing is looked for by the names that it had: found where it is, and no other taken for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.migrations.state import ModelState, ProjectState

from crm.release.renamed_columns import Rename, find_renamed, move_renamed
from crm.release.tables import Table, claimed_tables, read_tables

RENAMES = [
    Rename("0002", "customer", "phone", "mobile"),
    Rename("0003", "customer", "mobile", "cell"),
    Rename("0003", "purchase", "phone", "line"),
]


def tables(**columns: models.Field) -> dict[str, Table]:
    """Return a business of customers with these columns, as its migrations claim it."""
    state = ProjectState()
    fields = [("id", models.BigAutoField(primary_key=True)), *columns.items()]
    state.add_model(ModelState("shop", "Customer", fields))
    return claimed_tables(state, "shop")


def texts(names: str) -> dict[str, models.Field]:
    return {name: models.CharField(max_length=9, null=True) for name in names.split()}


@pytest.mark.parametrize(
    ("claimed", "there", "found"),
    [
        ("phone", "mobile", [("mobile", "phone")]),
        ("mobile", "phone", [("phone", "mobile")]),
        ("cell", "phone", [("phone", "cell")]),
        ("phone", "cell", [("cell", "phone")]),
        ("phone", "phone mobile", []),
        ("phone", "line", []),
        ("phone", "", []),
        ("other", "mobile", []),
    ],
)
def test_a_missing_column_is_found_by_the_names_that_it_had_before_or_after(claimed, there, found):
    renamed = find_renamed(tables(**texts(claimed)), tables(**texts(there)), RENAMES)
    assert [(one.actual, one.wanted) for one in renamed] == found


def test_a_column_that_the_files_claim_themselves_is_not_taken_for_another():
    """A name was handed on: the new `phone` holds values of its own, and is no place to take the lost `mobile` from."""
    assert list(find_renamed(tables(**texts("phone mobile")), tables(**texts("phone")), RENAMES)) == []
    (found,) = find_renamed(tables(**texts("phone mobile")), tables(**texts("phone cell")), RENAMES)
    assert (found.actual, found.wanted) == ("cell", "mobile")


@pytest.mark.parametrize(
    ("there", "is_same"),
    [
        (models.CharField(max_length=9, null=True), True),
        (models.CharField(max_length=9), False),
        (models.CharField(max_length=8, null=True), False),
        (models.IntegerField(null=True), False),
    ],
)
def test_a_column_of_another_type_is_found_and_not_the_same(there, is_same):
    (found,) = find_renamed(tables(**texts("phone")), tables(mobile=there), RENAMES)
    assert found.is_same is is_same


def state_with(column: str) -> ProjectState:
    """Return a state in which no two customers that are there have the same value in a column."""
    unique = models.UniqueConstraint(fields=[column], condition=models.Q(gone=False), name=f"one_{column}")
    fields = [("id", models.BigAutoField(primary_key=True)), ("gone", models.BooleanField()), *texts(column).items()]
    state = ProjectState()
    state.add_model(ModelState("shop", "Customer", fields, options={"constraints": [unique]}))
    return state


@pytest.fixture
def with_mobile(transactional_db) -> Iterator[None]:
    """A table of the database that calls `mobile` what the files call `phone`."""
    ContentType.objects.create(app_label="shop", model="customer")
    customer = state_with("mobile").apps.get_model("shop", "Customer")
    with connection.schema_editor() as editor:
        editor.create_model(customer)
    customer.objects.create(mobile="077", gone=False)
    yield
    with connection.schema_editor() as editor:
        editor.execute("DROP TABLE shop_customer")


def test_a_renamed_column_keeps_its_values_and_its_constraint_gets_the_name_that_the_files_know(with_mobile):
    """A later migration drops the constraint by that name, and would find none."""
    claimed, actual = claimed_tables(state_with("phone"), "shop"), read_tables("shop")
    with connection.schema_editor(atomic=True) as editor:
        move_renamed(find_renamed(claimed, actual, RENAMES), claimed, actual, editor)
    table = read_tables("shop")["shop_customer"]
    assert table.columns.keys() == {"id", "gone", "phone"}
    assert table.unique == {frozenset(["phone"]): "one_phone"}
    customers = state_with("phone").apps.get_model("shop", "Customer").objects
    assert customers.get().phone == "077"
    constraint = customers.model._meta.constraints[0]
    with connection.schema_editor() as editor:
        editor.remove_constraint(customers.model, constraint)
    assert read_tables("shop")["shop_customer"].unique == {}
