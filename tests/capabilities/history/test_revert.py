"""The way back: values, links, tags and rows as they were; nothing at all where that cannot be whole."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from threading import Barrier, BrokenBarrierError

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import ProtectedError

from crm.capabilities.history import undo as reverting
from crm.capabilities.history.revert import revert_record
from crm.capabilities.history.timeline import read_timeline
from crm.capabilities.history.undo import revert_change
from crm.records.changes import change_scope
from crm.records.writes import write_records
from tests.support.pages import address, bring_back, form_data, said, text_of
from tests.support.people import person
from tests.support.records import make, model
from tests.support.threads import in_threads

pytestmark = pytest.mark.django_db


def newest(record):
    return type(record).history.filter(id=record.pk).first()


def revert(client, record, version, **data):
    """Go back as a person does: by the page's button."""
    return bring_back(client, record, version.history_id, **data)


# A record


def test_values_come_back(signed_in, admin_user):
    customer = make(
        "customer", name="Ada", payment_terms=0, newsletter=False, address_city="York", credit_limit=Decimal(5)
    )
    then = newest(customer)
    customer.name, customer.payment_terms, customer.newsletter, customer.address_city = "Ben", 30, True, ""
    customer.credit_limit = None
    customer.save()
    page = revert(signed_in, customer, then, change_reason="A mistake")
    assert said(page) == ["Ada is as it was then."]
    customer.refresh_from_db()
    assert (customer.name, customer.payment_terms, customer.newsletter, customer.address_city) == (
        "Ada",
        0,
        False,
        "York",
    )
    assert customer.credit_limit == Decimal(5)
    entry = read_timeline(customer)[0]
    assert (entry.user, entry.reason) == ("admin", "A mistake")


def test_nothing_comes_back_as_nothing_and_nought_as_nought(signed_in):
    customer = make("customer", payment_terms=None)
    empty = newest(customer)
    customer.payment_terms = 0
    customer.save()
    nought = newest(customer)
    revert(signed_in, customer, empty)
    customer.refresh_from_db()
    assert customer.payment_terms is None
    revert(signed_in, customer, nought)
    customer.refresh_from_db()
    assert customer.payment_terms == 0


def test_going_back_can_be_undone_the_same_way(signed_in):
    customer = make("customer", name="A")
    first = newest(customer)
    customer.name = "B"
    customer.save()
    second = newest(customer)
    revert(signed_in, customer, first)
    revert(signed_in, customer, second)
    customer.refresh_from_db()
    assert customer.name == "B"
    assert [one.name for one in customer.history.all()] == ["B", "A", "B", "A"]


def test_going_back_to_what_is_writes_nothing(signed_in):
    customer = make("customer", name="A")
    revert(signed_in, customer, newest(customer))
    assert customer.history.count() == 1


def test_the_story_says_to_which_version_one_went_back(signed_in):
    customer = make("customer", name="A")
    then = newest(customer)
    customer.name = "B"
    customer.save()
    revert(signed_in, customer, then)
    assert read_timeline(customer)[0].reason.startswith("Back to the version of ")


def test_links_tags_and_people_come_back(signed_in):
    tags = apps.get_model("crm", "Tag")._default_manager
    vip, asia = (tags.create(scope="travel.customer.tags", name=name) for name in ("vip", "asia"))
    owner = person()
    with change_scope():
        customer = make("customer", owner=owner, tags=[vip])
    then = newest(customer)
    with change_scope():
        customer.owner = None
        customer.save()
        customer.tags.set([asia])
    revert(signed_in, customer, then)
    customer.refresh_from_db()
    assert customer.owner == owner and set(customer.tags.all()) == {vip}


def test_a_tag_that_was_deleted_meanwhile_is_left_out(signed_in):
    tag = apps.get_model("crm", "Tag")._default_manager.create(scope="travel.customer.tags", name="vip")
    with change_scope():
        customer = make("customer", name="Ada", tags=[tag])
    then = newest(customer)
    customer.name = "Ben"
    customer.save()
    tag.delete()
    revert(signed_in, customer, then)
    customer.refresh_from_db()
    assert customer.name == "Ada" and not customer.tags.exists()


# Its rows


@pytest.fixture
def party():
    """A booking for three, and the version in which Ada and Ben were its passengers."""
    with change_scope():
        booking = make("booking", seats=3)
        ada = make("passenger", booking=booking, first_name="Ada", last_name="Okafor")
        ben = make("passenger", booking=booking, first_name="Ben", last_name="Okafor")
    return booking, newest(booking), ada, ben


def names(booking):
    return list(
        model("passenger").objects.filter(booking=booking).order_by("first_name").values_list("pk", "first_name")
    )


def test_added_rows_go_changed_ones_change_back_and_deleted_ones_return_with_their_ids(signed_in, party):
    booking, then, ada, ben = party
    before = names(booking)
    with change_scope():
        ben_id = ben.pk
        ben.delete()
        ada.first_name = "Adaeze"
        ada.save()
        make("passenger", booking=booking, first_name="Cem")
        booking.wishes = "A window"
        booking.save()
    revert(signed_in, booking, then)
    booking.refresh_from_db()
    assert booking.wishes == "" and names(booking) == before
    assert (ben_id, "Ben") in before
    entry = read_timeline(booking)[0]
    assert {(part.title, part.kind) for part in entry.parts if part.title} == {
        ("Passenger Ada Okafor", "changed"),
        ("Passenger Ben Okafor", "added"),
        (f"Passenger Cem {model('passenger').history.filter(first_name='Cem').first().last_name}", "deleted"),
    }


def test_a_row_changed_by_itself_can_be_taken_back_from_the_parent(signed_in, party):
    """The parent's newest version is not as it is now: one of its rows has changed since."""
    booking, then, ada, _ = party
    before = names(booking)
    with change_scope():
        ada.first_name = "Adaeze"
        ada.save()
    page = signed_in.get(address("booking", "history", booking.pk))
    assert address("booking", "revert", booking.pk, then.history_id) in page.content.decode()
    revert(signed_in, booking, then)
    assert names(booking) == before


def test_a_row_that_had_moved_to_another_parent_before_stays_there(signed_in, party):
    booking, _, ada, _ = party
    other = make("booking", seats=1)
    with change_scope():
        ada.booking = other
        ada.save()
    with change_scope():
        booking.wishes = "A window"
        booking.save()
    then = newest(booking)
    with change_scope():
        booking.wishes = ""
        booking.save()
    revert(signed_in, booking, then)
    ada.refresh_from_db()
    assert ada.booking == other


def test_a_row_that_moved_to_another_parent_since_returns(signed_in, party):
    booking, then, ada, _ = party
    with change_scope():
        ada.booking = make("booking", seats=1)
        ada.save()
    revert(signed_in, booking, then)
    ada.refresh_from_db()
    assert ada.booking == booking


# Refused, with everything as it is


def unchanged(record, **values):
    record.refresh_from_db()
    assert {name: getattr(record, name) for name in values} == values


def test_a_value_that_someone_else_has_taken_meanwhile_refuses_the_whole(signed_in):
    customer = make("customer", name="Ada", email="ada@example.org")
    then = newest(customer)
    customer.name, customer.email = "Ben", "ben@example.org"
    customer.save()
    make("customer", name="Other", email="ada@example.org")
    page = revert(signed_in, customer, then)
    assert page.status_code == 200 and said(page)[0].startswith("Nothing was changed: ")
    unchanged(customer, name="Ben", email="ben@example.org")


def test_a_row_that_is_still_needed_refuses_the_whole(signed_in):
    with change_scope():
        trip = make("trip", name="Rome")
    then = newest(trip)
    with change_scope():
        make("stay", trip=trip)
        trip.name = "Roma"
        trip.save()
    protect(model("stay"))
    page = revert(signed_in, trip, then)
    unchanged(trip, name="Roma")
    assert said(page)[0].startswith("Nothing was changed: ") and "still needed" in said(page)[0]


def protect(which):
    """Refuse every deletion of a model's records for the rest of the test, as a protecting link would."""
    from django.db.models.signals import pre_delete

    def refuse(instance, **_):
        pre_delete.disconnect(refuse, sender=which)
        raise ProtectedError("needed", {instance})

    pre_delete.connect(refuse, sender=which, weak=False)


def test_a_link_to_what_was_deleted_is_left_out_and_told(signed_in):
    booking = make("booking", number="B-7", customer=make("customer", name="Ada"))
    task = make("task", name="Call", booking=booking, assignee=None)
    then = newest(task)
    task.name, task.booking = "Write", None
    task.save()
    booking.delete()
    page = revert(signed_in, task, then)
    unchanged(task, name="Call", booking=None)
    assert said(page) == ["Call is as it was then, but booking was B-7 Ada (deleted)."]


def test_a_link_that_it_must_have_to_what_was_deleted_refuses_the_whole(signed_in):
    booking = make("booking", customer=make("customer", name="Ada"), wishes="A window")
    then, gone = newest(booking), booking.customer
    booking.customer, booking.wishes = make("customer", name="Ben"), ""
    booking.save()
    gone.delete()
    page = revert(signed_in, booking, then)
    unchanged(booking, wishes="")
    assert said(page) == ["Nothing was changed: its customer was Ada (deleted), and it cannot be without one."]


def test_a_row_cannot_go_back_to_a_parent_that_is_full_meanwhile(signed_in):
    full, other = make("booking", seats=1), make("booking", seats=1)
    passenger = make("passenger", booking=full)
    then = newest(passenger)
    passenger.booking = other
    passenger.save()
    make("passenger", booking=full)
    page = revert(signed_in, passenger, then)
    unchanged(passenger, booking=other)
    assert said(page)[0].startswith("Nothing was changed: ") and "party size is 1" in said(page)[0]


def test_the_page_asks_first_and_knows_its_version(signed_in):
    customer, other = make("customer", name="Ada"), make("customer")
    page = signed_in.get(address("customer", "revert", customer.pk, newest(customer).history_id))
    assert "Bring back Ada?" in text_of(page)
    for wrong in (newest(other).history_id, 987654):
        assert signed_in.get(address("customer", "revert", customer.pk, wrong)).status_code == 404
        assert signed_in.post(address("customer", "revert", customer.pk, wrong)).status_code == 404


# A whole change


def test_a_change_is_undone_whole():
    tags = apps.get_model("crm", "Tag")._default_manager
    vip = tags.create(scope="travel.customer.tags", name="vip")
    old = make("customer", name="Ada", payment_terms=0)
    with change_scope() as change:
        old.name = "Changed"
        new = model("customer")(name="Ben")
        write_records(
            model("customer"),
            created=[new],
            updated=[old],
            columns=["name"],
            links={"tags": {0: {vip.pk}, 1: {vip.pk}}},
        )
    result = revert_change(change.id, model("customer"))
    assert (result.restored, result.removed, result.spared) == (1, 1, [])
    assert [str(one) for one in model("customer").objects.all()] == ["Ada"]
    assert not old.tags.exists()


def test_what_was_changed_since_is_spared_and_named():
    first, second = make("customer", name="Ada"), make("customer", name="Ben")
    with change_scope() as change:
        for one in (first, second):
            one.vat_number = "imported"
            one.save()
        added = make("customer", name="Cem")
    first.name = "Ada Okafor"
    first.save()
    added.name = "Cem Kaya"
    added.save()
    result = revert_change(change.id, model("customer"))
    assert sorted(result.spared) == ["Ada Okafor", "Cem Kaya"] and (result.restored, result.removed) == (1, 0)
    for one in (first, second):
        one.refresh_from_db()
    assert (first.vat_number, second.vat_number) == ("imported", "")


def test_what_a_change_deleted_comes_back_with_its_id():
    customer = make("customer", name="Ada")
    key = customer.pk
    with change_scope() as change:
        customer.delete()
    result = revert_change(change.id, model("customer"))
    assert result.restored == 1
    assert model("customer").objects.get(pk=key).name == "Ada"


def test_what_is_needed_meanwhile_refuses_the_whole():
    old = make("customer", name="Ada")
    with change_scope() as change:
        old.name = "Changed"
        old.save()
        added = make("customer")
    make("booking", customer=added)
    with pytest.raises(ProtectedError):
        revert_change(change.id, model("customer"))
    unchanged(old, name="Changed")


def test_the_version_before_the_change_is_what_comes_back_not_an_older_one():
    customer = make("customer", name="A")
    for name in "BC":
        with change_scope() as change:
            customer.name = name
            customer.save()
    revert_change(change.id, model("customer"))
    unchanged(customer, name="B")


def test_a_record_of_the_past_can_be_written_by_revert_record_alone():
    customer = make("customer", name="A")
    then = newest(customer)
    customer.name = "B"
    customer.save()
    revert_record(customer, then)
    unchanged(customer, name="A")


# What was changed since


def test_the_page_names_the_later_changes_with_who_when_and_which_fields(signed_in):
    booking = make("booking", wishes="Aisle", seats=2)
    then = newest(booking)
    with change_scope(person("sales", first_name="Sam", last_name="Lee"), "", "admin"):
        booking.wishes = "Window"
        booking.save()
    make("passenger", booking=booking, first_name="Ada", last_name="L")
    text = text_of(signed_in.get(address("booking", "revert", booking.pk, then.history_id)))
    assert "This takes back what was changed since then:" in text
    assert "Sam Lee" in text and "Special wishes" in text and "Ada L added" in text


@pytest.mark.parametrize("later", ["a value", "a row", "a row that went", "nothing was seen"])
def test_a_change_that_the_page_did_not_show_is_not_taken_back(signed_in, later):
    booking = make("booking", wishes="Aisle", seats=2)
    gone = make("passenger", booking=booking)
    then = newest(booking)
    booking.wishes = "Window"
    booking.save()
    url = address("booking", "revert", booking.pk, then.history_id)
    seen = form_data(signed_in.get(url), "revert")["seen"][0]
    if later == "a value":
        booking.notes = "Rang twice"
        booking.save()
    elif later == "a row":
        make("passenger", booking=booking, first_name="Late")
    elif later == "a row that went":
        gone.delete()
    rows = list(model("passenger").objects.values())
    page = signed_in.post(url, {"seen": seen, "change_reason": "Mine"} if later != "nothing was seen" else {})
    assert page.status_code == 200 and "the page did not show every change" in text_of(page)
    unchanged(booking, wishes="Window")
    assert list(model("passenger").objects.values()) == rows
    again = form_data(page, "revert")
    assert again["change_reason"] == (["Mine"] if later != "nothing was seen" else [""])
    assert said(signed_in.post(url, again, follow=True)) == [f"{booking} is as it was then."]
    booking.refresh_from_db()
    assert booking.wishes == "Aisle"


# Two at once


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway")
@pytest.mark.parametrize("is_locked", [True, False])
def test_what_another_changes_while_a_change_is_undone_is_not_removed(transactional_db, monkeypatch, is_locked):
    with change_scope() as change:
        added = make("customer", name="Ada")
    barrier, read = Barrier(2), reverting._chains

    def read_slowly(*args):
        chains = read(*args)
        barrier.wait(timeout=20)
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=0.5)
        return chains

    def act(index):
        with transaction.atomic():
            if index == 0:
                return revert_change(change.id, model("customer")).removed
            barrier.wait(timeout=20)
            record = model("customer").objects.select_for_update(of=("self",)).filter(pk=added.pk).first()
            if record is not None:
                record.name = "Ada Okafor"
                record.save()
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=0.1)
        return record is not None

    monkeypatch.setattr(reverting, "_chains", read_slowly)
    if not is_locked:
        monkeypatch.setattr(reverting, "select_for_write", lambda rows: rows)
    assert in_threads(2, act) == [1, not is_locked], "without the lock, the change of the other would be lost"
