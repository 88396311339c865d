"""A picker finds records by their titles where their list has no search; the list itself has no search then."""

from __future__ import annotations

import pytest
from django.contrib.admin import site
from django.urls import reverse

from crm.blueprint import layout
from tests.support.pages import address
from tests.support.people import client_of
from tests.support.records import make, model

pytestmark = pytest.mark.django_db


@pytest.fixture
def unsearched(monkeypatch):
    contributions = site._registry[model("hotel")].contributions
    former = contributions.by_kind
    monkeypatch.setattr(layout, "list_search", lambda entity: [])
    monkeypatch.setattr(contributions, "by_kind", lambda kind: {} if kind == "search" else former(kind))


def found(client, term: str) -> list[str]:
    query = {"app_label": "travel", "model_name": "stay", "field_name": "hotel", "term": term}
    answer = client.get(reverse("admin:autocomplete"), query)
    return [one["text"] for one in answer.json()["results"]]


def test_it_looks_in_the_title(unsearched):
    for name in ("Ritz", "Savoy"):
        make("hotel", name=name)
    client = client_of("manager")
    (ritz,) = found(client, "rit")
    assert "Ritz" in ritz and len(found(client, "")) == 2 and found(client, "nowhere") == []
    assert 'name="q"' not in client.get(address("hotel")).content.decode()
