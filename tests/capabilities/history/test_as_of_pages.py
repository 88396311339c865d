"""The pages that show a list or a record as of a day, as staff use them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.pages import address, said, text_of
from tests.support.people import client_of
from tests.support.records import make, model

pytestmark = pytest.mark.django_db
DAY = "2026-03-05"


def age(record, day, key=None):
    """Let everything that was kept of a record so far have been written at noon of a day of March 2026."""
    date = datetime(2026, 3, day, 12, tzinfo=UTC)
    type(record).history.filter(id=key or record.pk, history_date__gt=datetime(2026, 4, 1, tzinfo=UTC)).update(
        history_date=date
    )


def changed(record, day, **values):
    for name, value in values.items():
        setattr(record, name, value)
    record.save()
    age(record, day)


def aged(name, day, /, **given):
    record = make(name, **given)
    age(record, day)
    return record


def list_page(client, name, on=DAY, **more):
    return client.get(address(name, "list_as_of"), {"on": on, **more})


def record_page(client, record, on=DAY):
    return client.get(address(record.definition.name, "record_as_of", record.pk), {"on": on})


def table_of(page):
    """Return the rows of the table, each as the text of its cells."""
    return [[str(cell) for cell in cells] for _, cells in page.context["rows"]]


# A list


def test_a_list_shows_the_values_of_then(signed_in):
    customer = aged("customer", 1, name="Ada")
    changed(customer, 10, name="Ada Okafor")
    aged("customer", 7, name="Later")
    page = list_page(signed_in, "customer")
    assert "Customers as of 5 March 2026" in text_of(page) and "1 customer was there" in text_of(page)
    assert "Ada" in text_of(page) and "Okafor" not in text_of(page)
    assert "Ada Okafor" in text_of(list_page(signed_in, "customer", "2026-03-10"))


def test_a_day_counts_until_its_end_where_the_business_is(signed_in):
    customer, here = make("customer"), timezone.get_default_timezone()
    for hour, minute, count in ((23, 59, 1), (24, 1, 0)):
        moment = datetime(2026, 3, 5, tzinfo=here) + timedelta(hours=hour, minutes=minute)
        model("customer").history.filter(id=customer.pk).update(history_date=moment)
        assert list_page(signed_in, "customer").context["page"].paginator.count == count


def test_the_filters_and_the_words_of_the_list_go_along(signed_in):
    first, second = aged("customer", 1, name="Ada"), aged("customer", 1, name="Ben")
    for customer, seats in ((first, 1), (second, 2), (second, 3)):
        age(make("booking", customer=customer, seats=seats), 2)
    page = list_page(signed_in, "booking", customer=second.pk)
    assert page.context["page"].paginator.count == 2
    assert f'name="customer" value="{second.pk}"' in page.content.decode(), "the next day is asked with them"
    assert f"customer={second.pk}" in page.context["back"], "and so is the list of now"
    assert list_page(signed_in, "booking", seats_min="3").context["page"].paginator.count == 1
    assert list_page(signed_in, "booking", q="ada").context["page"].paginator.count == 1
    assert list_page(signed_in, "booking", q="ada ben").context["page"].paginator.count == 0
    assert list_page(signed_in, "booking", status="draft").context["page"].paginator.count == 3
    assert "Nothing like this was there" in text_of(list_page(signed_in, "booking", status="confirmed"))


def test_a_filter_that_the_past_cannot_answer_and_columns_that_it_does_not_know_are_named(signed_in):
    age(make("invoice"), 2)
    page = text_of(list_page(signed_in, "invoice", overdue="true"))
    assert "The past cannot be filtered by Overdue: that filter is left out." in page
    assert "Not kept in the history, and so not shown: Overdue." in page
    assert "1 invoice was there" in page


def test_a_wrong_value_in_a_filter_is_told_and_shows_nothing(signed_in):
    aged("booking", 2)
    page = list_page(signed_in, "booking", customer="x")
    assert page.status_code == 200 and page.context["page"].paginator.count == 0
    assert any("Filter Customer" in one for one in said(page))


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("", "Choose a day."),
        ("tomorrow", "Enter a valid date."),
        ("2999-01-01", "This day is still to come."),
        ("0001-01-01", "Nothing was kept then."),
        ("2026-02-30", "Enter a valid date."),
    ],
)
def test_a_day_that_is_none_is_told_beside_its_input(signed_in, day, told):
    customer = make("customer")
    for page in (list_page(signed_in, "customer", day), record_page(signed_in, customer, day)):
        assert page.status_code == 200 and told in text_of(page)
        assert 'aria-describedby="on_error"' in page.content.decode()


def test_without_a_day_the_page_asks_for_one(signed_in):
    assert "Choose a day to see the customers" in text_of(signed_in.get(address("customer", "list_as_of")))
    customer = make("customer")
    asked = signed_in.get(address("customer", "record_as_of", customer.pk))
    assert "Choose a day to see this record" in text_of(asked)


def test_today_is_now(signed_in):
    make("customer", name="Just now")
    assert "Just now" in text_of(list_page(signed_in, "customer", timezone.localdate().isoformat()))


def test_pages_are_turned_with_the_day_and_the_filters(signed_in, monkeypatch):
    for _ in range(3):
        age(make("booking", seats=2), 2)
    monkeypatch.setattr(type(site.get_model_admin(model("booking"))), "list_per_page", 2)
    page = list_page(signed_in, "booking", seats_min="1")
    assert len(table_of(page)) == 2 and "Page 1 of 2" in text_of(page)
    assert "on=2026-03-05" in page.context["here"] and "seats_min=1" in page.context["here"]
    assert len(table_of(list_page(signed_in, "booking", p="2"))) == 1
    assert len(table_of(list_page(signed_in, "booking", p="nine"))) == 2, "an address that is made up shows a page"


def test_the_list_leads_there_with_its_filters(signed_in):
    page = signed_in.get(address("booking"), {"status": "draft"})
    assert f"{address('booking', 'list_as_of')}?status=draft" in page.content.decode()


# A record


def test_a_record_is_shown_with_its_rows_and_with_what_it_linked_to_then(signed_in):
    customer = aged("customer", 1, name="Ada")
    invoice = aged("invoice", 2, customer=customer, terms="Soon")
    kept = make("invoice_line", invoice=invoice, description="Tour", quantity=2, price=Decimal(10), tax=0, discount=0)
    gone = make("invoice_line", invoice=invoice, description="Meal", quantity=1, price=Decimal(5), tax=0, discount=0)
    for one in (kept, gone, invoice):
        age(one, 3)
    changed(customer, 9, name="Ada Okafor")
    key = gone.pk
    gone.delete()
    age(gone, 9, key)
    changed(kept, 9, description="Grand tour", price=Decimal(99))
    age(invoice, 9)
    page = record_page(signed_in, invoice)
    text = text_of(page)
    assert "Ada as of 5 March 2026" in text and "Soon" in text
    assert "Tour" in text and "Meal" in text and "£25.00" in text
    assert "Grand" not in text and "£198.00" not in text
    url = f"{address('customer', 'record_as_of', customer.pk)}?on={DAY}"
    assert f'href="{url}"' in page.content.decode(), "links lead on into the past"
    later = text_of(record_page(signed_in, invoice, "2026-03-10"))
    assert "Grand tour" in later and "Meal" not in later and "£198.00" in later


def test_a_record_that_was_not_there_yet_says_so(signed_in):
    customer = aged("customer", 10)
    page = record_page(signed_in, customer)
    assert page.status_code == 200 and "It was not there on that day" in text_of(page)


def test_a_deleted_record_is_shown_as_it_was(signed_in):
    note = aged("note", 2)
    url = address("note", "record_as_of", note.pk)
    note.delete()
    assert "It has been deleted since." in text_of(signed_in.get(url, {"on": DAY}))
    assert signed_in.get(url, {"on": timezone.localdate().isoformat()}).status_code == 404
    assert url in list_page(signed_in, "note").content.decode()


@pytest.mark.parametrize("key", ["999999", "x", "9" * 30, "1_2F"])
def test_what_was_never_there_is_not_found(signed_in, key):
    assert signed_in.get(address("customer", "record_as_of", key), {"on": DAY}).status_code == 404
    assert signed_in.get(address("customer", "record_as_of", key)).status_code == 404


def test_the_history_asks_for_a_day(signed_in):
    customer = make("customer")
    page = signed_in.get(address("customer", "history", customer.pk)).content.decode()
    assert f'action="{address("customer", "record_as_of", customer.pk)}"' in page


# Who sees it


def test_hidden_fields_and_records_stay_hidden_in_the_past():
    seen, other, was_draft = (make("booking", unit_price=Decimal("77.77"), seats=2) for _ in range(3))
    for one in (seen, other):
        changed(one, 2, status="confirmed")
    age(was_draft, 2)
    changed(was_draft, 9, status="confirmed")
    changed(other, 9, status="cancelled")
    guide = client_of("guide")
    page = list_page(guide, "booking")
    assert [url for url, _ in page.context["rows"]] == [f"{address('booking', 'record_as_of', seen.pk)}?on={DAY}"]
    assert "77.77" not in text_of(page) and "155.54" not in text_of(page)
    assert "1 booking was there." in text_of(page), "the others are not even counted"
    assert "77.77" not in text_of(record_page(guide, seen)) and record_page(guide, seen).status_code == 200
    assert record_page(guide, other).status_code == 404
    assert "It was not there on that day" in text_of(record_page(guide, was_draft))
    for page in (list_page(guide, "invoice"), record_page(guide, make("invoice"))):
        assert page.status_code == 403


def test_filters_that_a_user_does_not_see_do_not_tell_anything():
    booking = make("booking", unit_price=Decimal("77.77"))
    changed(booking, 2, status="confirmed")
    guide = client_of("guide")
    for price in ("1", "1000"):
        assert list_page(guide, "booking", unit_price_min=price).context["page"].paginator.count == 1


def test_a_page_of_the_past_costs_the_same_queries_for_many_rows_as_for_few(signed_in):
    def count():
        with CaptureQueriesContext(connection) as caught:
            assert list_page(signed_in, "booking").status_code == 200
        return len(caught)

    age(make("booking"), 2)
    count()
    few = count()
    for _ in range(10):
        age(make("booking"), 2)
    assert count() == few
