"""Pages on a phone and on a desktop, measured: nothing is wider than its box, cut off, or covered."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.stories.test_security_in_browser import LISTEN, violations_of
from tests.support.browser import NARROW, WIDE, settle

pytestmark = pytest.mark.starts(3)

TOO_WIDE = """() => [...document.querySelectorAll('.formset-wrapper, .formset-wrapper .simplebar-content-wrapper')]
    .filter(box => box.scrollWidth > box.clientWidth).map(box => `${box.scrollWidth} in ${box.clientWidth}`)"""
CUT_OFF = """title => title.scrollWidth > title.clientWidth || title.scrollHeight > title.clientHeight + 1"""
FLOATING = """() => [...document.querySelectorAll('#main *')].filter(one => one.offsetWidth
    && getComputedStyle(one).position === 'fixed').map(one => one.outerHTML.slice(0, 80))"""
PREFIX = 'id="id_passenger_booking_set-__prefix__-nationality"'


@pytest.fixture(params=[NARROW, WIDE])
def width(request, page):
    page.set_viewport_size({"width": request.param, "height": 844})
    return request.param


def open_rows(page, url, name):
    page.goto(url)
    page.get_by_role("tab", name=name).click()
    page.locator("a.add-row:visible").click()
    settle(page)


@pytest.mark.parametrize("name", ["Flights", "Hotels"])
def test_rows_of_a_form_fit_into_their_box(page, office, width, name):
    open_rows(page, f"{office.url}/admin/travel/trip/1/change/", name)
    assert page.evaluate(TOO_WIDE) == []


def test_a_record_is_read_in_full(page, office, width):
    """Its title; its values, which the button of the short form does not cover; why a button is of no use now."""
    page.goto(f"{office.url}/admin/travel/booking/1/change/")
    title = page.locator("h1 .truncate").last
    expect(title).to_contain_text("Barbara Lonsdale")
    assert not title.evaluate(CUT_OFF)
    expect(page.locator("[data-quick]").first).to_be_visible()
    assert page.evaluate(FLOATING) == []
    button = page.get_by_role("button", name="Confirm")
    reason = page.locator(f"#{button.get_attribute('aria-describedby')}")
    expect(reason).to_have_text("Fill in first: Passengers.")
    assert reason.bounding_box()["width"] > 100 and reason.bounding_box()["y"] > button.bounding_box()["y"]


def test_the_filters_are_closed_by_a_button(page, office, width):
    page.goto(f"{office.url}/admin/travel/booking/")
    opener = page.get_by_role("button", name="Filters", exact=True)
    opener.click()
    panel = page.locator("#changelist-filter")
    expect(panel.get_by_role("heading", name="Filters")).to_be_visible()
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    expect(opener).to_be_focused()


@pytest.mark.parametrize("marks", ["", "data-tags='true' "], ids=["choice", "tags"])
def test_an_added_row_has_pickers_of_its_own(page, office, marks):
    """A choice among many, and tags that can be made up, where the row is copied from one that nobody sees."""
    page.add_init_script(LISTEN)
    url = f"{office.url}/admin/travel/booking/1/change/"

    def mark(route):
        answer = route.fetch()
        assert PREFIX in answer.text()
        route.fulfill(response=answer, body=answer.text().replace(PREFIX, f"{marks}{PREFIX}"))

    page.route(url, mark)
    open_rows(page, url, "Passengers")
    field = page.locator(".field-nationality:visible").last
    expect(field.locator(".select2-container")).to_have_count(1)
    field.locator(".select2-selection").click()
    page.keyboard.type("Portug")
    page.keyboard.press("Enter")
    expect(field).to_contain_text(re.compile("Portugal"))
    assert violations_of(page) == ""
