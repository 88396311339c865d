"""The rules of the business, met by the people who work under them, in a browser: one story for each."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.support.browser import sign_in, window

pytestmark = pytest.mark.starts(3)

SCENE = """
import json
from datetime import date, timedelta
from decimal import Decimal
from django.apps import apps
from django.contrib.auth import get_user_model
travel = apps.get_app_config("travel")
def make(entity, /, **given):
    return apps.get_model("travel", travel.business.entities[entity].class_name).objects.create(**given)
def days(number):
    return date.today() + timedelta(days=number)
people = {one.username: one for one in get_user_model().objects.all()}
trip = make("trip", code="STORY", name="Story", country="PT", start_date=days(60), end_date=days(70), price=500, status="selling")
ada = make("customer", name="Ada Story", email="ada@story.example")
firm = make("customer", name="Story Works", email="works@story.example", kind="company", credit_limit=500)
booking = make("booking", customer=ada, trip=trip, seats=1, unit_price=500)
passenger = make("passenger", booking=booking, first_name="Ada", last_name="Story")
line = dict(quantity=2, price=100, tax=20, discount=10)
def invoice(customer, due, status="draft", **line):
    found = make("invoice", customer=customer, issued_on=days(-40), due_on=days(due))
    make("invoice_line", invoice=found, position=1, description="Tour", **{"quantity": 1, "price": 100, "tax": 0, "discount": 0, **line})
    type(found)._base_manager.filter(pk=found.pk).update(status=status)
    return found
summed = invoice(ada, 30, quantity=2, price=Decimal("100"), tax=20, discount=10)
late, early = invoice(ada, -1, "sent"), invoice(ada, 1, "sent")
owed, more = invoice(firm, 30, "sent", price=400), invoice(firm, 30, price=150)
refunded = invoice(ada, 30, "sent", price=80)
payment = make("payment", invoice=refunded, amount=80)
mine = make("enquiry", name="Mine Story", phone="+44 20 7946 0001", assigned_to=people["telecaller"])
other = make("enquiry", name="Other Story", phone="+44 20 7946 0002", assigned_to=people["sales"])
print(json.dumps({key: value.pk for key, value in globals().copy().items() if hasattr(value, "definition") and hasattr(value, "pk")}))
"""


@pytest.fixture(scope="module")
def scene(office, tmp_path_factory):
    """Records for the stories, each by the key that it has in the script."""
    path = tmp_path_factory.mktemp("scene") / "scene.py"
    path.write_text(SCENE, encoding="utf-8")
    return json.loads(office.place.run_script(path).decode().strip().splitlines()[-1])


@pytest.fixture
def go(office):
    """Open a page of the admin: `go(page, "booking", 5)`."""

    def to(page, *words):
        found = page.goto(f"{office.url}/admin/travel/{'/'.join(map(str, words))}/")
        assert found.status < 500
        return found.status

    return to


@contextmanager
def signed_in_as(role, browser, office):
    page = window(browser)
    sign_in(page, office.url, role, office.password)
    yield page
    page.context.close()


def save(page):
    page.get_by_role("button", name="Save and continue editing").click()


def act(page, name, comment=""):
    """Take an action of the workflow, with its question answered where there is one."""
    button = (
        page.locator(".crm-acts")
        .get_by_role("link", name=name)
        .or_(page.locator(".crm-acts").get_by_role("button", name=name))
    )
    button.click()
    page.wait_for_load_state()
    form = page.locator("#workflow_form")
    if form.count():
        if comment:
            form.locator("[name=comment]").fill(comment)
        form.get_by_role("button", name=name).click()
        page.wait_for_load_state()


def shown(page, name):
    """The place where a form shows a computed field."""
    return page.locator(f"[data-shown={name}]").first


def test_totals_follow_the_typing_and_are_what_is_saved(page, office, scene, go):
    """2 × £100 less 10 % is £180, with 20 % tax £216; each line is rounded half up to the penny before it is summed."""
    go(page, "invoice", scene["summed"], "change")
    expect(shown(page, "total")).to_have_text("£216.00")
    price = page.locator("[name=invoice_line_invoice_set-0-price]")
    price.fill("33.33")
    page.locator("[name=invoice_line_invoice_set-0-quantity]").fill("3")
    price.focus()
    expect(shown(page, "total")).to_have_text("£107.99")
    save(page)
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    expect(shown(page, "net")).to_have_text("£89.99")
    expect(shown(page, "tax")).to_have_text("£18.00")
    expect(shown(page, "total")).to_have_text("£107.99")

    page.goto(f"{office.url}/admin/travel/payment/add/?invoice={scene['summed']}")
    page.get_by_label("Amount").fill("200")
    save(page)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    go(page, "invoice", scene["summed"], "change")
    act(page, "Send")
    expect(page.get_by_text(re.compile("More would be paid than the invoice is for: £107.99")).first).to_be_visible()


def test_a_passenger_without_an_emergency_contact_is_not_confirmed(page, scene, go):
    """TRV-05."""
    go(page, "booking", scene["booking"], "change")
    act(page, "Confirm")
    expect(page.get_by_text("A booking is confirmed once every passenger has an emergency contact.")).to_be_visible()
    go(page, "booking", scene["booking"], "change")
    page.get_by_role("tab", name="Passengers").click()
    page.locator("[name=passenger_booking_set-0-emergency_name]").fill("Ben Story")
    page.locator("[name=passenger_booking_set-0-emergency_phone]").fill("020 7946 0018")
    save(page)
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    act(page, "Confirm")
    expect(page.get_by_text("A booking is confirmed once")).to_have_count(0)
    go(page, "booking", scene["booking"], "change")
    page.get_by_role("tab", name="Booking", exact=True).click()
    expect(page.locator(".crm-badge", has_text="Confirmed").first).to_be_visible()


def test_a_passport_that_expires_before_the_return_is_flagged(page, scene, go):
    """TRV-16."""
    go(page, "passenger", scene["passenger"], "change")
    expires = page.get_by_label("Passport expires", exact=True)
    flag = shown(page, "passport_short")
    for days, said in ((65, "Yes"), (75, "No")):
        expires.fill((date.today() + timedelta(days=days)).isoformat())
        page.get_by_label("Passport number").focus()
        expect(flag).to_contain_text(said)
    expires.fill((date.today() + timedelta(days=65)).isoformat())
    save(page)
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    go(page, "passenger", "?passport_short=true&q=Story#")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_an_invoice_beyond_the_credit_limit_is_refused_with_the_limit(page, scene, go):
    """PAY-01."""
    go(page, "invoice", scene["more"], "change")
    act(page, "Send")
    expect(page.get_by_text("Story Works may owe £500.00 at most.").first).to_be_visible()
    go(page, "invoice", scene["more"], "change")
    expect(page.locator(".crm-badge", has_text="Draft").first).to_be_visible()
    page.locator("[name=invoice_line_invoice_set-0-price]").fill("100")
    save(page)
    act(page, "Send")
    go(page, "invoice", scene["more"], "change")
    expect(page.locator(".crm-badge", has_text="Sent").first).to_be_visible()


def test_what_is_overdue_is_found_by_it(page, scene, go):
    go(page, "invoice", "?overdue=true&q=Ada+Story#")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first.get_by_role("link").first).to_have_attribute("href", re.compile(f"/{scene['late']}/change/"))


def test_a_telecaller_sees_the_enquiries_that_are_assigned_and_no_others(browser, office, scene, go):
    """JWL-01."""
    with signed_in_as("telecaller", browser, office) as page:
        expect(page.get_by_role("link", name="Invoices")).to_have_count(0)
        go(page, "enquiry", "?q=Story#")
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        expect(page.locator("#result_list")).to_contain_text("Mine Story")
        assert go(page, "enquiry", scene["other"], "change") == 404
        assert go(page, "enquiry", scene["other"], "history") == 404
        assert go(page, "enquiry", scene["mine"], "change") == 200
        expect(page.locator("[name=assigned_to]")).to_have_count(0)
        act(page, "Log a call", "Would like to go in May")
        go(page, "enquiry", scene["mine"], "change")
        expect(page.locator(".crm-badge", has_text="Called").first).to_be_visible()
        expect(page.locator(".crm-acts").get_by_text("Win")).to_have_count(0)


def test_a_clerk_cannot_refund_and_a_manager_can(page, browser, office, scene, go):
    """PAY-20."""
    with signed_in_as("accounts", browser, office) as clerk:
        assert go(clerk, "payment", scene["payment"], "change") == 200
        expect(clerk.locator(".crm-acts")).to_have_count(0)
        go(clerk, "payment", scene["payment"], "act", "refund")
        expect(clerk.get_by_text("“Refund” is for the roles Manager.")).to_be_visible()
        expect(clerk.locator("[name=status], [name=comment]")).to_have_count(0)
    go(page, "payment", scene["payment"], "change")
    act(page, "Refund", "Trip was cancelled")
    go(page, "payment", scene["payment"], "change")
    expect(page.locator(".crm-badge", has_text="Refunded").first).to_be_visible()
    go(page, "invoice", scene["refunded"], "change")
    expect(shown(page, "balance")).to_have_text("£80.00")
