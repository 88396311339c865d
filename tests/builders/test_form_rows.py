"""How many rows a form takes: as many as the table allows and can be shown, the rest on further pages of the form."""

from __future__ import annotations

import time

import pytest

from crm.builders.child_rows import Rows
from crm.builders.row_forms import MAX_NEW_ROWS, ROWS_PER_PAGE, SHOWN_BEYOND_LIMIT
from tests.support.pages import address, form_data, save, text_of
from tests.support.records import make, model


def total_of(data):
    return next(key for key in data if key.endswith("TOTAL_FORMS"))


def post_form(client, name, record, **changes):
    """Send a record's form with other management fields; return the answer and the processor time of it."""
    url = address(name, "change", record.pk)
    data = form_data(client.get(url), f"{model(name)._meta.model_name}_form")
    named = {total_of(data).replace("TOTAL", key): value for key, value in changes.items()}
    start = time.process_time()
    answer = client.post(url, {**data, **named})
    return answer, time.process_time() - start


@pytest.mark.parametrize("sent", ["2001", "999999999999", str(MAX_NEW_ROWS + 1), "9" * 4_000])
@pytest.mark.parametrize("initial", ["0", "2000"])
def test_more_rows_than_a_form_takes_are_refused_before_they_are_built(signed_in, sent, initial):
    invoice = make("invoice")
    answer, took = post_form(signed_in, "invoice", invoice, TOTAL=sent, INITIAL=initial)
    assert answer.status_code == 200 and took < 2 and len(answer.content) < 500_000
    told = [str(one) for inline in answer.context["inline_admin_formsets"] for one in inline.formset.non_form_errors()]
    assert told and "rows were sent; add 60 at a time. Nothing was saved." in told[0], (told, answer.context["errors"])


def test_more_rows_than_the_parent_allows_are_refused_before_they_are_built(signed_in):
    booking = make("booking", seats=3)
    answer, _ = post_form(signed_in, "booking", booking, TOTAL=str(3 + SHOWN_BEYOND_LIMIT + 1))
    assert "14 rows were sent, but party size is 3. Nothing was saved." in text_of(answer)


def test_rows_may_be_replaced_though_the_table_is_full(signed_in):
    booking = make("booking", seats=2)
    rows = [make("passenger", booking=booking, first_name=name) for name in ("Ada", "Ben")]
    url = address("booking", "change", booking.pk)
    data = form_data(signed_in.get(url), "booking_form")
    prefix = total_of(data).removesuffix("-TOTAL_FORMS")
    fresh = {key.replace("-1-", "-2-"): value for key, value in data.items() if key.startswith(f"{prefix}-1-")}
    fresh |= {f"{prefix}-2-id": "", f"{prefix}-2-first_name": "Cem"}
    sent = {**data, **fresh, f"{prefix}-TOTAL_FORMS": "3", f"{prefix}-0-DELETE": "on"}
    assert signed_in.post(url, sent).status_code == 302
    assert sorted(row.first_name for row in model("passenger").objects.all()) == ["Ben", "Cem"]
    assert rows[0].pk not in model("passenger").objects.values_list("pk", flat=True)


@pytest.fixture
def long_invoice(db):
    invoice = make("invoice")
    for number in range(1, ROWS_PER_PAGE + 6):
        make("invoice_line", invoice=invoice, description=f"line {number}", position=number, quantity=1, price=1)
    return invoice


def test_many_rows_are_shown_a_page_at_a_time_and_saved_so(signed_in, long_invoice):
    url, lines = address("invoice", "change", long_invoice.pk), model("invoice_line").objects
    pages = [signed_in.get(f"{url}?invoice_line_invoice_set-page={number}") for number in (1, 2)]
    data = [form_data(page, "invoice_form") for page in pages]
    prefix = total_of(data[1]).removesuffix("-TOTAL_FORMS")
    assert [one[f"{prefix}-INITIAL_FORMS"] for one in data] == [[str(ROWS_PER_PAGE)], ["5"]]
    assert f'href="?{prefix}-page=2"' in pages[0].content.decode()
    sent = {**data[1], f"{prefix}-3-description": "Another", "change_reason": "x"}
    assert signed_in.post(url, sent).status_code == 302
    assert lines.filter(invoice=long_invoice).count() == ROWS_PER_PAGE + 5
    assert lines.get(description="Another").position == ROWS_PER_PAGE + 4


def test_the_limit_counts_the_rows_of_other_pages(signed_in, monkeypatch):
    monkeypatch.setattr(Rows, "per_page", 2)
    booking = make("booking", seats=5)
    for name in "ABCDE":
        make("passenger", booking=booking, first_name=name)
    page = save(signed_in, "booking", booking, seats="4")
    assert "5 passengers, but party size is 4" in text_of(page)


def test_live_values_count_the_rows_of_other_pages(signed_in, long_invoice):
    data = form_data(signed_in.get(address("invoice", "change", long_invoice.pk)), "invoice_form")
    state = signed_in.post(address("invoice", "live", long_invoice.pk), data).json()
    assert state["values"]["net"] == f"£{ROWS_PER_PAGE + 5}.00"
