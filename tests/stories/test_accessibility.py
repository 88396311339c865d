"""Every screen through axe-core, on a desktop and a phone, light and dark: nothing serious, nothing critical."""

from __future__ import annotations

import pytest

from tests.stories.test_import import MENDED, WRONG, upload
from tests.support.browser import NARROW, WIDE, settle

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (requirements-dev.txt)")

pytestmark = pytest.mark.starts(3)

OTHERS = {
    "select2-selection__rendered": ("list", "select2, of Django's own admin, gives its entries other roles"),
    "sortremove": ("target-size", "Unfold's small signs in the headings of a list; the heading itself is large"),
    'title="Toggle sorting"': ("target-size", "the same"),
    'id="searchbar-submit"': ("target-size", "Unfold's search button; Enter does the same"),
}
"""What is not of our making: a part of the element's markup, the rule that it breaks, and the reason to let it be."""
BAD = {"serious", "critical"}
PAINT = """async dark => { document.documentElement.classList.toggle('dark', dark);
    await Promise.all(document.getAnimations().map(one => one.finished.catch(() => null))) }"""
"""Changes the theme as the switch in the corner does, and waits until the colours have faded over."""
FOR_EARS_ALONE = """() => [...document.querySelectorAll('.sr-only')].filter(one => one.offsetWidth > 1)
    .map(one => one.outerHTML)"""
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def open_filters(page, at):
    page.goto(f"{at}/booking/?status=held&seats_min=4")
    page.locator("a, button").filter(has_text="Filters").first.click()


def open_tab(page, url, name):
    page.goto(url)
    page.get_by_role("tab", name=name).click()
    settle(page)


def open_add_with_errors(page, at):
    page.goto(f"{at}/customer/add/")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()


SCREENS = {
    "home": lambda page, office, at: page.goto(f"{office.url}/admin/"),
    "list": lambda page, office, at: page.goto(f"{at}/note/?pinned=true"),
    "filters": lambda page, office, at: open_filters(page, at),
    "form": lambda page, office, at: page.goto(f"{at}/booking/2/change/"),
    "rows": lambda page, office, at: open_tab(page, f"{at}/trip/1/change/", "Flights"),
    "related": lambda page, office, at: open_tab(page, f"{at}/customer/1/change/", "Bookings"),
    "errors": lambda page, office, at: open_add_with_errors(page, at),
    "history": lambda page, office, at: page.goto(f"{at}/customer/1/history/"),
    "import": lambda page, office, at: page.goto(f"{at}/customer/import/"),
    "import preview": lambda page, office, at: upload(page, office, "mended.csv", MENDED),
    "import errors": lambda page, office, at: upload(page, office, "wrong.csv", WRONG),
}


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_has_no_serious_violation(page, office, screen):
    SCREENS[screen](page, office, f"{office.url}/admin/travel")
    page.wait_for_load_state()
    found = set()
    for width in (WIDE, NARROW):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(PAINT, scheme == "dark")
            for one in axe.Axe().run(page, options=RULES).response["violations"]:
                found |= {f"{one['id']} ({width} {scheme}): {node['html'][:200]}" for node in serious(one)}
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"the page is wider than {width}"
            assert page.evaluate(FOR_EARS_ALONE) == [], "what is there for screen readers alone is seen"
    assert not found, "\n".join(sorted(found))


def serious(violation):
    """Return the elements that break a rule badly, and that are ours."""
    if violation["impact"] not in BAD:
        return []
    excused = [part for part, (rule, _) in OTHERS.items() if rule == violation["id"]]
    return [node for node in violation["nodes"] if not any(part in node["html"] for part in excused)]
