"""A file goes in: with errors, all of them are listed; mended, every change is shown first; then it is undone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.starts(3)

HEADINGS = "name,kind,email,phone,address_country\n"
WRONG = HEADINGS + (
    "Ada Okafor,person,ada.okafor@,+442079460018,GB\n"
    "Ben Kaya,alien,ben.kaya@example.org,12,TR\n"
    ",person,cem.kaya@example.org,,Nowhere\n"
)
MENDED = HEADINGS + (
    "Ada Okafor,person,ada.okafor@example.org,+442079460018,GB\n"
    "Ben Kaya,group,ben.kaya@example.org,,TR\n"
    "Cem Kaya,person,cem.kaya@example.org,,TR\n"
)


def upload(page, office, name, text):
    page.goto(f"{office.url}/admin/travel/customer/import/")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Preview").click()


def test_errors_then_a_preview_then_the_records_then_as_before(page, office):
    customers = f"{office.url}/admin/travel/customer/"
    page.goto(customers)
    page.get_by_role("link", name="Import").first.click()
    expect(page).to_have_url(f"{customers}import/")

    upload(page, office, "wrong.csv", WRONG)
    errors = page.locator("table", has=page.get_by_role("columnheader", name="What is wrong")).locator("tbody tr")
    expect(errors).to_have_count(5)
    told = [" ".join(row.inner_text().split()) for row in errors.all()]
    assert sorted(tuple(row.split()[:2]) for row in told) == [
        ("2", "email"),
        ("3", "kind"),
        ("3", "phone"),
        ("4", "address_country"),
        ("4", "name"),
    ]
    expect(page.get_by_text("Nothing can be imported yet")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=False).filter(has_text="rows")).to_have_count(0)

    upload(page, office, "mended.csv", MENDED)
    expect(page.locator(".crm-counts")).to_contain_text("3 new")
    preview = page.locator("table").last
    for word in ("Ada Okafor", "Ben Kaya", "cem.kaya@example.org", "Group"):
        expect(preview).to_contain_text(word)
    page.goto(f"{customers}?q=Kaya")
    expect(page.locator("#result_list")).to_have_count(0)

    page.go_back()
    page.get_by_label("Why?", exact=False).fill("From the fair")
    page.get_by_role("button", name="Import 3 rows").click()
    expect(page.get_by_text("3 added, 0 updated, 0 unchanged.")).to_be_visible()
    run = page.url
    page.goto(f"{customers}?q=Kaya")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.locator("#result_list tbody tr a").first.click()
    page.get_by_role("tab", name="Timeline").click()
    expect(page.locator(".crm-timeline li").first).to_contain_text("“From the fair”")

    page.goto(run)
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text("3 removed, 0 as they were before.").first).to_be_visible()
    page.goto(f"{customers}?q=Kaya")
    expect(page.locator("#result_list tbody tr")).to_have_count(0)
