"""Values that nobody types: slugs, UUIDs, and whoever acts."""

from __future__ import annotations

import pytest

from crm.records.changes import change_scope
from crm.records.writes import write_records
from tests.support.people import person
from tests.support.records import make, model

pytestmark = pytest.mark.django_db


def test_a_slug_is_made_of_its_field_and_told_apart_by_a_number():
    assert [make("trip", name="Rome & Assisi").slug for _ in range(3)] == [
        "rome-assisi",
        "rome-assisi-2",
        "rome-assisi-3",
    ]
    assert make("trip", name="Rome").slug == "rome"


def test_a_slug_that_was_typed_or_given_before_is_kept():
    trip = make("trip", name="Rome", slug="eternal-city")
    trip.name = "Roma"
    trip.save()
    trip.refresh_from_db()
    assert trip.slug == "eternal-city"


def test_a_name_without_a_letter_for_addresses_still_gets_a_slug():
    slugs = {make("trip", name="日本").slug, make("trip", name="日本").slug}
    assert len(slugs) == 2 and all(slugs)


def test_a_long_name_makes_a_slug_that_fits():
    name = "a" * 120
    assert len(make("trip", name=name).slug) <= 100
    assert len(make("trip", name=name).slug) <= 100


def test_slugs_of_records_written_at_once_differ():
    shared = {"country": "IT", "start_date": "2026-01-01", "end_date": "2026-01-02", "price": 1}
    trips = [model("trip")(code=f"R{index}", name="Rome", **shared) for index in range(3)]
    write_records(model("trip"), created=trips)
    assert sorted(one.slug for one in trips) == ["rome", "rome-2", "rome-3"]


def test_every_record_gets_a_uuid_of_its_own_and_keeps_it():
    first, second = make("customer"), make("customer")
    assert first.reference and first.reference != second.reference
    kept = first.reference
    first.save()
    first.refresh_from_db()
    assert first.reference == kept


def test_me_is_the_actor_of_the_change_and_nobody_for_the_system():
    user = person("sales")
    with change_scope(user):
        assert make("task").assignee == user
        assert make("task", assignee=None).assignee is None
    assert make("task").assignee is None
