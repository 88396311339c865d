"""Rules and conditional fields in the admin: the message beside its field, nothing lost, and what a form shows live."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crm.blueprint.expressions.parser import read_expression
from crm.blueprint.rules import Rule, Showing
from crm.blueprint.text import parse_template
from tests.support.pages import address, fill_in, form_data, said, save, text_of
from tests.support.people import client_of, person
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db
CONTACTS = "A booking is confirmed once every passenger has an emergency contact."


@pytest.fixture(autouse=True)
def contacts(monkeypatch):
    """Ask for the contacts by a field of the form: the state itself is changed by actions alone."""
    booking = entity("booking")
    asked = "wishes != 'Confirm' or count(passengers, emergency_name == null or emergency_phone == null) == 0"
    rule = Rule(read_expression(asked, booking), parse_template(CONTACTS), "wishes")
    others = [one for one in booking.rules.checks if "count(passengers" not in one.check.source]
    monkeypatch.setattr(booking.rules, "checks", [*others, rule])


def fresh(record):
    return type(record).objects.get(pk=record.pk)


def errors_of(page):
    return page.context["adminform"].form.errors


# Saving


def test_a_rule_is_told_beside_its_field_and_nothing_that_was_typed_is_lost(signed_in):
    trip = make("trip", start_date=date(2041, 3, 1), end_date=date(2041, 4, 1), name="Lisbon")
    page = save(signed_in, "trip", trip, name="Porto", end_date="2041-02-01")
    assert errors_of(page) == {"end_date": ["A trip cannot end before it starts."]}
    sent = form_data(page, "trip_form")
    assert (sent["name"], sent["end_date"]) == (["Porto"], ["2041-02-01"])
    assert fresh(trip).name == "Lisbon"


def test_a_rule_that_only_the_database_can_tell_is_told_beside_its_field_too(signed_in):
    booking = make("booking", seats=2)
    make("passenger", booking=booking, first_name="Ada")
    page = save(signed_in, "booking", booking, wishes="Confirm", seats="3")
    assert page.status_code == 200
    assert errors_of(page) == {"wishes": [CONTACTS]} and CONTACTS in text_of(page)
    sent = form_data(page, "booking_form")
    assert (sent["wishes"], sent["seats"]) == (["Confirm"], ["3"])
    assert not said(page), "nothing may say that it was saved"
    assert (fresh(booking).wishes, fresh(booking).seats) == ("", 2)
    assert booking.history.count() == 1


def test_rows_that_break_their_parents_rule_stay_in_the_form(signed_in):
    booking = make("booking", seats=1, wishes="Confirm")
    rows = {"passenger_booking_set-0-first_name": "Ada", "passenger_booking_set-0-last_name": "Okafor"}
    page = save(signed_in, "booking", booking, **rows)
    assert errors_of(page) == {"wishes": [CONTACTS]}
    assert form_data(page, "booking_form")["passenger_booking_set-0-first_name"] == ["Ada"]
    assert not model("passenger").objects.exists()
    rows |= {
        f"passenger_booking_set-0-emergency_{key}": value for key, value in (("name", "Bo"), ("phone", "020 7946 0018"))
    }
    assert save(signed_in, "booking", booking, **rows).status_code == 302
    assert model("passenger").objects.get().emergency_name == "Bo"


def test_a_new_record_and_its_rows_are_refused_together(signed_in):
    links = {"customer": str(make("customer").pk), "trip": str(make("trip").pk), "unit_price": "100"}
    rows = {"passenger_booking_set-0-first_name": "Ada", "passenger_booking_set-0-last_name": "Okafor"}
    page = save(signed_in, "booking", query="?seats=1", **links, **rows, wishes="Confirm")
    assert errors_of(page) == {"wishes": [CONTACTS]}
    assert not model("booking").objects.exists() and not model("passenger").objects.exists()


def test_a_rule_of_another_record_stands_above_the_form_with_its_title(signed_in):
    booking = make("booking", seats=1, wishes="Confirm")
    page = save(signed_in, "passenger", booking=str(booking.pk), first_name="Ada", last_name="Okafor")
    assert errors_of(page) == {"__all__": [f"{booking}: {CONTACTS}"]}


def test_in_bulk_the_rows_that_would_break_a_rule_are_named_and_left(signed_in):
    lost, ready = make("booking", seats=1), make("booking", seats=1)
    make("passenger", booking=lost)
    data = {"action": "edit", "_selected_action": [lost.pk, ready.pk], "crm_field": "wishes", "crm_save": "1"}
    page = signed_in.post(address("booking"), {**data, "wishes": "Confirm"}, follow=True)
    assert f"1 were left as they are: {lost}: {CONTACTS}" in said(page)
    assert (fresh(lost).wishes, fresh(ready).wishes) == ("", "Confirm")


def test_deleting_what_a_rule_needs_is_refused_on_both_pages(signed_in):
    invoice = make("invoice")
    line = make("invoice_line", invoice=invoice, price=Decimal(50), tax=0)
    invoice.refresh_from_db()
    invoice.status = "sent"
    invoice.save()
    make("payment", invoice=invoice, amount=Decimal(50))
    one = signed_in.post(address("invoice_line", "delete", line.pk), {"post": "yes"}, follow=True)
    data = {"action": "delete_selected", "_selected_action": [line.pk], "post": "yes"}
    many = signed_in.post(address("invoice_line"), data, follow=True)
    why = f"{invoice}: More would be paid than the invoice is for: £0.00."
    assert said(one) == [f"Nothing was deleted. {why}"]
    assert said(many) == [f"Nothing was done. {why}"]
    assert fresh(line)


# Conditional fields


def test_a_hidden_field_is_not_taken_from_a_form(signed_in):
    firm = make("customer", kind="company", company_number="42")
    assert save(signed_in, "customer", firm, kind="person", company_number="43").status_code == 302
    assert (fresh(firm).kind, fresh(firm).company_number) == ("person", "42")
    assert save(signed_in, "customer", name="New", kind="person", company_number="43").status_code == 302
    assert model("customer").objects.get(name="New").company_number == ""


def test_a_field_that_is_required_at_times_says_so_beside_itself(signed_in):
    booking = make("booking", seats=1, unit_price=Decimal(900))
    page = save(signed_in, "booking", booking, discount="101")
    assert errors_of(page) == {"discount_reason": ["This field is required."]}
    assert save(signed_in, "booking", booking, discount="101", discount_reason="Late").status_code == 302


# While it is filled in


def live(client, name, record=None, **changes):
    """Return what the form would show with these changes, as the browser asks for it while someone types."""
    page = client.get(address(name, "change", record.pk) if record else address(name, "add"))
    data = {**form_data(page, f"{model(name)._meta.model_name}_form"), **changes}
    return client.post(address(name, "live", record.pk) if record else address(name, "live_new"), data)


def test_the_form_shows_what_is_asked_for_required_and_computed(signed_in):
    booking = make("booking", seats=2, unit_price=Decimal(100))
    state = live(signed_in, "booking", booking).json()
    assert (state["hidden"], state["required"]) == (["discount_reason"], [])
    assert state["values"]["total"] == "£200.00"
    state = live(signed_in, "booking", booking, discount="150", seats="3").json()
    assert (state["hidden"], state["required"]) == ([], ["discount_reason"])
    assert (state["values"]["total"], state["values"]["balance"]) == ("£150.00", "£150.00")
    assert fresh(booking).discount == 0 and booking.history.count() == 1


def test_a_new_record_is_computed_with_the_rows_that_were_typed(signed_in):
    rows = {"invoice_line_invoice_set-TOTAL_FORMS": "2"}
    for index, price in enumerate(("10", "5.50")):
        prefix = f"invoice_line_invoice_set-{index}-"
        rows |= {f"{prefix}description": "Tour", f"{prefix}price": price, f"{prefix}quantity": "2", f"{prefix}tax": "0"}
        rows |= {f"{prefix}discount": "0", f"{prefix}position": str(index + 1)}
    values = live(signed_in, "invoice", customer=str(make("customer").pk), **rows).json()["values"]
    assert (values["total"], values["balance"]) == ("£31.00", "£31.00")
    rows |= {"invoice_line_invoice_set-1-DELETE": "on"}
    assert live(signed_in, "invoice", **rows).json()["values"]["total"] == "£20.00"
    assert not model("invoice").objects.exists()


def test_what_is_half_typed_or_wrong_is_no_error(signed_in):
    booking = make("booking", seats=2, unit_price=Decimal(100))
    answer = live(signed_in, "booking", booking, discount="1x", seats="")
    assert answer.status_code == 200 and "total" in answer.json()["values"]


@pytest.mark.django_db(transaction=True)
def test_what_is_typed_into_a_form_that_is_older_than_the_record_is_computed_too():
    """In no transaction, as requests are in the wild; that the record was changed is told when the form is saved."""
    booking, client = make("booking", seats=2, unit_price=Decimal(100)), client_of(person(is_superuser=True))
    data = form_data(client.get(address("booking", "change", booking.pk)), "booking_form")
    save(client, "booking", booking, wishes="A window seat")
    answer = client.post(address("booking", "live", booking.pk), {**data, "seats": "3"})
    assert answer.json()["values"]["total"] == "£300.00"


def test_only_who_may_write_is_answered(signed_in):
    booking = make("booking")
    guide = client_of("guide")
    for url in (address("booking", "live", booking.pk), address("booking", "live_new")):
        assert guide.post(url, {"discount": "200"}).status_code == 403
        assert client_of("").post(url, {}).status_code == 403
        assert signed_in.get(url).status_code == 405
    assert signed_in.post(address("booking", "live", 999_999), {}).status_code == 404


def test_the_page_is_marked_for_the_script_only_where_something_depends_on_it(signed_in):
    assert 'id="crm-live-url"' in signed_in.get(address("booking", "add")).content.decode()
    assert 'id="crm-live-url"' not in signed_in.get(address("note", "add")).content.decode()


def test_a_closed_field_is_shown_and_not_asked_for(signed_in, monkeypatch):
    customers = model("customer").definition
    check = read_expression("credit_limit > 0", customers)
    monkeypatch.setitem(customers.rules.showing, "payment_terms", Showing(read_only_if=check))
    customer = make("customer", payment_terms=14, credit_limit=Decimal(10))
    page = signed_in.get(address("customer", "change", customer.pk))
    assert "payment_terms" not in form_data(page, "customer_form")
    url = address("customer", "change", customer.pk)
    assert fill_in(signed_in, url, "customer_form", payment_terms="30").status_code == 302
    assert fresh(customer).payment_terms == 14
