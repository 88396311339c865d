"""The trash in the admin: what it shows, restoring, deleting for good, and what a deletion says before."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.capabilities.trash.soft_delete import restore
from crm.records.display import title_of
from tests.support.granting import grant
from tests.support.pages import address, said, text_of
from tests.support.people import person
from tests.support.records import make, model

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return make("customer", name="Ada Lovelace", email="ada@example.org")


def test_an_empty_trash_says_so(signed_in):
    assert "The trash is empty" in text_of(signed_in.get(address("customer", "trash")))


def test_a_deletion_says_how_long_it_can_be_restored_and_puts_into_the_trash(signed_in, customer):
    page = address("customer", "delete", customer.pk)
    assert "can be restored for 30 days" in text_of(signed_in.get(page))
    signed_in.post(page, {"post": "yes"})
    assert not model("customer").objects.exists()
    shown = text_of(signed_in.get(address("customer", "trash")))
    assert "Ada Lovelace" in shown and "admin" in shown
    gone = signed_in.get(address("customer", "change", customer.pk))
    assert "Ada Lovelace is in the trash" in text_of(gone)
    assert "Ada" not in text_of(signed_in.get(address("customer", "changelist"), {"q": "Ada"}))


def test_ticked_rows_go_into_the_trash_come_back_and_go_for_good(signed_in, customer):
    rows = {"action": "delete_selected", "_selected_action": [customer.pk]}
    assert "can be restored for 30 days" in text_of(signed_in.post(address("customer", "changelist"), rows))
    signed_in.post(address("customer", "changelist"), {**rows, "post": "yes"})
    trash = address("customer", "trash")
    answer = signed_in.post(trash, {"act": "restore", "record": [customer.pk]}, follow=True)
    assert "Ada Lovelace restored." in said(answer)
    customer.refresh_from_db()
    customer.delete()
    chosen = {"act": "delete", "record": [customer.pk]}
    assert "cannot be undone" in text_of(signed_in.post(trash, chosen))
    assert model("customer")._base_manager.exists()
    signed_in.post(trash, {**chosen, "sure": "yes"})
    assert not model("customer")._base_manager.exists()
    assert model("customer").history.filter(id=customer.pk, history_type="-").exists()


def test_the_trash_tells_what_was_deleted_together(signed_in, customer):
    booking = make("booking", customer=customer)
    make("passenger", booking=booking, first_name="Ada")
    make("task", booking=booking)
    booking.delete()
    assert "1 passenger, 1 task" in text_of(signed_in.get(address("booking", "trash")))
    assert "with 1 passenger, 1 task" in text_of(signed_in.get(address("booking", "change", booking.pk)))


def test_the_trash_takes_as_many_queries_for_20_rows_as_for_3(signed_in):
    def count():
        with CaptureQueriesContext(connection) as caught:
            assert signed_in.get(address("booking", "trash")).status_code == 200
        return len(caught)

    for number in (3, 17):
        for _ in range(number):
            booking = make("booking")
            make("passenger", booking=booking, first_name="Ada")
            booking.delete()
        if number == 3:
            count()
            few = count()
    assert count() == few


def test_what_still_points_here_is_named_with_links(signed_in, customer):
    booking = make("booking", customer=customer)
    for page in (
        signed_in.get(address("customer", "delete", customer.pk)),
        signed_in.post(
            address("customer", "changelist"), {"action": "delete_selected", "_selected_action": [customer.pk]}
        ),
    ):
        assert "cannot be deleted yet" in text_of(page)
        assert address("booking", "change", booking.pk) in page.content.decode()
    signed_in.post(address("customer", "delete", customer.pk), {"post": "yes"})
    assert model("customer").objects.exists()


def test_only_whoever_may_delete_sees_the_trash(client, customer):
    customer.delete()
    client.force_login(person("guide"))
    assert client.get(address("customer", "trash")).status_code == 403
    assert client.post(address("customer", "trash"), {"act": "restore", "record": [customer.pk]}).status_code == 403
    assert "in the trash" not in text_of(client.get(address("customer", "change", customer.pk), follow=True))
    assert not model("customer").objects.exists()


@pytest.mark.parametrize("may_delete", [False, True])
def test_deleting_for_good_asks_about_what_goes_along_as_the_deletion_and_the_restoring_do(
    client, monkeypatch, may_delete
):
    passenger_grants = {"view": True, "delete": True} if may_delete else {"view": True}
    grant(monkeypatch, "sales", booking={"view": True, "delete": True}, passenger=passenger_grants)
    booking = make("booking")
    passenger = make("passenger", booking=booking, first_name="Ada", last_name="L")
    client.force_login(person("sales"))
    if not may_delete:
        assert client.post(address("booking", "delete", booking.pk), {"post": "yes"}).status_code == 403
    booking.delete()
    trash, record = address("booking", "trash"), {"record": [booking.pk]}
    answer = client.post(trash, {"act": "delete", "sure": "yes", **record}, follow=True)
    assert model("passenger")._base_manager.filter(pk=passenger.pk).exists() is not may_delete
    if may_delete:
        assert said(answer) == ["1 deleted for good."]
    else:
        assert said(answer) == [
            f"{title_of(booking)} was not deleted. Ada L (in the trash): You may not delete passengers."
        ]
        answer = client.post(trash, {"act": "restore", **record}, follow=True)
        assert said(answer) == [f"{title_of(booking)} was not restored. Ada L: You may not delete passengers."]


def test_a_form_cannot_link_to_what_is_in_the_trash(signed_in, customer):
    customer.delete()
    answer = signed_in.post(address("booking", "add"), {"customer": customer.pk})
    assert "Select a valid choice" in text_of(answer)


def test_a_form_keeps_the_link_that_a_record_has(signed_in):
    booking = make("booking")
    invoice = make("invoice", customer=booking.customer)
    model("customer")._base_manager.update(deleted_at=invoice.created)
    page = text_of(signed_in.get(address("invoice", "change", invoice.pk)))
    assert "(in the trash)" in page


def test_a_deletion_that_the_page_did_not_show_is_not_taken_back(signed_in):
    trip = make("customer", name="Zed")
    trip.delete()
    first = trip.deleted_in
    restore(trip)
    trip.refresh_from_db()
    trip.delete()
    data = {"act": "restore", "record": [trip.pk], f"deletion_{trip.pk}": str(first)}
    answer = signed_in.post(address("customer", "trash"), data, follow=True)
    assert said(answer) == [
        f"{title_of(trip)} was not restored. It was restored and deleted again meanwhile. Look at the trash again."
    ]
    assert not model("customer").objects.exists()
    shown = signed_in.get(address("customer", "trash")).content.decode()
    assert f'name="deletion_{trip.pk}" value="{trip.deleted_in}"' in shown


def test_two_who_restore_at_once_are_told(signed_in):
    trip = make("customer", name="Zed")
    trip.delete()
    stale = type(trip)._base_manager.get(pk=trip.pk)
    restore(trip)
    with pytest.raises(ValidationError, match="It was restored or deleted again meanwhile"):
        restore(stale)


def test_what_another_record_of_the_trash_needs_is_not_deleted_for_good(signed_in, customer):
    invoice = make("invoice", customer=customer)
    invoice.delete()
    customer.delete()
    sent = {"act": "delete", "sure": "yes", "record": [customer.pk]}
    (told,) = said(signed_in.post(address("customer", "trash"), sent, follow=True))
    assert told.endswith("was not deleted: other records still point to it.")
    assert model("customer")._base_manager.filter(pk=customer.pk).exists()
    assert model("invoice")._base_manager.get(pk=invoice.pk).customer_id == customer.pk
