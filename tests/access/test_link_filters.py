"""Filters by links and pickers offer the records that somebody may see, and name no others."""

from __future__ import annotations

import pytest
from django.urls import reverse

from crm.builders import filters
from crm.records import access
from tests.support.granting import grant
from tests.support.pages import address, rows_of, said
from tests.support.people import client_of
from tests.support.records import business, make, model

HIDDEN, SEEN = "Canary hidden", "Plainly seen"


@pytest.fixture
def guide(db, monkeypatch):
    """Somebody who sees all bookings, and of the customers those with a newsletter."""
    grant(
        monkeypatch,
        "guide",
        booking={"view": True, "add": True, "change": True},
        customer={"view": {"rows": "newsletter"}},
    )
    for name in (HIDDEN, SEEN):
        make("booking", customer=make("customer", name=name, newsletter=name == SEEN), unit_price=1)
    return client_of("guide")


def customer(name):
    return model("customer")._base_manager.get(name=name)


@pytest.mark.parametrize("guarded", [True, False])
def test_a_filter_takes_and_names_no_hidden_record(guide, monkeypatch, guarded):
    """With the guard off, the filter finds the booking of the hidden customer."""
    if not guarded:
        monkeypatch.setattr(filters.access, "visible_rows", unlimited(access.visible_rows))
    page = guide.get(f"{address('booking')}?customer={customer(HIDDEN).pk}")
    assert HIDDEN not in page.content.decode()
    assert len(rows_of(page)) == (0 if guarded else 1)
    assert bool(said(page)) is guarded


def unlimited(rows):
    """Leave the limits of customers aside, and those of nothing else."""
    return lambda user, model_, *more: (
        model_._default_manager.all() if model_ is model("customer") else rows(user, model_, *more)
    )


def test_a_filter_takes_and_names_a_record_that_is_seen(guide):
    page = guide.get(f"{address('booking')}?customer={customer(SEEN).pk}")
    assert len(rows_of(page)) == 1 and SEEN in page.content.decode() and not said(page)


def test_the_choices_of_every_link_filter_are_what_the_user_sees(guide):
    page = guide.get(address("booking"))
    panels = [spec for spec in page.context["cl"].filter_specs if hasattr(spec, "filterset")]
    links = [panel for panel in panels if hasattr(panel.filterset.form.fields[panel.name], "queryset")]
    assert {panel.name for panel in links} >= {"customer", "trip"}
    offered = {panel.name: set(panel.filterset.form.fields[panel.name].queryset) for panel in links}
    assert offered["customer"] == {customer(SEEN)}
    assert offered["trip"] == set(access.visible_rows(page.wsgi_request.user, model("trip")))


def test_a_picker_offers_the_records_that_are_seen(guide):
    label = business().label
    query = {"app_label": label, "model_name": "booking", "field_name": "customer", "term": ""}
    answer = guide.get(reverse("admin:autocomplete"), query)
    assert [one["id"] for one in answer.json()["results"]] == [str(customer(SEEN).pk)]
