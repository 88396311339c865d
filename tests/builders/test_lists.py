"""Lists: a constant number of queries, filters that narrow rightly, search and order, and the export's same rows."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.builders.filter_fields import MAX_KEYS
from crm.builders.filters import MAX_VALUES
from crm.kernel.contributions import Kind
from tests.support.pages import address, rows_of, said, text_of
from tests.support.people import client_of
from tests.support.records import business, entity, make, make_many, model

ENTITIES = sorted(business().entities)


def queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


def listed(client, name, query):
    page = client.get(address(name) + query)
    assert page.status_code == 200, query
    return {str(one) for one in rows_of(page)}


# Queries


@pytest.mark.parametrize("name", ENTITIES)
def test_a_list_takes_as_many_queries_for_50_rows_as_for_5(signed_in, name):
    make_many(name, 5)
    few = queries(signed_in, address(name))
    make_many(name, 45)
    assert len(rows_of(signed_in.get(address(name)))) == 50
    assert queries(signed_in, address(name)) == few


@pytest.mark.parametrize("name", ENTITIES)
def test_an_export_takes_as_many_queries_for_20_rows_as_for_5(signed_in, name):
    make_many(name, 5)
    few = queries(signed_in, address(name, "export") + "?format=csv")
    make_many(name, 15)
    assert queries(signed_in, address(name, "export") + "?format=csv") == few


def test_a_panel_of_related_records_takes_a_constant_number_of_queries(signed_in):
    customer = make("customer")
    url = address("customer", "panel", customer.pk, "task")
    make_many("task", 2, customer=customer)
    few = queries(signed_in, url)
    make_many("task", 8, customer=customer)
    assert queries(signed_in, url) == few


def test_the_home_page_takes_a_constant_number_of_queries(signed_in):
    for name in ENTITIES:
        make(name, full=True)
    few = queries(signed_in, reverse("admin:index"))
    for name in ENTITIES:
        make(name, full=True)
    assert queries(signed_in, reverse("admin:index")) == few


def test_a_query_a_row_would_be_noticed(signed_in, monkeypatch):
    """The control: with a column's join left out, the same count does depend on the rows."""
    monkeypatch.setattr("crm.builders.list_page.shown_rows", lambda rows, *_: rows.select_related(None))
    for _ in range(2):
        make("booking")
    few = queries(signed_in, address("booking"))
    for _ in range(8):
        make("booking")
    assert queries(signed_in, address("booking")) > few


def test_an_autocomplete_takes_a_constant_number_of_queries(signed_in):
    """A booking's title holds its customer's name: the answers must not ask for each."""
    url = autocomplete("invoice", "booking")
    for _ in range(2):
        make("booking")
    few = queries(signed_in, url)
    for _ in range(8):
        make("booking")
    assert queries(signed_in, url) == few


# Filters


@pytest.fixture
def bookings(db):
    """Three bookings that differ in everything that the list can be filtered by."""
    rome, kyoto = make("trip", code="ROME", name="Rome"), make("trip", code="KYO", name="Kyoto")
    ada, ben = make("customer", name="Ada", email="ada@example.org"), make("customer", name="Ben", email="ben@x.org")
    sam = get_user_model()._default_manager.create(username="sam", is_staff=True)
    shared = {"number": "A", "customer": ada, "trip": rome, "seats": 1, "unit_price": Decimal(100)}
    make("booking", **shared, status="draft", booked_on=date(2026, 1, 1), sold_by=sam)
    shared = {"number": "B", "customer": ben, "trip": rome, "seats": 4, "unit_price": Decimal(250)}
    make("booking", **shared, status="held", booked_on=date(2026, 1, 31))
    shared = {"number": "C", "customer": ben, "trip": kyoto, "seats": 9, "unit_price": Decimal("999.99")}
    make("booking", **shared, status="confirmed", booked_on=date(2026, 3, 1))
    return {"rome": rome.pk, "ada": ada.pk, "ben": ben.pk, "sam": sam.pk}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "ABC"),
        ("?status=draft", "A"),
        ("?status=draft&status=held", "AB"),
        ("?trip={rome}", "AB"),
        ("?trip={rome}&customer={ben}", "B"),
        ("?customer={ada}&customer={ben}", "ABC"),
        ("?sold_by={sam}", "A"),
        ("?booked_on_after=2026-01-31", "BC"),
        ("?booked_on_before=2026-01-31", "AB"),
        ("?booked_on_after=2026-01-02&booked_on_before=2026-02-28", "B"),
        ("?seats_min=4", "BC"),
        ("?seats_max=4", "AB"),
        ("?seats_min=2&seats_max=8", "B"),
        ("?unit_price_min=100.01", "BC"),
        ("?unit_price_max=999.99", "ABC"),
        ("?unit_price_max=999.98", "AB"),
        ("?status=confirmed&trip={rome}", ""),
        ("?seats_min=999999999999999999999999", ""),
        ("?q=ben", "BC"),
        ("?q=kyo", "C"),
        ("?q=ADA%40example", "A"),
        ("?q=nobody", ""),
        ("?q=ben&status=held", "B"),
    ],
)
def test_filters_and_search_narrow_the_rows(signed_in, bookings, query, found):
    page = signed_in.get(address("booking") + query.format(**bookings))
    assert {one.number for one in rows_of(page)} == set(found)
    assert not said(page)


@pytest.mark.parametrize(
    ("query", "filter_label"),
    [
        ("?booked_on_after=31.13.2026", "Booked on"),
        ("?booked_on_before=2026-02-30", "Booked on"),
        ("?seats_min=many", "Party size"),
        ("?status=nonsense", "Status"),
        ("?customer=987654", "Customer"),
        ("?trip=x", "Trip"),
        ("?trip=999999999999999999999999", "Trip"),
    ],
)
def test_a_filter_that_cannot_be_read_says_so_and_shows_no_rows(signed_in, bookings, query, filter_label):
    page = signed_in.get(address("booking") + query)
    assert page.status_code == 200
    assert rows_of(page) == []
    assert any(one.startswith(f"Filter {filter_label}: ") for one in said(page)), said(page)


@pytest.mark.parametrize(
    "query",
    [
        "?customer__name__startswith=9",
        "?customer__email=x",
        "?id__in=1,2",
        "?sold_by__password__startswith=p",
        "?nope=1",
    ],
)
def test_no_other_lookup_is_taken_from_the_address(signed_in, bookings, query):
    assert signed_in.get(address("booking") + query).status_code == 400


def test_filters_of_yes_and_no_of_tags_countries_and_moments(signed_in):
    asia, beach = (
        apps.get_model("crm", "Tag")._default_manager.create(scope="travel.customer.tags", name=one)
        for one in ("asia", "beach")
    )
    make("customer", name="Ada", email="a@x.org", newsletter=True, address_country="GB", tags=[asia])
    make("customer", name="Ben", email="b@x.org", address_country="FR", address_city="Lyon", tags=[asia, beach])
    make("customer", name="Cem", email="c@x.org", kind="company")
    assert listed(signed_in, "customer", "?newsletter=true") == {"Ada"}
    assert listed(signed_in, "customer", "?newsletter=false") == {"Ben", "Cem"}
    assert listed(signed_in, "customer", "?newsletter=") == {"Ada", "Ben", "Cem"}
    assert listed(signed_in, "customer", f"?tags={asia.pk}") == {"Ada", "Ben"}
    assert listed(signed_in, "customer", f"?tags={asia.pk}&tags={beach.pk}") == {"Ada", "Ben"}
    assert len(rows_of(signed_in.get(address("customer") + f"?tags={asia.pk}&tags={beach.pk}"))) == 2
    assert listed(signed_in, "customer", "?address_country=FR") == {"Ben"}
    assert listed(signed_in, "customer", "?address_country=FR&address_country=GB") == {"Ada", "Ben"}
    assert listed(signed_in, "customer", "?kind=company") == {"Cem"}


def test_a_day_in_a_filter_is_a_day_of_the_business(signed_in):
    """In summer London is an hour ahead of UTC: 23:30 UTC belongs to the next day."""
    customer = make("customer")
    make("note", subject="late", customer=customer, created=datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    make("note", subject="early", customer=customer, created=datetime(2026, 6, 30, 22, 30, tzinfo=UTC))
    assert listed(signed_in, "note", "?created_after=2026-07-01") == {"late"}
    assert listed(signed_in, "note", "?created_before=2026-06-30") == {"early"}


def test_filters_stay_in_the_pages_links(signed_in, bookings):
    """The links for ordering and for exporting keep what the list is filtered by."""
    html = signed_in.get(address("booking") + "?status=held&q=ben").content.decode()
    assert f"{address('booking', 'export')}?status=held&amp;q=ben" in html
    assert "status=held" in html.split("<thead")[1].split("</thead>")[0]


# Order


@pytest.mark.parametrize("name", [name for name in ENTITIES if entity(name).section.listing.columns])
def test_every_column_that_says_so_can_be_ordered_by(signed_in, name):
    """By all of them in one request: a database refuses an order for any column that it cannot order by."""
    make_many(name, 3)
    columns = entity(name).section.listing.columns
    for sign in ("", "-"):
        asked = ".".join(f"{sign}{place}" for place, _ in enumerate(columns, 1))
        page = signed_in.get(f"{address(name)}?o={asked}")
        assert page.status_code == 200 and len(rows_of(page)) == 3
        sortable = [place for place, path in enumerate(columns, 1) if entity(name).follow(path)[-1].type.sortable]
        ordered = page.context["cl"].get_ordering(page.wsgi_request, page.context["cl"].root_queryset)
        assert len(ordered) >= len(sortable) > 0, (sign, ordered)


def test_order_by_a_column_across_a_link(signed_in, bookings):
    columns = entity("booking").section.listing.columns
    up = signed_in.get(f"{address('booking')}?o={columns.index('trip.name') + 1}.{columns.index('number') + 1}")
    down = signed_in.get(f"{address('booking')}?o=-{columns.index('trip.name') + 1}.{columns.index('number') + 1}")
    assert [one.number for one in rows_of(up)] == ["C", "A", "B"]
    assert [one.number for one in rows_of(down)] == ["A", "B", "C"]
    assert [one.number for one in rows_of(signed_in.get(address("booking")))] == ["C", "B", "A"]


def test_empty_values_come_last_up_and_down(signed_in):
    for name, due in (("none", None), ("late", date(2026, 2, 1)), ("soon", date(2026, 1, 1))):
        make("task", name=name, due=due)
    place = entity("task").section.listing.columns.index("due") + 1
    first, up, down = (signed_in.get(f"{address('task')}{query}") for query in ("", f"?o={place}", f"?o=-{place}"))
    assert [one.name for one in rows_of(first)] == [one.name for one in rows_of(up)] == ["soon", "late", "none"]
    assert [one.name for one in rows_of(down)] == ["late", "soon", "none"]


@pytest.mark.django_db
def test_an_order_tells_nothing_of_hidden_values(monkeypatch):
    """Neither the order of the definitions nor that of an address goes by what the user may not see."""
    for number, price in (("A", 20), ("B", 30), ("C", 10)):
        make("booking", number=number, unit_price=price, status="confirmed", booked_on=date(2026, 1, 1))
    contributions = admin.site.get_model_admin(model("booking")).contributions
    order, by_kind = {"-unit_price": "-unit_price", "number": "number"}, type(contributions).by_kind
    patched = lambda self, kind: order if kind == Kind.ORDER else by_kind(self, kind)  # noqa: E731
    monkeypatch.setattr(type(contributions), "by_kind", patched)
    columns = entity("booking").section.listing.columns
    for query in ("", f"?o={columns.index('total') + 1}", f"?o=-{columns.index('total') + 1}"):
        page = client_of("guide").get(address("booking") + query)
        numbers = [one.number for one in rows_of(page)]
        assert numbers in (["A", "B", "C"], ["C", "B", "A"]), query
    page = client_of("manager").get(address("booking"))
    assert [one.number for one in rows_of(page)] == ["B", "A", "C"]


# The export's rows


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?status=held",
        "?status=draft&status=held&q=example",
        "?booked_on_after=2026-01-31",
        "?booked_on_after=nonsense",
        "?trip={rome}&o=1",
        "?q=ben&o=-1",
    ],
)
def test_the_export_holds_the_rows_of_the_list(signed_in, bookings, query):
    query = query.format(**bookings)
    shown = [one.number for one in rows_of(signed_in.get(address("booking") + query))]
    url = address("booking", "export") + query + ("&" if query else "?") + "format=csv"
    written = csv.DictReader(io.StringIO(signed_in.get(url).content.decode()))
    assert [row["number"] for row in written] == shown


@pytest.mark.parametrize("page", ["export", "list_as_of"])
@pytest.mark.parametrize(
    "query", ["p=0", "p=-1", "p=2", "p=99999", "p=x", "p=", "all=", "all=1&p=7", "e=1", "_popup=1"]
)
def test_a_page_that_takes_over_the_list_knows_nothing_of_its_pages(signed_in, bookings, monkeypatch, page, query):
    """The export has no pages, and a list of the past has its own."""
    monkeypatch.setattr(admin.site.get_model_admin(model("booking")), "list_per_page", 1)
    url = f"{address('booking', page)}?o=1&{query}"
    more = "&format=csv" if page == "export" else f"&on={timezone.localdate().isoformat()}"
    answer = signed_in.get(url + more)
    assert answer.status_code == 200
    assert signed_in.get(url).status_code == 200
    if page == "export":
        plain = signed_in.get(f"{address('booking', page)}?o=1{more}")
        assert answer.content == plain.content and plain.content.count(b"\n") > 1


@pytest.mark.parametrize("query", ["status=held&o=1&p=1&all=&e=1", "p=1", "all="])
def test_the_buttons_of_a_list_hand_on_what_narrows_it_and_not_its_page(signed_in, bookings, query):
    page = signed_in.get(f"{address('booking')}?{query}")
    paths = [button["path"] for button in page.context_data["actions_list"]]
    assert address("booking", "export") + ("?status=held&o=1" if "status" in query else "") in paths


def test_the_export_refuses_what_the_list_refuses(signed_in, bookings):
    query = "?customer__name__startswith=9"
    assert signed_in.get(address("booking") + query).status_code == 400
    for format in ("", "&format=csv"):
        assert signed_in.get(address("booking", "export") + query + format).status_code == 400


def test_the_selected_rows_are_exported(signed_in, bookings):
    chosen = model("booking").objects.get(number="B")
    answer = signed_in.post(address("booking"), {"action": "export", "_selected_action": [chosen.pk]})
    assert [row["number"] for row in csv.DictReader(io.StringIO(answer.content.decode()))] == ["B"]


# Cells


def test_cells_read_as_people_write(signed_in):
    make("payment", amount=Decimal("1250.5"), invoice=make("invoice", customer=make("customer", name="Ada")))
    text = text_of(signed_in.get(address("payment")))
    assert "£1,250.50" in text and "Bank transfer" in text and "Ada" in text


def test_cells_never_run_what_was_typed(signed_in):
    make(
        "customer",
        name="<script>alert(1)</script>",
        email="a@x.org",
        tags=[
            apps.get_model("crm", "Tag")._default_manager.create(
                scope="travel.customer.tags", name="<b>bold</b>", color='"><i>'
            )
        ],
    )
    html = signed_in.get(address("customer")).content.decode()
    assert "<script>alert(1)" not in html and "<b>bold" not in html and '"><i>' not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize("name", ["status", "trip", "customer", "sold_by", "seats_min", "booked_on_after"])
@pytest.mark.parametrize("page", ["changelist", "export", "list_as_of"])
def test_a_filter_takes_no_more_values_than_can_be_shown(signed_in, bookings, page, name):
    more = f"&on={timezone.localdate().isoformat()}"
    many = "&".join(f"{name}={number}" for number in range(MAX_VALUES + 1))
    answer = signed_in.get(f"{address('booking', page)}?{many}{more if page == 'list_as_of' else ''}")
    assert answer.status_code == 400 and f"A filter takes {MAX_VALUES} values at most." in text_of(answer)


def test_a_value_that_an_address_repeats_is_asked_for_once(signed_in, bookings):
    page = signed_in.get(f"{address('booking')}?{'&'.join(['status=held'] * 3000)}")
    assert page.status_code == 200 and {one.status for one in rows_of(page)} == {"held"}
    assert page.context["cl"].filter_specs[0].filterset.data.getlist("status") == ["held"]


# Autocompletes


def autocomplete(name, field, term=""):
    meta = model(name)._meta
    query = f"app_label={meta.app_label}&model_name={meta.model_name}&field_name={field}&term={term}"
    return f"{reverse('admin:autocomplete')}?{query}"


def test_an_autocomplete_finds_by_what_the_target_is_searched_by(signed_in, bookings):
    found = signed_in.get(autocomplete("invoice", "booking", "kyo")).json()["results"]
    assert [one["text"] for one in found] == ["C Ben"]


@pytest.mark.django_db
def test_an_autocomplete_is_only_for_those_who_may_see_the_target():
    make("customer")
    assert client_of("guide").get(autocomplete("booking", "customer")).status_code == 200
    assert client_of("").get(autocomplete("booking", "customer")).status_code == 404  # nothing to search by
    assert client_of("guide").get(autocomplete("booking", "sold_by")).status_code == 403
    assert client_of("guide").get(autocomplete("booking", "status")).status_code == 403


def test_a_filter_takes_so_many_records_and_no_more(signed_in):
    customers = [make("customer", email=f"{number}@example.com") for number in range(MAX_KEYS + 1)]
    make("booking", customer=customers[0])
    for count, shown in ((MAX_KEYS, 1), (MAX_KEYS + 1, 0)):
        page = signed_in.get(address("booking"), {"customer": [str(one.pk) for one in customers[:count]]})
        assert len(rows_of(page)) == shown
        assert any(f"Choose {MAX_KEYS} at most." in one for one in said(page)) is (not shown)
