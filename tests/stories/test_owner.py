"""The owner adds a field to a file, sees the plan, applies it, and finds it everywhere, in a server that never stopped."""

from __future__ import annotations

import csv
import io
import re
import time

import pytest
from playwright.sync_api import Error, expect

from tests.support.browser import sign_in, window
from tests.support.server import Office, serving
from tests.support.workplace import copied

pytestmark = pytest.mark.starts(4)

FIELD = """  loyalty:
    type: choice
    label: Loyalty
    default: none
    choices: {none: None yet, silver: {label: Silver, color: gray}, gold: {label: Gold, color: orange}}
"""
A_MINUTE = 60


@pytest.fixture
def business(closed_office, tmp_path):
    """The owner's copy of the travel business, served."""
    made, password = closed_office
    with copied(made, tmp_path) as place, serving(place) as url:
        yield Office(place, url, password)


def add_the_field(folder):
    path = folder / "customer.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("fields:\n", f"fields:\n{FIELD}", 1).replace(
        "columns: [name, kind,", "columns: [name, kind, loyalty,", 1
    )
    path.write_text(text, encoding="utf-8")


def serves(page, url, word):
    """Say whether a page has a word by now; a development server that is just starting anew refuses connections.

    It is asked beside the window and not in it, so that whatever the window itself cannot load is still a trouble.
    """
    try:
        answer = page.context.request.get(url)
        return answer.ok and word in answer.text()
    except Error:
        return False


def test_a_new_field_is_everywhere_within_a_minute(browser, business):
    page = window(browser)
    sign_in(page, business.url, "manager", business.password)
    customers = f"{business.url}/admin/travel/customer/"
    page.goto(customers)
    expect(page.locator("#result_list thead")).not_to_contain_text("Loyalty")

    add_the_field(business.place.folder)
    said = business.place.run("plan", expect=2).stdout.decode()
    assert "loyalty" in said and "customer" in said
    page.reload()
    expect(page.locator("#result_list thead")).not_to_contain_text("Loyalty")
    business.place.run("apply", "--yes")
    applied = time.monotonic()
    while not serves(page, customers, "Loyalty"):
        assert time.monotonic() - applied < A_MINUTE, "the running server does not serve the new field"
        time.sleep(1)

    page.goto(customers)
    expect(page.locator("#result_list thead")).to_contain_text("Loyalty")
    badge = page.locator("#result_list .crm-badge", has_text="None yet").first
    expect(badge).to_be_visible()
    page.locator("#result_list tbody tr a").first.click()
    page.get_by_label("Loyalty").select_option("gold")
    page.get_by_label("Reason for the change").fill("Ten trips")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("tab", name="Timeline").click()
    newest = page.locator(".crm-timeline li").first
    expect(newest).to_contain_text("“Ten trips”")
    expect(newest.locator("dt")).to_have_text(["Loyalty"])
    expect(newest.locator("del")).to_have_text(["None yet"])
    expect(newest.locator("ins")).to_have_text(["Gold"])

    page.goto(f"{customers}?loyalty=gold")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first.locator(".crm-badge.crm-orange")).to_have_text("Gold")
    exported = page.context.request.get(f"{customers}export/?loyalty=gold&format=csv").text()
    assert [row["loyalty"] for row in csv.DictReader(io.StringIO(exported))] == ["gold"]
    assert re.search(r"no changes|nothing|no change", business.place.run("plan").stdout.decode(), re.IGNORECASE)
    page.context.close()
    assert page.troubles == []
