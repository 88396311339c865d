"""Records: what they are called, how their values read, and writing many at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.builders.rows import list_rows
from crm.kernel.events import records_written
from crm.records.changes import change_scope
from crm.records.display import display, display_path, is_empty, title_of
from crm.records.writes import write_records
from tests.support.records import business, entity, make, model

pytestmark = pytest.mark.django_db
ENTITIES = sorted(business().entities)


# Titles and values


@pytest.mark.parametrize("name", ENTITIES)
def test_a_title_is_text_with_and_without_values(name):
    assert str(make(name, full=True)).strip()
    assert str(make(name)).strip()
    assert str(model(name)()).strip()
    assert str(model(name)(pk=987654)).strip()


def test_titles_read_across_links():
    booking = make("booking", number="B-1", customer=make("customer", name="Ada"))
    assert str(booking) == "B-1 Ada"
    assert str(model("booking")(number="B-1")) == "B-1"
    assert title_of(model("photo")()) == "Photo"


@pytest.mark.parametrize("name", ENTITIES)
def test_titles_of_a_list_take_one_query(name):
    for _ in range(3):
        make(name, full=True)
    with CaptureQueriesContext(connection) as caught:
        assert len({str(one) for one in list_rows(model(name).objects.all(), entity(name), [])}) >= 1
    assert len(caught) == 1


def test_values_read_as_people_write_them():
    task = make("task", estimate=timedelta(minutes=90), priority="high")
    fields = entity("task").fields
    assert display(task, fields["estimate"]) == "1 h 30 min"
    assert display(task, fields["priority"]) == "High"
    assert display(task, fields["due"]) == ""
    payment = make("payment", amount=Decimal("1250.5"))
    assert display(payment, entity("payment").fields["amount"]) == "£1,250.50"


def test_paths_read_to_their_end_or_to_nothing():
    customer = make("customer", address_city="York", address_country="GB")
    assert display_path(customer, entity("customer").follow("address")) == "York, United Kingdom"
    assert display_path(customer, entity("customer").follow("address.city")) == "York"
    assert display_path(make("task"), entity("task").follow("customer.address.city")) == ""


@pytest.mark.parametrize(
    ("value", "empty"),
    [(None, True), ("", True), ([], True), ({"a": ""}, True), (0, False), (False, False), ("0", False)],
)
def test_nought_is_something(value, empty):
    assert is_empty(value) is empty


# Many at once


@pytest.fixture
def heard():
    """The events that were sent, as (model, created, updated, links)."""
    found = []

    def hear(sender, created, updated, links, **_):
        found.append((sender, len(created), len(updated), links))

    records_written.connect(hear)
    yield found
    records_written.disconnect(hear)


def test_records_and_links_are_written_and_told(heard):
    tag = apps.get_model("crm", "Tag")._default_manager.create(scope="travel.customer.tags", name="vip")
    old = make("customer", name="Ada")
    old.name = "Ada Okafor"
    new = model("customer")(name="Ben")
    write_records(
        model("customer"), created=[new], updated=[old], columns=["name"], links={"tags": {0: {tag.pk}, 1: {tag.pk}}}
    )
    assert {str(one) for one in model("customer").objects.filter(tags=tag)} == {"Ada Okafor", "Ben"}
    assert heard == [(model("customer"), 1, 1, ["tags"])]
    write_records(model("customer"), updated=[old], links={"tags": {0: set()}})
    assert not old.tags.exists()


def test_only_the_named_columns_are_written():
    customer = make("customer", name="Ada", vat_number="1")
    customer.name, customer.vat_number = "Changed", "2"
    before = customer.updated
    write_records(model("customer"), updated=[customer], columns=["name"])
    customer.refresh_from_db()
    assert (customer.name, customer.vat_number) == ("Changed", "1") and customer.updated > before


def test_a_listener_that_fails_undoes_the_whole():
    def refuse(**_):
        raise RuntimeError("no")

    records_written.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            write_records(model("customer"), created=[model("customer")(name="Ada")])
    finally:
        records_written.disconnect(refuse)
    assert not model("customer").objects.exists()


def test_more_rows_than_their_parent_allows_are_not_written():
    booking = make("booking", seats=2)
    many = [model("passenger")(booking=booking, first_name=str(one), last_name="x") for one in range(3)]
    with pytest.raises(ValidationError, match="3 passengers, but party size is 2"):
        write_records(model("passenger"), created=many)
    assert not model("passenger").objects.exists()
    write_records(
        model("passenger"),
        created=[model("passenger")(booking=booking, first_name=str(n), last_name="x") for n in "12"],
    )
    booking.seats = 1
    with pytest.raises(ValidationError, match="2 passengers, but party size is 1"):
        write_records(model("booking"), updated=[booking], columns=["seats"])


def test_each_written_record_has_a_version_of_one_change():
    with change_scope(reason="because") as change:
        customers = [model("customer")(name=name) for name in "AB"]
        write_records(model("customer"), created=customers)
    versions = model("customer").history.all()
    assert {(one.history_change, one.history_change_reason, one.history_type) for one in versions} == {
        (change.id, "because", "+")
    }
