"""What someone curious, or someone hostile, once got out of a page or into one: none of it works any more."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.capabilities.workflow.transitions import perform
from tests.support.granting import grant
from tests.support.pages import address, bring_back, form_data, save, text_of
from tests.support.people import client_of, person
from tests.support.records import make, model

pytestmark = pytest.mark.django_db
DAY = "2026-03-05"


def confirmed(**given):
    booking = make("booking", **given)
    booking.status = "confirmed"
    booking.save()
    return booking


def at_noon(record, day):
    """Let all that was kept of a record have been written in March 2026."""
    type(record).history.filter(id=record.pk).update(history_date=datetime(2026, 3, day, 12, tzinfo=UTC))


# Reading


def test_why_a_hidden_record_was_changed_is_not_told_by_what_is_computed_of_it():
    trip = make("trip")
    booking = make("booking", trip=trip, seats=2)
    perform(booking, "hold", person("manager"))
    perform(booking, "cancel", person("manager"), "PRIVATE: he is ill")
    assert "PRIVATE" in text_of(client_of("manager").get(address("booking", "history", booking.pk)))
    for role in ("guide", "telecaller", "manager"):
        page = client_of(role).get(address("trip", "history", trip.pk))
        assert page.status_code == 200 and "PRIVATE" not in text_of(page)


def test_the_past_hides_what_is_linked_to_and_hidden_now():
    booking = confirmed(customer=make("customer", name="Judith"))
    task = make("task", booking=booking)
    for one in (booking, task, booking.customer):
        at_noon(one, 2)
    guide = client_of("guide")
    for page in ("record_as_of", "list_as_of"):
        url = address("task", page, *([task.pk] if page == "record_as_of" else []))
        assert "Judith" in text_of(guide.get(url, {"on": DAY}))
        booking.status = "cancelled"
        booking.save()
        shown = guide.get(url, {"on": DAY})
        assert "Judith" not in text_of(shown) and booking.number not in text_of(shown)
        assert f"/booking/{booking.pk}/" not in shown.content.decode()
        booking.status = "confirmed"
        booking.save()


def test_the_past_does_not_count_what_was_not_yours_to_see():
    caller = person("telecaller")
    enquiry = make("enquiry", name="Ada", assigned_to=person("sales"), source="referral")
    at_noon(enquiry, 2)
    enquiry.assigned_to = caller
    enquiry.save()
    url, client = address("enquiry", "list_as_of"), client_of(caller)
    for query in ({}, {"source": "referral"}, {"source": "phone"}, {"q": "Ada"}):
        assert client.get(url, {"on": DAY, **query}).context["page"].paginator.count == 0


def test_a_made_up_filter_does_nothing_and_says_nothing(signed_in):
    page = signed_in.get(address("booking", "list_as_of"), {"on": DAY, "unit_price__gt": "0"})
    assert page.status_code == 200 and "filters of the list apply" not in text_of(page)


def test_the_help_tells_nothing_of_hidden_fields():
    page = text_of(client_of("telecaller").get(address("trip", "help")))
    assert "Price per person" in page
    for hidden in ("Deposit", "Places sold", "sum(bookings", "Put on sale", "Guides"):
        assert hidden not in page, hidden


# Writing


def test_an_import_of_someone_else_is_undone_by_those_who_may_delete():
    manager, clerk = person("manager"), person("accounts")
    for user, by, gone in ((manager, clerk, False), (clerk, clerk, True), (clerk, manager, True)):
        file = SimpleUploadedFile("x.csv", b"name,country\nInn,GB\n")
        shown = client_of(user).post(address("hotel", "import"), {"file": file}, follow=True)
        url = shown.redirect_chain[-1][0]
        client_of(user).post(url, {"import": "1"})
        assert model("hotel").objects.filter(name="Inn").exists()
        answer = client_of(by).post(url, {"undo": "1"}, follow=True)
        assert model("hotel").objects.filter(name="Inn").exists() is not gone
        assert ("You may not delete hotels" in text_of(answer)) is not gone
        model("hotel").objects.all().delete()


def test_going_back_takes_the_right_to_delete_the_rows_that_came_since():
    booking = make("booking", seats=2)
    version = booking.history.first().history_id
    passenger = make("passenger", booking=booking, first_name="Ada")
    answer = bring_back(client_of("sales"), booking, version, change_reason="x")
    assert ": You may not delete passengers." in text_of(answer)
    assert model("passenger").objects.filter(pk=passenger.pk).exists()
    bring_back(client_of("manager"), booking, version, change_reason="x")
    assert not model("passenger").objects.exists()


def test_a_form_that_is_followed_live_makes_no_tags(signed_in):
    customer = make("customer")
    data = form_data(signed_in.get(address("customer", "change", customer.pk)), "customer_form")
    answer = signed_in.post(address("customer", "live", customer.pk), {**data, "name": "", "tags": ["New tag"]})
    assert answer.status_code == 200
    assert "New tag" not in text_of(signed_in.get(address("customer", "change", customer.pk)))


def test_an_action_may_lead_out_of_the_rows_that_its_role_may_change_and_a_hand_may_not(monkeypatch):
    drafts = {"rows": "seats < 3 and status == 'draft'"}
    grant(monkeypatch, "sales", booking={"view": True, "change": drafts})
    sales, booking = client_of("sales"), make("booking", seats=2)
    refused = save(sales, "booking", booking, seats="3")
    assert "not one of the bookings that are yours to change" in text_of(refused)
    sales.post(address("booking", "act", booking.pk, "hold"))
    booking.refresh_from_db()
    assert (booking.status, booking.seats) == ("held", 2)
    sales.post(address("booking", "act", booking.pk, "cancel"), {"comment": "x"})
    booking.refresh_from_db()
    assert booking.status == "held", "it was not theirs to change any more"


# Nonsense

LONG, NUL = "9" * 5000, "a\x00b"
ADDRESSES = {
    "enquiry/": [{"q": "a " * 1500}, {"q": "a" * 52_000}, {"q": NUL}],
    f"enquiry/as-of/?on={DAY}": [{"q": "a " * 1500}, {"q": NUL}, {"p": LONG}, {"source": NUL}],
    "autocomplete": [{"term": NUL}, {"term": "a " * 1500}],
    "booking/add/": [{"seats": LONG}, {"booked_on": "x"}, {"customer": LONG}],
    "payment/add/": [{"received_at": "2026-01-01 10:00"}, {"received_at": "x"}, {"received_at": "2026-01-01+10:00"}],
    "flight/add/": [{"departs": "2026-01-01 10:00"}, {"departs": LONG}],
    "trip/trash/": [{"page": LONG}],
    f"trip/{LONG}/change/": [{}],
    f"trip/{LONG}/as-of/?on={DAY}": [{}],
}
FILES = ("trip/capacity", "trip/guides", "trip/flights", "trip/seats_free", "customer/address", "booking/sold_by")


@pytest.mark.parametrize("path", ADDRESSES)
def test_an_address_full_of_nonsense_is_answered(signed_in, path):
    make("enquiry")
    start = perf_counter()
    for query in ADDRESSES[path]:
        if path == "autocomplete":
            query = {**query, "app_label": "travel", "model_name": "booking", "field_name": "customer"}
            url = "/admin/autocomplete/"
        else:
            url = f"/admin/travel/{path}"
        separator = "&" if "?" in url else "?"
        sent = "&".join(f"{key}={value}" for key, value in query.items()).replace("\x00", "%00").replace("+", "%2B")
        assert signed_in.get(f"{url}{separator}{sent}").status_code in {200, 302, 400, 404}, query
    assert perf_counter() - start < 20, "no address keeps the server busy"


@pytest.mark.parametrize("field", [*FILES, "trip/cover"])
def test_a_file_of_what_holds_none_is_not_there(signed_in, field):
    for name in ("a", "%00.png"):
        assert signed_in.get(f"/files/travel/{field}/1/{name}").status_code == 404


def test_what_is_sent_full_of_nonsense_is_answered(signed_in):
    trip = make("trip")
    version = trip.history.first().history_id
    for key in (LONG, "9" * 20, "x"):
        assert signed_in.post(address("trip", "trash"), {"act": "restore", "record": [key]}).status_code == 200
    answer = bring_back(signed_in, trip, version, change_reason=NUL)
    assert answer.status_code == 200 and answer.redirect_chain
    task = make("task")
    refused = save(signed_in, "task", task, estimate="99999999999999 d")
    assert "is too long" in text_of(refused)
    customer = make("customer")
    assert save(signed_in, "customer", customer, tags=[NUL]).status_code == 200
