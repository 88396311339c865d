"""Rules hold for every way in: nothing of a write that breaks one stays, and it is said which, beside its field."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from crm.blueprint.expressions.parser import read_expression
from crm.blueprint.rules import Rule, Showing
from crm.blueprint.text import parse_template
from crm.capabilities.history.revert import revert_record
from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.runs import import_file, undo_run
from crm.records.computed_updates import defer_recompute
from crm.records.dependencies import dependency_graph
from crm.records.rules import NOT_ASKED_MESSAGE, READ_ONLY_MESSAGE, RuleBroken
from crm.records.writes import write_records
from tests.support.pages import bring_back, said
from tests.support.records import business, entity, make, model

pytestmark = pytest.mark.django_db
EARLY, LATE = date(2041, 3, 1), date(2041, 4, 1)
CONTACTS = "A booking is confirmed once every passenger has an emergency contact."
LIMIT = "Ada may owe £100.00 at most."
BACKWARDS = "A trip cannot end before it starts."


def count(name: str) -> int:
    return model(name).objects.count()


def fresh(record):
    return type(record).objects.get(pk=record.pk)


@pytest.fixture
def trip():
    return make("trip", code="T1", start_date=EARLY, end_date=LATE)


def owing(customer, amount, **more):
    """Make an invoice of an amount: with a line, and sent."""
    invoice = make("invoice", customer=customer, **more)
    make("invoice_line", invoice=invoice, price=Decimal(amount), tax=0)
    invoice.refresh_from_db()
    invoice.status = "sent"
    invoice.save()
    return invoice


# Ways in


def test_a_record_at_hand_is_told_beside_the_field(trip):
    trip.end_date = date(2041, 2, 1)
    with pytest.raises(ValidationError) as told:
        trip.full_clean()
    assert told.value.message_dict == {"end_date": [BACKWARDS]}


def test_saving_is_refused_and_leaves_everything_as_it_was(trip):
    versions = trip.history.count()
    trip.end_date = date(2041, 2, 1)
    with pytest.raises(RuleBroken, match=BACKWARDS) as broken:
        trip.save()
    assert broken.value.record == trip and broken.value.rule.field == "end_date"
    assert fresh(trip).end_date == LATE and trip.history.count() == versions
    with pytest.raises(RuleBroken):
        make("trip", start_date=LATE, end_date=EARLY)
    assert count("trip") == 1


def test_many_rows_at_once_are_all_refused_for_one(trip):
    other = make("trip", start_date=EARLY, end_date=LATE)
    trip.name, other.end_date = "Changed", date(2041, 2, 1)
    with pytest.raises(RuleBroken):
        write_records(model("trip"), updated=[trip, other], columns=["name", "end_date"])
    with pytest.raises(RuleBroken):
        model("trip").objects.update(start_date=date(2042, 1, 1))
    assert fresh(trip).name != "Changed" and fresh(other).start_date == EARLY


def test_a_booking_is_held_against_its_passengers_whichever_is_written():
    booking = make("booking", seats=3, status="confirmed")
    with pytest.raises(RuleBroken, match=CONTACTS) as broken:
        make("passenger", booking=booking)
    assert broken.value.record == booking
    assert count("passenger") == 0
    known = make("passenger", booking=booking, emergency_name="Bo", emergency_phone="+442079460018")
    for change in ({"emergency_name": ""}, {"emergency_phone": ""}):
        with pytest.raises(RuleBroken):
            model("passenger").objects.filter(pk=known.pk).update(**change)
    draft = make("booking", seats=3)
    lost = make("passenger", booking=draft)
    lost.booking = booking
    with pytest.raises(RuleBroken):
        lost.save()
    assert fresh(lost).booking == draft


def test_the_deletion_of_a_child_is_refused_where_its_parent_would_break_a_rule():
    invoice = owing(make("customer"), 50)
    make("payment", invoice=invoice, amount=Decimal(50))
    lines = model("invoice_line").objects
    for gone in (lambda: lines.all().delete(), lambda: lines.get().delete()):
        with pytest.raises(RuleBroken, match="More would be paid than the invoice is for"):
            gone()
    assert count("invoice_line") == 1 and fresh(invoice).total == Decimal(50)


def test_a_chain_of_computed_values_that_ends_in_a_rule_is_refused_at_its_start():
    """A payment that is taken back lets the invoice be owed again, which is more than the customer may owe."""
    customer = make("customer", name="Ada", credit_limit=Decimal(100))
    paid = owing(customer, 80)
    payment = make("payment", invoice=paid, amount=Decimal(80))
    owing(customer, 90)
    with pytest.raises(RuleBroken, match=LIMIT):
        payment.delete()
    with pytest.raises(RuleBroken, match=LIMIT):
        model("payment").objects.update(amount=Decimal(40))
    with pytest.raises(RuleBroken, match=LIMIT):
        owing(customer, 11)
    assert fresh(paid).balance == 0 and count("payment") == 1


def test_an_act_of_many_writes_is_judged_by_its_end():
    booking = make("booking", seats=3)
    passenger = make("passenger", booking=booking)
    with defer_recompute():
        booking.status = "confirmed"
        booking.save()
        passenger.emergency_name, passenger.emergency_phone = "Bo", "+442079460018"
        passenger.save()
    assert fresh(booking).status == "confirmed"
    with pytest.raises(RuleBroken), defer_recompute():
        passenger.emergency_name = ""
        passenger.save()
    assert fresh(passenger).emergency_name == "Bo"


@pytest.fixture
def unguarded():
    """Let states be written as any other field: what guards them has tests of its own."""
    held = {name: set(entity(name).guarded) for name in ("booking", "invoice")}
    for name in held:
        entity(name).guarded.clear()
    yield
    for name, fields in held.items():
        entity(name).guarded.update(fields)


def test_going_back_to_a_version_is_refused_where_that_breaks_a_rule(signed_in, unguarded):
    customer = make("customer", name="Ada", credit_limit=Decimal(100))
    first = owing(customer, 90)
    sent = first.history.first()
    first.status = "void"
    first.save()
    second = owing(customer, 90)
    with pytest.raises(RuleBroken, match=LIMIT):
        revert_record(first, sent)
    page = bring_back(signed_in, first, sent.history_id)
    assert said(page) == [f"Nothing was changed: {LIMIT}"]
    assert fresh(first).status == "void" and fresh(second).status == "sent"


def test_going_back_is_judged_when_the_rows_are_back_too(unguarded):
    """First the booking is written and then its passengers: it is confirmed a moment before their contacts are back."""
    booking = make("booking", seats=1)
    passenger = make("passenger", booking=booking, emergency_name="Bo", emergency_phone="+442079460018")
    booking.status = "confirmed"
    booking.save()
    whole = booking.history.first()
    booking.status = "draft"
    booking.save()
    passenger.emergency_name = ""
    passenger.save()
    revert_record(booking, whole)
    assert (fresh(booking).status, fresh(passenger).emergency_name) == ("confirmed", "Bo")


def test_the_undoing_of_an_import_is_refused_in_a_sentence(signed_in):
    """Undone is an import of a line that a payment was made for since."""
    invoice = make("invoice", number="INV-1")
    line = b"invoice,position,description,price,tax\nINV-1,1,Tour,50,0\n"
    run, found = import_file(entity("invoice_line"), "lines.csv", line)
    assert found.errors == []
    make("payment", invoice=invoice, amount=Decimal(50))
    invoice.refresh_from_db()
    invoice.status = "sent"
    invoice.save()
    with pytest.raises(ImportRefused, match="^Nothing was undone: INV-1 .*More would be paid than"):
        undo_run(run, None)
    run.refresh_from_db()
    assert run.status == "imported" and count("invoice_line") == 1


def test_the_rules_of_an_entity_that_nothing_is_computed_from_hold_for_update_too(monkeypatch):
    task = make("task", priority="low")
    assert not dependency_graph(business()).of_source("task"), "this test needs an entity that nothing is computed from"
    rule = Rule(read_expression("priority != 'high'", entity("task")), parse_template("No haste."))
    monkeypatch.setattr(entity("task").rules, "checks", [rule])
    with pytest.raises(RuleBroken, match="No haste."):
        model("task").objects.update(priority="high")
    assert fresh(task).priority == "low"
    assert model("task").objects.update(priority="normal") == 1


# Import


def test_all_rows_of_a_file_that_break_a_rule_are_told_with_all_rules():
    head = b"code,name,country,start_date,end_date,price\n"
    rows = [
        b"T1,One,GB,2041-03-02,2041-03-01,1\n",
        b"T2,Two,GB,2041-03-01,2041-03-02,1\n",
        b"T3,Three,GB,2041-03-02,2041-03-01,1\n",
    ]
    found = import_file(entity("trip"), "trips.csv", head + b"".join(rows))[1]
    assert found.errors == [(2, "end_date", BACKWARDS), (4, "end_date", BACKWARDS)]
    assert count("trip") == 0


def test_a_file_that_breaks_a_rule_only_together_is_refused_whole(unguarded):
    customer = make("customer", name="Ada", credit_limit=Decimal(100))
    first, second = owing(customer, 60), make("invoice", customer=customer)
    make("invoice_line", invoice=second, price=Decimal(60), tax=0)
    with pytest.raises(ImportRefused, match=rf"{second}: {LIMIT} Nothing was written."):
        import_file(entity("invoice"), "invoices.csv", f"number,status\n{second.number},sent\n".encode())
    assert fresh(second).status == "draft" and fresh(first).status == "sent"


# Fields that are asked for at times


def test_a_hidden_field_keeps_what_it_had_and_starts_empty_in_a_new_record():
    firm = make("customer", kind="company", company_number="42", vat_number="GB1")
    firm.kind, firm.company_number, firm.vat_number = "group", "43", "GB2"
    firm.full_clean()
    assert (firm.company_number, firm.vat_number) == ("42", "GB2")
    new = model("customer")(name="Ada", company_number="42")
    new.full_clean()
    assert new.company_number == ""


def test_a_value_for_a_hidden_field_is_refused_in_a_file():
    data = b"name,email,kind,company_number\nAda,a@example.org,person,42\nFirm,f@example.org,company,42\n"
    found = import_file(entity("customer"), "customers.csv", data)[1]
    assert found.errors == [(2, "company_number", NOT_ASKED_MESSAGE)]
    make("customer", email="a@example.org")
    found = import_file(entity("customer"), "c.csv", b"email,company_number\na@example.org,42\n")[1]
    assert found.errors == [(2, "company_number", NOT_ASKED_MESSAGE)]
    found = import_file(entity("customer"), "c.csv", b"email,kind,company_number\na@example.org,company,42\n")[1]
    assert found.errors == [] and model("customer").objects.get().company_number == "42"


def test_a_field_is_required_when_its_condition_says_so():
    booking = make("booking", seats=1, unit_price=Decimal(900), discount=Decimal(100))
    booking.discount = Decimal("100.01")
    with pytest.raises(ValidationError) as told:
        booking.full_clean()
    assert told.value.message_dict == {"discount_reason": ["This field is required."]}
    with pytest.raises(RuleBroken, match="required"):
        booking.save()
    head = b"number,discount,discount_reason\n"
    found = import_file(entity("booking"), "b.csv", head + f"{booking.number},200,\n".encode())[1]
    assert found.errors == [(2, "discount_reason", "This field is required.")]
    booking.discount_reason = "A regular"
    booking.full_clean()
    booking.save()


@pytest.fixture
def closed_terms(monkeypatch):
    """The payment terms of a customer with a credit limit are closed."""
    check = read_expression("credit_limit > 0", entity("customer"))
    monkeypatch.setitem(entity("customer").rules.showing, "payment_terms", Showing(read_only_if=check))


def test_a_closed_field_is_refused_by_what_was_saved_before(closed_terms):
    customer = make("customer", payment_terms=14, email="a@example.org")
    customer.payment_terms, customer.credit_limit = 30, Decimal(10)
    customer.full_clean()
    customer.save()
    customer.payment_terms, customer.credit_limit = 60, Decimal(0)
    with pytest.raises(ValidationError) as told:
        customer.full_clean()
    assert told.value.message_dict == {"payment_terms": [READ_ONLY_MESSAGE]}
    found = import_file(entity("customer"), "c.csv", b"email,payment_terms\na@example.org,60\n")[1]
    assert found.errors == [(2, "payment_terms", READ_ONLY_MESSAGE)]
    found = import_file(entity("customer"), "c.csv", b"email,payment_terms\na@example.org,30\n")[1]
    assert found.errors == []


# Values that are not there


@pytest.mark.parametrize(
    ("check", "passes"),
    [
        ("credit_limit > payment_terms", True),
        ("not (credit_limit > payment_terms)", True),
        ("credit_limit > 100 or payment_terms > 20", True),
        ("credit_limit > 100 and payment_terms > 20", False),
        ("credit_limit > 100 and payment_terms > 10", True),
        ("credit_limit != null", False),
    ],
)
def test_what_is_not_there_breaks_no_rule(monkeypatch, check, passes):
    rule = Rule(read_expression(check, entity("customer")), parse_template("No."))
    monkeypatch.setattr(entity("customer").rules, "checks", [rule])
    customer = model("customer")(name="Ada", credit_limit=None, payment_terms=14)
    for way_in in (customer.full_clean, customer.save):
        if passes:
            way_in()
        else:
            with pytest.raises(ValidationError, match="No."):
                way_in()


def test_all_rules_that_a_record_breaks_are_told_together(monkeypatch):
    rules = [Rule(read_expression(f"payment_terms < {n}", entity("customer")), parse_template(f"Not {n}."), field) for n, field in ((1, "payment_terms"), (2, "payment_terms"), (3, ""))]  # fmt: skip
    monkeypatch.setattr(entity("customer").rules, "checks", rules)
    with pytest.raises(ValidationError) as told:
        model("customer")(name="Ada").full_clean()
    assert told.value.message_dict == {"payment_terms": ["Not 1.", "Not 2."], NON_FIELD_ERRORS: ["Not 3."]}
