"""Nothing but its actions changes a state: every way in, with travel's bookings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.builders.admin import build_inline
from crm.capabilities.history.revert import revert_record
from crm.capabilities.transfer.runs import import_file, undo_run
from crm.capabilities.workflow.transitions import perform
from crm.records.rules import READ_ONLY_MESSAGE
from tests.capabilities.transfer.files import csv_file, take_in, told
from tests.support.pages import address, bring_back, form_data, said, save, text_of
from tests.support.people import client_of, person
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db
BEGINNING = "You may not begin as {}: a new record is draft, and goes on by its actions."


def state(record):
    return type(record).objects.get(pk=record.pk).status


def test_a_new_record_begins_at_the_beginning_whatever_is_posted(signed_in):
    customer, trip = make("customer"), make("trip")
    page = save(signed_in, "booking", customer=str(customer.pk), trip=str(trip.pk), unit_price="5", status="confirmed")
    assert page.status_code == 302 and model("booking").objects.get().status == "draft"


def test_the_change_form_shows_the_state_and_takes_none(signed_in):
    booking = make("booking", status="held")
    page = signed_in.get(address("booking", "change", booking.pk))
    assert "status" not in form_data(page, "booking_form") and "Held" in text_of(page)
    assert save(signed_in, "booking", booking, status="confirmed", wishes="Window").status_code == 302
    assert state(booking) == "held" and model("booking").objects.get().wishes == "Window"


def test_the_bulk_edit_does_not_offer_it(signed_in):
    booking = make("booking")
    sent = {"action": "edit", "_selected_action": [booking.pk]}
    assert "status" not in signed_in.post(address("booking"), sent).context["choices"]
    signed_in.post(address("booking"), {**sent, "crm_field": "status", "crm_save": "1", "status": "held"})
    assert state(booking) == "draft"


def test_rows_in_the_form_of_their_parent_show_it_too():
    passenger = entity("passenger")
    guarded = next(leaf.name for leaf in passenger.leaves if not leaf.target)
    passenger.guarded.add(guarded)
    try:
        rows = build_inline(entity("booking").fields["passengers"], None)
    finally:
        passenger.guarded.remove(guarded)
    assert guarded in rows.never_asked


def test_the_import_cannot_change_the_state_of_a_known_record():
    booking = make("booking", status="held")

    def line(status):
        return csv_file(["number", "status", "wishes"], [booking.number, status, "Window"])

    assert told(take_in("booking", line("confirmed"))) == [f"2 status: {READ_ONLY_MESSAGE}"]
    assert told(take_in("booking", line("held"))) == [] and state(booking) == "held"
    assert model("booking").objects.get().wishes == "Window"


def new_booking(status):
    customer, trip = make("customer"), make("trip")
    row = [f"B-9-{status}", customer.email or f"#{customer.pk}", trip.code, status, "5"]
    return csv_file(["number", "customer", "trip", "status", "unit_price"], row)


def test_the_command_line_brings_states_along():
    assert told(take_in("booking", new_booking("confirmed"))) == []
    assert model("booking").objects.get().status == "confirmed"


@pytest.mark.parametrize(
    ("role", "status", "is_allowed"),
    [
        ("manager", "held", True),
        ("manager", "draft", True),
        ("sales", "held", True),
        ("sales", "cancelled", False),
        ("accounts", "held", False),
        ("accounts", "draft", True),
    ],
)
def test_a_user_brings_along_only_what_all_the_actions_would_let_them(role, status, is_allowed):
    found = take_in("booking", new_booking(status), user=person(role))
    assert told(found) == ([] if is_allowed else [f"2 status: {BEGINNING.format(status)}"])


@pytest.mark.parametrize("role", ["sales", "manager", "superuser"])
def test_nobody_begins_where_the_conditions_of_the_steps_would_not_let_them_go(role, admin_user):
    user = admin_user if role == "superuser" else person(role)
    beginning = BEGINNING.format("confirmed")
    assert told(take_in("booking", new_booking("confirmed"), user=user)) == [
        f"2 status: {beginning} Confirm: Fill in first: Passengers."
    ]


def test_the_conditions_of_every_step_on_the_way_count(admin_user):
    """Paid is reached from sent alone, and sent takes lines; nothing is to be paid of an invoice without any."""
    row = ["INV-9", f"#{make('customer').pk}", "paid", "2041-03-01"]
    data = csv_file(["number", "customer", "status", "due_on"], row)
    beginning = BEGINNING.format("paid")
    assert told(take_in("invoice", data, user=admin_user)) == [f"2 status: {beginning} Send: Fill in first: Lines."]


def test_a_superuser_brings_along_what_no_condition_forbids(admin_user):
    assert told(take_in("booking", new_booking("cancelled"), user=admin_user)) == []


def test_the_page_of_imports_refuses_it_as_well():
    upload = SimpleUploadedFile("b.csv", new_booking("held"), "text/csv")
    page = client_of("accounts").post(address("booking", "import"), {"file": upload}, follow=True)
    assert BEGINNING.format("held") in text_of(page)


def test_going_back_to_a_version_leaves_the_state(signed_in):
    booking = make("booking", wishes="Aisle")
    first = booking.history.first()
    perform(booking, "hold")
    booking.refresh_from_db()
    booking.wishes = "Window"
    booking.save()
    page = bring_back(signed_in, booking, first.history_id)
    assert said(page) == [f"{booking} is as it was then, but status stays Held."]
    booking.refresh_from_db()
    assert (booking.status, booking.wishes) == ("held", "Aisle")


def test_a_deleted_record_comes_back_in_its_state():
    booking = make("booking", status="held")
    version, key = booking.history.first(), booking.pk
    model("booking").objects.get(pk=key).delete()
    assert revert_record(booking, version) == [] and model("booking").objects.get(pk=key).status == "held"


def test_the_undo_of_an_import_leaves_what_an_action_did_since():
    booking = make("booking", wishes="Aisle")
    data = csv_file(["number", "wishes"], [booking.number, "Window"])
    run, _ = import_file(entity("booking"), "b.csv", data)
    perform(booking, "hold")
    assert "left alone because they were changed since" in undo_run(run, None)
    assert state(booking) == "held"


def test_a_rule_beside_a_guarded_field_is_told_above_the_form(signed_in, monkeypatch):
    """A form that does not ask for the state can still be told of a rule that stands beside it."""
    trip = entity("trip")
    rules = [replace(one, field="status") for one in trip.rules.checks]
    monkeypatch.setattr(trip.rules, "checks", rules)
    record = make("trip")
    page = save(signed_in, "trip", record, start_date="02/03/2026", end_date="01/03/2026")
    assert page.status_code == 200 and "A trip cannot end before it starts." in text_of(page)
