"""Undoing an import of one's own takes no right to delete; what it removes must be the user's still, and open."""

from __future__ import annotations

import pytest

from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.models import IMPORTED, ImportRun
from crm.capabilities.transfer.runs import import_file, undo_run
from tests.capabilities.transfer.files import csv_file
from tests.support.granting import grant
from tests.support.pages import address
from tests.support.people import person
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db
ALL_BUT_DELETING = {"view": True, "add": True, "change": True, "import": True}


@pytest.fixture
def user(monkeypatch):
    """Someone who sees small bookings, and may do all with their passengers but delete them."""
    grant(monkeypatch, "sales", booking={"view": {"rows": "seats < 5"}}, passenger=ALL_BUT_DELETING)
    return person("sales")


@pytest.fixture
def booking():
    return make("booking", seats=4)


def take_in(user, booking, **values):
    """Import a passenger of the booking, as the user, and return the run."""
    row = {"booking": booking.number, "first_name": "Ada", "last_name": "L", **values}
    import_file(entity("passenger"), "passengers.csv", csv_file(list(row), list(row.values())), user)
    return ImportRun.objects.first()


def passengers():
    return model("passenger").objects.count()


def refusal(run, user):
    """Undo a run, and return what is said against it; the run stays as it was."""
    with pytest.raises(ImportRefused) as refused:
        undo_run(run, user)
    run.refresh_from_db()
    assert run.status == IMPORTED
    return str(refused.value)


def test_what_one_added_oneself_is_taken_back(user, booking):
    run = take_in(user, booking)
    assert undo_run(run, user) == "1 removed, 0 as they were before."
    assert not passengers()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_row_of_a_record_that_is_hidden_by_now_stays_and_is_refused_in_the_same_words(user, booking, is_new):
    if not is_new:
        make("passenger", booking=booking, first_name="Ada", last_name="L")
    run = take_in(user, booking, passport="X1")
    booking.seats = 6
    booking.save()
    assert refusal(run, user) == (
        "Nothing was undone: Hidden passenger: This is not one of the passengers that are yours to change."
    )
    assert model("passenger").objects.get().passport == "X1"


def test_the_page_refuses_it_too(user, booking, client):
    run = take_in(user, booking)
    booking.seats = 6
    booking.save()
    client.force_login(user)
    client.post(address("passenger", "import_run", run.pk), {"undo": "1"})
    assert passengers() == 1


def test_a_row_that_is_not_ones_own_to_change_by_now_stays(user, booking, monkeypatch):
    small = {"rows": "booking.seats < 5"}
    grant(monkeypatch, "sales", booking={"view": True}, passenger=ALL_BUT_DELETING | {"change": small})
    run = take_in(user, booking)
    booking.seats = 6
    booking.save()
    assert "Ada L: This is not one of the passengers that are yours to change." in refusal(run, user)
    assert passengers() == 1


def test_whoever_may_only_add_takes_back_what_may_still_be_added(user, booking, monkeypatch):
    small = {"rows": "booking.seats < 5"}
    grant(monkeypatch, "sales", booking={"view": True}, passenger={"view": True, "add": small, "import": True})
    run = take_in(user, booking)
    booking.seats = 6
    booking.save()
    assert "This is not one of the passengers that are yours to add." in refusal(run, user)
    booking.seats = 4
    booking.save()
    assert undo_run(run, user) == "1 removed, 0 as they were before."


def test_the_import_of_another_takes_the_right_to_delete_each_record(user, booking, monkeypatch):
    run = take_in(None, booking)
    small = {"rows": "booking.seats < 5"}
    grant(monkeypatch, "sales", booking={"view": True}, passenger=ALL_BUT_DELETING | {"delete": small})
    booking.seats = 6
    booking.save()
    assert "Ada L: This is not one of the passengers that are yours to delete." in refusal(run, user)
    booking.seats = 4
    booking.save()
    assert undo_run(run, user) == "1 removed, 0 as they were before."
