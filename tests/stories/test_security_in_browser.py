"""The Content Security Policy in a real browser: every screen works under it, and what is injected does not run."""

from __future__ import annotations

import pytest

from tests.stories.test_accessibility import PAINT, SCREENS
from tests.support.browser import settle, window

pytestmark = pytest.mark.starts(3)

LISTEN = """addEventListener('securitypolicyviolation', event => {
    const told = `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`;
    sessionStorage.setItem('violations', `${sessionStorage.getItem('violations') || ''}${told}\\n`);
})"""
"""Collects violations over all pages of a window; a frame within a page is a window of the same session."""


def violations_of(page):
    return page.evaluate("sessionStorage.getItem('violations') || ''")


def use_a_form(page, office, at):
    """Open pickers, calendars and tabs, and save."""
    page.goto(f"{at}/booking/2/change/")
    page.locator(".select2-selection").first.click()
    page.keyboard.press("Escape")
    for tab in page.get_by_role("tab").all():
        tab.click()
        settle(page)
    page.goto(f"{at}/trip/add/")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()


def use_the_short_form(page, office, at):
    page.goto(f"{at}/customer/1/change/")
    page.keyboard.press("Alt+n")
    frame = page.frame_locator("#crm-quick iframe")
    frame.get_by_label("Subject").fill("A call")
    frame.get_by_label("Body").fill("About the trip")
    frame.get_by_role("button", name="Save", exact=True).click()
    page.locator("#crm-quick-status", has_text="Saved: ").wait_for()


def use_a_list(page, office, at):
    """Tick a row, so that the bar of actions comes up, and search."""
    page.goto(f"{at}/customer/")
    page.locator("input.action-select").first.click()
    page.locator("#changelist-actions").wait_for(state="visible")
    page.locator("[name=action]").select_option("edit")
    page.goto(f"{at}/customer/?q=a")


def see_the_office(page, office, at):
    for path in (
        "travel/customer/export/",
        "travel/booking/help/",
        "travel/customer/987654/change/",
        "travel/trip/1/change/",
    ):
        page.goto(f"{office.url}/admin/{path}")
        settle(page)


WORK = {
    **SCREENS,
    "using a form": use_a_form,
    "using a list": use_a_list,
    "the short form": use_the_short_form,
    "other pages": see_the_office,
}


def test_every_screen_works_under_the_policy(page, office):
    page.add_init_script(LISTEN)
    at = f"{office.url}/admin/travel"
    for name, work in WORK.items():
        work(page, office, at)
        settle(page)
        assert violations_of(page) == "", name
        if "/admin/travel/" in page.url:
            color = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--color-primary-600')")
            assert color.strip(), "the colours of the business are there"
    for dark in (True, False):  # The pages are the same in both themes; what switches them is on every page.
        page.evaluate(PAINT, dark)
        settle(page)
        assert violations_of(page) == "", f"switched to {'dark' if dark else 'light'}"
    page.troubles[:] = [said for said in page.troubles if "404 (Not Found)" not in said]


INJECTIONS = {
    "an inline script": "<script>window.ran = true</script>",
    "an event handler": "<img src='/nothing.png' onerror='window.ran = true'>",
    "a script of another site": "<script src='https://evil.example/x.js'></script>",
    "a script in an address": "<iframe src='javascript:parent.ran = true'></iframe>",
    "a style": "<style>body { display: none }</style>",
    "a form to another site": "<form action='https://evil.example/' id='evil'></form>",
    "a base": "<base href='https://evil.example/'>",
}


@pytest.mark.parametrize("what", INJECTIONS)
def test_what_is_injected_into_a_page_does_nothing(browser, office, what):
    """The pages as the server sends them, with markup added on the way as a fault in escaping would."""
    assert run_injected(browser, office, INJECTIONS[what], lift_policy=False) == [False, True]


def test_the_page_of_signing_in_works_under_the_policy(browser, office):
    assert run_injected(browser, office, "", lift_policy=False) == [False, False]


def test_without_the_policy_what_is_injected_runs(browser, office):
    """The negative control: the injections above are such as a browser runs."""
    assert run_injected(browser, office, INJECTIONS["an inline script"], lift_policy=True) == [True, False]
    assert run_injected(browser, office, INJECTIONS["an event handler"], lift_policy=True) == [True, False]


def run_injected(browser, office, markup, lift_policy):
    """Return whether an injected script ran, and whether the browser told a violation."""
    page = window(browser)
    page.add_init_script(LISTEN)

    def inject(route):
        answer = route.fetch()
        headers = {
            key: text for key, text in answer.headers.items() if key != "content-security-policy" or not lift_policy
        }
        route.fulfill(response=answer, headers=headers, body=answer.text().replace("</body>", f"{markup}</body>"))

    page.route("**/admin/login/", inject)
    page.goto(f"{office.url}/admin/login/")
    page.evaluate("document.getElementById('evil')?.submit()")
    settle(page)
    ran = page.evaluate("window.ran === true || getComputedStyle(document.body).display === 'none'")
    told = [bool(ran), violations_of(page) != ""]
    page.context.close()
    return told
