"""Writes of what was deleted since it was read, and links to it: on each database, one after the other."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from crm.records.gate import check_writes
from crm.records.intended_write import IntendedWrite, as_before
from tests.support.records import make, model

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("for_good", [False, True])
def test_saving_brings_no_deleted_record_back(for_good):
    booking = make("booking", seats=5)
    passenger = make("passenger", booking=booking)
    stored = model("passenger").objects.get(pk=passenger.pk)
    (passenger.delete_for_good if for_good else booking.delete)()
    stored.first_name = "Zoe"
    with pytest.raises(ValidationError, match="It was deleted meanwhile"):
        stored.save_as(None)
    assert not model("passenger").objects.exists()


def test_what_is_in_the_trash_can_be_written_there():
    booking = make("booking", seats=5)
    booking.delete()
    stored = model("booking")._base_manager.get(pk=booking.pk)
    stored.wishes = "A window"
    stored.save_as(None)
    assert not model("booking").objects.exists()


@pytest.mark.parametrize("unlocked", [frozenset(), frozenset({"booking"})])
def test_neither_a_user_nor_an_action_links_to_what_is_deleted(unlocked):
    booking = make("booking", seats=5)
    passenger = make("passenger", booking=make("booking", seats=5))
    moved = as_before(passenger)
    moved.booking = booking
    write = IntendedWrite(moved, passenger, unlocked=unlocked)
    assert check_writes([write]) == []
    booking.delete()
    assert [(said.field, said.message) for said in check_writes([write])] == [("booking", "There is no such booking.")]
