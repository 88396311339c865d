"""Secret values stand in every field and record that a role may not see; the role visits everything, and reads none.

With the access layer off, the same visit finds them: the crawler would notice.
"""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from crm.records import access
from tests.access.crawler import PREFIX, crawl
from tests.support.granting import grant
from tests.support.people import client_of, person
from tests.support.records import business, entity, make, model

SECRET = re.compile(rf"{PREFIX}\d\d|98,?765\.4")
NUMBER = Decimal("98765.43")
GRANTS = {
    "guide": {
        "customer": {"view": {"rows": "newsletter", "except": ["email", "phone", "address", "credit_limit"]}},
        "booking": {"view": {"rows": "status == 'confirmed'", "except": ["wishes", "discount_reason", "passengers"]}},
        "invoice": {},
        "payment": {"view": True, "export": True, "import": True, "add": True},
        "task": {"view": {"rows": "assignee == user"}, "change": {"only": ["status"]}, "export": True, "import": True},
        "note": {"view": {"except": ["body"]}},
    },
    "sales": {
        "customer": {"view": {"rows": "owner == user"}, "change": True, "add": True, "export": True, "import": True},
        "booking": {
            "view": {"rows": "customer.owner == user", "except": ["wishes"]},
            "change": {"except": ["wishes"]},
            "add": {"except": ["wishes"]},
            "delete": {"rows": "sold_by == user"},
            "export": True,
            "import": True,
        },
        "trip": {"view": {"except": ["summary"]}, "export": True, "change": {"only": ["name"]}},
        "hotel": {"view": {"rows": "name == 'Open'"}},
    },
}
PARENTS = {"invoice_line": "invoice", "passenger": "booking"}


def tell(record, names, number):
    """Put secrets into fields of a record, and keep them in its history, too."""
    for leaf in record.definition.leaves:
        if leaf.name in names and leaf.stored and not leaf.read_only:
            if leaf.type.kind == "text" and leaf.type.filter != "choice" and not leaf.type.sets_on_save:
                setattr(record, leaf.name, f"{PREFIX}{number:02}")
            elif leaf.type.kind == "number" and leaf.type.places(leaf) == 2:
                setattr(record, leaf.name, NUMBER)
    record.save()


def seen_fields(user, name):
    return {leaf.name for leaf in entity(name).leaves if access.can_view_field(user, leaf)}


@pytest.fixture
def office(monkeypatch, db):
    """Return a function that gives a role its grants, and fills the office: the user, and the hidden records."""

    def fill(role):
        grant(monkeypatch, role, **GRANTS[role])
        user = person(role)
        mine = make("customer", full=True, name="Ada", newsletter=True, owner=user)
        theirs = make("customer", full=True, name="Ben", newsletter=False, owner=None, email="ben@example.com")
        made = {"customer": [mine, theirs]}
        open_hotel = make("hotel", full=True, name="Open")
        made["hotel"] = [open_hotel, make("hotel", full=True, name="Closed")]
        trip = make("trip", full=True, code="T1", price=1)
        made["trip"] = [trip]
        made["booking"] = [
            make("booking", full=True, customer=customer, trip=trip, status=status, unit_price=1, discount=0)
            for customer, status in ((mine, "confirmed"), (theirs, "confirmed"), (mine, "draft"), (theirs, "draft"))
        ]
        made["passenger"] = [make("passenger", full=True, booking=one) for one in made["booking"]]
        made["invoice"] = [make("invoice", full=True, customer=one.customer, booking=one) for one in made["booking"]]
        made["payment"] = [make("payment", full=True, invoice=one) for one in made["invoice"]]
        made["task"] = [
            make("task", full=True, customer=one.customer, booking=one, assignee=who)
            for one in made["booking"]
            for who in (user, None)
        ]
        made["note"] = [make("note", full=True, customer=customer) for customer in (mine, theirs)]
        made["stay"] = [make("stay", full=True, trip=trip, hotel=hotel) for hotel in made["hotel"]]
        hidden, number = [], 10
        for name, records in made.items():
            rows = set(access.visible_rows(user, model(name)).values_list("pk", flat=True))
            seen = seen_fields(user, name)
            for record in records:
                number += 1
                record.refresh_from_db()
                every = {leaf.name for leaf in entity(name).leaves}
                tell(record, every - seen if record.pk in rows else every, number)
                hidden += [] if record.pk in rows else [record]
        return user, hidden

    return fill


def hits(pages):
    return {url: found.group() for url, text in pages.items() if (found := SECRET.search(text))}


@pytest.mark.parametrize("role", GRANTS)
def test_no_surface_tells_a_secret(office, role):
    user, hidden = office(role)
    assert hidden
    pages = crawl(user, hidden)
    assert len(pages) > 500
    print(role, len(pages), "pages")
    assert hits(pages) == {}


def test_the_crawler_finds_them_with_the_layer_off(office, monkeypatch):
    user, hidden = office("guide")
    monkeypatch.setattr(access, "grants", lambda *_: [access.EVERYTHING])
    found = hits(crawl(user, hidden, entities=("customer", "booking"), most=300))
    for part in ("/export/", "/history/", "/autocomplete/", "?q=", "/panel/", "/change/", "?o=", "import", "edit"):
        assert any(part in url for url in found), part


def test_what_a_search_finds_tells_nothing(office):
    user, hidden = office("sales")
    client = client_of(user)
    seen = [name for name in business().entities if access.has_perm(user, "view", model(name))]
    assert {"booking", "customer"} <= set(seen)
    for name in seen:
        url = f"/admin/travel/{model(name)._meta.model_name}/"
        counts = [client.get(url, {"q": term}).context["cl"].result_count for term in (PREFIX, "Nowhere")]
        assert counts[0] == counts[1], name
