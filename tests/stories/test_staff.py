"""Staff at work: from signing in to a change in a record's story, and a whole booking by the keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.starts(3)


def test_from_the_home_page_to_a_change_in_the_story(page, office):
    page.goto(f"{office.url}/admin/")
    expect(page).to_have_title(re.compile("Wayfarer Group Travel"))
    page.get_by_role("link", name="Customers", exact=True).first.click()
    page.wait_for_url(f"{office.url}/admin/travel/customer/")

    page.locator('input[name="q"]').fill("ltd")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q=ltd"))
    page.locator("a, button").filter(has_text="Filters").first.click()
    kind = page.locator("#changelist-filter select[name=kind]")
    kind.select_option("company", force=True)
    page.locator("#changelist-filter").get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile(r"kind=company"))
    assert "q=ltd" in page.url, "a filter keeps the search"
    rows = page.locator("#result_list tbody tr")
    assert rows.count() >= 1
    for index in range(rows.count()):
        expect(rows.nth(index)).to_contain_text("Company")

    first = rows.first.locator("th a, td a").first
    name = first.inner_text().strip()
    first.click()
    page.wait_for_url(re.compile(r"/customer/\d+/change/"))
    page.get_by_role("tab", name="Business").click()
    page.get_by_label("Payment terms (days)").fill("45")
    page.get_by_label("Reason for the change").fill("Agreed on the phone")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()

    page.get_by_role("tab", name="Timeline").click()
    story = page.locator(".crm-timeline")
    expect(story).to_contain_text("“Agreed on the phone”")
    newest = story.locator("li").first
    expect(newest).to_contain_text("manager")
    expect(newest.locator("dt")).to_have_text(["Payment terms (days)"])
    expect(newest.locator("ins")).to_have_text(["45"])
    page.reload()
    expect(page.get_by_role("tab", name="Timeline")).to_have_attribute("aria-selected", "true")
    assert name in page.title() or name in page.locator("body").inner_text()


def test_a_booking_with_three_passengers_by_the_keyboard_alone(page, office):
    """Nothing is clicked: every input is reached with Tab, every choice made by typing."""
    page.goto(f"{office.url}/admin/travel/booking/add/")
    keyboard = Keyboard(page)
    keyboard.go("Customer")
    keyboard.choose("a")
    keyboard.go("Trip")
    keyboard.choose("a")
    keyboard.go("Party size")
    page.keyboard.press("Control+a")
    page.keyboard.type("3")
    keyboard.go("Price per person")
    page.keyboard.type("1250")

    keyboard.go_back_to_tabs()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Passengers")).to_be_focused()
    for number, name in enumerate(("Ada", "Ben", "Cem")):
        keyboard.go_to(f"passenger_booking_set-{number}-first_name")
        page.keyboard.type(name)
        keyboard.go_to(f"passenger_booking_set-{number}-last_name")
        page.keyboard.type("Okafor")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{office.url}/admin/travel/booking/")
    expect(page.get_by_text("was added successfully")).to_be_visible()

    link = page.get_by_role("link", name=re.compile(r"B-\d{4}-\d{5}")).first
    page.goto(office.url + link.get_attribute("href"))
    page.get_by_role("tab", name="Passengers").click()
    for number, name in enumerate(("Ada", "Ben", "Cem")):
        expect(page.locator(f"[name=passenger_booking_set-{number}-first_name]")).to_have_value(name)


def test_filters_are_opened_and_used_by_the_keyboard_alone(page, office):
    page.goto(f"{office.url}/admin/travel/booking/")
    keyboard = Keyboard(page)
    keyboard.go_to_text("Filters")
    page.keyboard.press("Enter")
    expect(page.locator("#changelist-filter :focus")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Filters", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    keyboard.go_to("seats_min")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"seats_min=4"))
    expect(page.locator("#result_list tbody tr").first).to_be_visible()


def test_the_menu_beside_a_picker_opens_and_closes_by_the_keyboard(page, office):
    page.goto(f"{office.url}/admin/travel/booking/2/change/")
    menu = page.locator(".field-customer").get_by_role("button", name="Add, change or see")
    Keyboard(page).go("Customer")
    page.keyboard.press("Tab")
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Change selected customer")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Add another customer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()


def test_a_double_click_saves_once(page, office):
    page.goto(f"{office.url}/admin/travel/task/add/")
    page.locator("[name=name]").fill("Ring the coach firm, once")
    page.get_by_role("button", name="Save", exact=True).dblclick()
    page.wait_for_url(f"{office.url}/admin/travel/task/")
    page.goto(f"{office.url}/admin/travel/task/?q=coach+firm,+once")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_what_was_typed_is_not_left_without_a_question(page, office):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"{office.url}/admin/travel/task/add/")
    page.goto(f"{office.url}/admin/travel/task/add/")
    assert asked == [], "nothing was typed"
    page.locator("[name=name]").fill("Not saved yet")
    page.goto(f"{office.url}/admin/travel/task/")
    assert asked == ["beforeunload"]
    page.goto(f"{office.url}/admin/travel/task/add/")
    page.locator("[name=name]").fill("Saved")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"{office.url}/admin/travel/task/")
    assert asked == ["beforeunload"], "saving is no leaving"


class Keyboard:
    """Someone without a mouse."""

    def __init__(self, page):
        self.page = page

    def go(self, label: str) -> None:
        """Press Tab until the input with this label has the focus."""
        script = """label => { const at = document.activeElement; if (!at) return false;
            const named = at.closest('.field-line'); const text = named && named.querySelector('label');
            return !!text && text.textContent.replace('*', '').trim() === label && at.matches('input,select,textarea,.select2-selection') }"""
        self._press("Tab", lambda: self.page.evaluate(script, label), label)

    def go_to(self, name: str) -> None:
        """Press Tab until the input with this name has the focus."""
        self._press("Tab", lambda: self.page.evaluate("() => document.activeElement.name || ''") == name, name)

    def go_to_text(self, text: str) -> None:
        """Press Tab until a button or link with this text has the focus."""
        script = "text => document.activeElement !== document.body && document.activeElement.innerText.includes(text)"
        self._press("Tab", lambda: self.page.evaluate(script, text), text)

    def go_back_to_tabs(self) -> None:
        """Press Shift and Tab until a tab of the form has the focus."""
        role = "() => document.activeElement.getAttribute('role') || ''"
        self._press("Shift+Tab", lambda: self.page.evaluate(role) == "tab", "the tabs")

    def choose(self, typed: str) -> None:
        """Open the list of the picker that has the focus, type, and take the first that is found."""
        self.page.keyboard.press("Enter")
        self.page.locator(".select2-search__field").last.wait_for()
        self.page.keyboard.type(typed)
        self.page.locator(".select2-results__option--highlighted").wait_for()
        self.page.wait_for_function("() => !document.querySelector('.select2-results__option.loading-results')")
        self.page.keyboard.press("Enter")

    def _press(self, key: str, found, what: str) -> None:
        for _ in range(80):
            if found():
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{what!r} was not reached in 80 presses of {key}")
