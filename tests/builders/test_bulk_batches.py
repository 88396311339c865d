"""Bulk writes go in batches: their queries do not grow with the rows, and whatever a batch breaks is left as it was."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.records.identity import is_unique
from crm.records.writes import write_records
from tests.support.pages import address, said
from tests.support.records import make, model

ROWS = 430


def many(name, count, **given):
    """Make like records of an entity at once, with their first versions."""
    first = make(name, **given)
    fields = {one.attname: getattr(first, one.attname) for one in first._meta.concrete_fields if not one.generated}
    unique = [one.name for one in first._meta.fields if one.primary_key or is_unique(model(name), one.name)]
    made = [model(name)(**{key: value for key, value in fields.items() if key not in unique}) for _ in range(count - 1)]
    write_records(model(name), created=made)
    return [first, *made]


def edit(client, name, rows, field, value):
    """Edit a field of rows in bulk; return the answer, its queries, and its processor time."""
    data = {"action": "edit", "_selected_action": [one.pk for one in rows], "crm_field": field, "crm_save": "1"}
    start = time.process_time()
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(address(name), {**data, field: value})
    return answer, len(queries), time.process_time() - start


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("customer", "kind", "group"),
        ("booking", "seats", "3"),
        ("customer", "tags", "vip"),
        ("booking", "discount", "1"),
    ],
)
def test_the_queries_do_not_grow_with_the_rows(signed_in, name, field, value):
    rows = many(name, ROWS, **({"unit_price": 10} if name == "booking" else {}))
    _, few, _ = edit(signed_in, name, rows[:10], field, value)
    answer, queries, took = edit(signed_in, name, rows[10:], field, value)
    assert answer.status_code == 302 and took < 2, took
    assert queries <= few + 12, (few, queries)
    assert said(signed_in.get(address(name)))[-1].startswith(
        f"{model(name).definition.find(field).label} of {ROWS - 10}"
    )


@pytest.mark.parametrize(("field", "value"), [("kind", "group"), ("tags", "vip")])
def test_a_bulk_write_moves_the_moment_of_the_last_change(signed_in, field, value):
    """Without it, whoever has the form open would overwrite what was written in bulk."""
    before = timezone.now() - timedelta(days=1)
    rows = [make("customer", name=name) for name in ("Ada", "Ben")]
    model("customer").objects.update(updated=before)
    edit(signed_in, "customer", rows[:1], field, value)
    changed, other = (model("customer").objects.get(pk=row.pk) for row in rows)
    assert changed.updated > before + timedelta(hours=23) and other.updated == before


def test_what_only_the_database_can_tell_refuses_the_rows_that_break_it_and_no_others(signed_in):
    bookings = [make("booking", unit_price=1, seats=2) for _ in range(9)]
    for number in (2, 6):
        make("passenger", booking=bookings[number])
    trip = make("trip")
    customer = make("customer", credit_limit=5)
    invoices = [make("invoice", customer=make("customer")) for _ in range(5)]
    for number, invoice in enumerate(invoices):
        make("invoice_line", invoice=invoice, price=2, quantity=1, tax=0, position=number + 1)
    model("invoice")._base_manager.update(status="sent")
    edit(signed_in, "invoice", invoices, "customer", str(customer.pk))
    assert model("invoice").objects.filter(customer=customer).count() == 2
    assert "3 were left as they are" in said(signed_in.get(address("invoice")))[-1]
    edit(signed_in, "booking", bookings, "trip", str(trip.pk))
    assert model("booking").objects.filter(trip=trip).count() == 9


def test_a_party_cannot_become_smaller_than_its_passengers(signed_in):
    bookings = [make("booking", seats=3, unit_price=1) for _ in range(4)]
    for _ in range(2):
        make("passenger", booking=bookings[1])
    edit(signed_in, "booking", bookings, "seats", "1")
    assert [one.seats for one in model("booking").objects.order_by("pk")] == [1, 3, 1, 1]
    assert "2 passengers, but party size is" in said(signed_in.get(address("booking")))[-1]


def test_kept_values_and_versions_follow(signed_in):
    rows = many("booking", 3, unit_price=10, seats=1)
    edit(signed_in, "booking", rows, "seats", "4")
    for row in rows:
        row.refresh_from_db()
        newest = row.history.first()
        assert (row.total, row.balance, newest.seats, newest.balance) == (40, 40, 4, 40)
