"""What lists ask of the database: no DISTINCT, lean counts, the shown columns alone, and the same rows all the same."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.builders import rows as rows_module
from crm.records import access
from tests.support.pages import address, rows_of
from tests.support.people import client_of, person
from tests.support.records import business, make, model

DISTINCT = re.compile(r"\b(?:SELECT|COUNT\() ?DISTINCT\b")
ENTITIES = sorted(business().entities)
ROLES = ("guide", "sales", "telecaller")
"""Rules for rows and for fields, neither, and rules for rows of one's own."""


def sql_of(client, url):
    with CaptureQueriesContext(connection) as caught:
        page = client.get(url)
    assert page.status_code == 200, url
    return page, [query["sql"] for query in caught]


def queries_of_list(client, name, query=""):
    """Return the page of a list, the query of its rows, and that of their count."""
    page, asked = sql_of(client, address(name) + query)
    table = f'FROM "{model(name)._meta.db_table}"'
    counts = [sql for sql in asked if sql.startswith("SELECT COUNT(") and table in sql]
    lists = [sql for sql in asked if table in sql and "ORDER BY" in sql]
    assert len(counts) == 1 and len(lists) == 1, asked
    return page, lists[0], counts[0]


def columns_of(sql):
    """Return the columns that a query selects, as `table_or_alias.column`."""
    return {".".join(pair) for pair in re.findall(r'"(\w+)"\."(\w+)"', sql.split(" FROM ")[0])}


def filled_in(name, label):
    """Return a query string that narrows a list by one of its filters, with a value of the filter's kind."""
    panel = next(one for one in admin_of(name).list_filter if one.name == label)
    parameters, kind = panel.expected_parameters(), panel.filterset_class.base_filters[label]
    if len(parameters) == 2:
        value = "2020-01-01" if parameters[0].endswith("_after") else "0"
        return f"?{parameters[0]}={value}"
    form = panel.filterset_class(data={}, queryset=model(name).objects.all()).form
    field = form.fields[label]
    if hasattr(field, "queryset"):
        target = kind.extra["queryset"].args[0]
        return f"?{label}={target._default_manager.values_list('pk', flat=True).first() or 1}"
    choices = [value for value, _ in getattr(field, "choices", ()) if value]
    return f"?{label}={choices[0] if choices else 'a'}"


def admin_of(name):
    from django.contrib import admin

    return admin.site._registry[model(name)]


@pytest.mark.parametrize("name", ENTITIES)
def test_no_filter_makes_a_list_distinct_and_counts_are_lean(signed_in, name):
    make(name, full=True)
    own = f'"{model(name)._meta.db_table}"'
    assert admin_of(name).list_filter
    for panel in admin_of(name).list_filter:
        _, listed, counted = queries_of_list(signed_in, name, filled_in(name, panel.name))
        assert not DISTINCT.search(listed) and not DISTINCT.search(counted), panel.name
        assert "ORDER BY" not in counted and "GROUP BY" not in counted, panel.name
        assert counted.startswith(f'SELECT COUNT(*) AS "__count" FROM {own}'), counted
        if "__" not in panel.name:
            assert " JOIN " not in counted.split("EXISTS")[0], counted


@pytest.mark.django_db
def test_filters_of_many_to_many_fields_are_semi_joins(signed_in):
    customer = make("customer", full=True)
    tag = customer.tags.get()
    _, listed, counted = queries_of_list(signed_in, "customer", f"?tags={tag.pk}")
    assert "EXISTS" in listed and "EXISTS" in counted


def test_a_list_reads_the_columns_that_it_shows(signed_in):
    make("booking", full=True)
    page, listed, _ = queries_of_list(signed_in, "booking")
    columns = columns_of(listed)
    assert {one for one in columns if one.startswith("travel_booking.")} >= {
        f"travel_booking.{name}" for name in ("id", "number", "customer_id", "trip_id", "seats", "total", "status")
    }
    unread = {"travel_booking.wishes", "travel_booking.extras", "travel_booking.updated", "travel_booking.sold_by_id"}
    assert not columns & unread
    assert {one for one in columns if one.startswith("travel_customer.")} <= {
        f"travel_customer.{name}" for name in ("id", "name", "deleted_at")
    }
    assert "travel_trip.summary" not in columns and "travel_trip.start_date" in columns


def test_people_are_read_by_name_alone(signed_in):
    """In the rows, and in the filters that offer the staff."""
    customer = make("customer", full=True)
    _, asked = sql_of(signed_in, address("customer") + f"?owner={customer.owner_id}")
    about_people = [sql for sql in asked[2:] if '"crm_user"' in sql]
    assert len(about_people) >= 2 and not [sql for sql in about_people if "password" in sql]


@pytest.mark.parametrize("role", ["", *ROLES])
def test_deferred_columns_cost_no_query_a_row(db, monkeypatch, role):
    """As everybody: titles, row-level rules and parents of rows are read along, whatever a role may see."""
    user = person(role, is_superuser=not role)
    client = client_of(user)
    seen = [name for name in ENTITIES if access.has_perm(user, "view", model(name))]
    assert seen
    for name in seen:
        for _ in range(5):
            make(name, full=True, **visible(name, user))
        counts = {}
        for size in (2, 5):
            monkeypatch.setattr(admin_of(name), "list_per_page", size)
            page, asked = sql_of(client, address(name) + "?o=1")
            counts[len(rows_of(page))] = len(asked)
        assert set(counts) == {2, 5} and counts[2] == counts[5], (name, role, counts)


def visible(name, user):
    """Return the values by which a role with row-level rules sees a record."""
    if name == "enquiry":
        return {"assigned_to": user}
    if name == "booking":
        return {"status": "confirmed"}
    return {"booking": make("booking", status="confirmed")} if name == "passenger" else {}


def test_a_column_left_out_would_be_noticed(db, monkeypatch):
    """The control: without the columns of a title, each row asks for them."""
    monkeypatch.setattr(rows_module, "title_columns", lambda *_: {"id"})
    monkeypatch.setattr(rows_module, "chain_columns", lambda chain: {chain[0].name})
    user = person(is_superuser=True)
    counts = []
    for _ in range(2):
        make("booking")
        make("booking")
        counts.append(len(sql_of(client_of(user), address("booking"))[1]))
    assert counts[0] < counts[1]


def test_hidden_columns_are_not_read(db):
    make("booking", full=True, status="confirmed")
    _, listed, _ = queries_of_list(client_of("guide"), "booking")
    assert not columns_of(listed) & {"travel_booking.total", "travel_booking.balance", "travel_booking.unit_price"}


# The same rows as with DISTINCT


DAYS = st.integers(0, 20).map(lambda days: date(2026, 1, 1) + timedelta(days=days))


class SameRows(TestCase):
    """Any filters give the rows, each once, that joins and DISTINCT give."""

    @classmethod
    def setUpTestData(cls):
        cls.user = get_user_model()._default_manager.create_superuser("root")
        tags = apps.get_model("crm", "Tag")._default_manager
        cls.tags = [tags.create(scope="travel.customer.tags", name=name) for name in "abc"]
        cls.customers = [
            make("customer", name=f"C{n}", tags=[tag for bit, tag in enumerate(cls.tags) if n >> bit & 1],
                 kind=("person", "company")[n % 2], newsletter=n % 3 == 0, address_country=("GB", "FR")[n // 4])
            for n in range(8)
        ]  # fmt: skip
        cls.trips = [make("trip", code=f"T{n}", name=f"Trip {n}") for n in range(2)]
        for n in range(12):
            make(
                "booking",
                customer=cls.customers[n % 8],
                trip=cls.trips[n % 2],
                seats=n % 5 + 1,
                status=("draft", "held", "confirmed", "cancelled")[n % 4],
                unit_price=Decimal(100 * n),
                booked_on=date(2026, 1, 1) + timedelta(days=n * 2),
            )

    def shown(self, name, query):
        self.client.force_login(self.user)
        page = self.client.get(address(name), query)
        assert page.context["cl"].result_count == len(rows_of(page))
        return sorted(record.pk for record in rows_of(page))

    @settings(max_examples=40)
    @given(
        tags=st.sets(st.integers(0, 2)),
        kinds=st.sets(st.sampled_from(["person", "company"])),
        countries=st.sets(st.sampled_from(["GB", "FR"])),
        newsletter=st.sampled_from(["", "true", "false"]),
    )
    def test_customers(self, tags, kinds, countries, newsletter):
        expected = model("customer").objects.all()
        keys = [self.tags[index].pk for index in tags]
        for name, values in (("tags", keys), ("kind", kinds), ("address_country", countries)):
            if values:
                wanted = Q()
                for value in values:
                    wanted |= Q(**{name: value})
                expected = expected.filter(wanted).distinct()
        if newsletter:
            expected = expected.filter(newsletter=newsletter == "true")
        query = {"tags": keys, "kind": sorted(kinds), "address_country": sorted(countries), "newsletter": newsletter}
        assert self.shown("customer", query) == sorted(expected.values_list("pk", flat=True))

    @settings(max_examples=40)
    @given(
        customers=st.sets(st.integers(0, 7), max_size=3),
        trips=st.sets(st.integers(0, 1)),
        statuses=st.sets(st.sampled_from(["draft", "held", "confirmed"])),
        seats=st.tuples(st.none() | st.integers(0, 6), st.none() | st.integers(0, 6)),
        days=st.tuples(st.none() | DAYS, st.none() | DAYS),
    )
    def test_bookings(self, customers, trips, statuses, seats, days):
        expected = model("booking").objects.all()
        query = {
            "customer": [self.customers[index].pk for index in customers],
            "trip": [self.trips[index].pk for index in trips],
            "status": sorted(statuses),
        }
        for name, values in query.items():
            if values:
                wanted = Q()
                for value in values:
                    wanted |= Q(**{name: value})
                expected = expected.filter(wanted).distinct()
        for name, suffixes, bounds in (("seats", "min max", seats), ("booked_on", "after before", days)):
            for suffix, lookup, bound in zip(suffixes.split(), ("gte", "lte"), bounds, strict=True):
                if bound is not None:
                    expected = expected.filter(**{f"{name}__{lookup}": bound}).distinct()
                    query[f"{name}_{suffix}"] = str(bound)
        assert self.shown("booking", query) == sorted(expected.values_list("pk", flat=True))
