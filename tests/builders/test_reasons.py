"""Where the history asks for reasons, a deletion is asked for one too: by its page, in bulk, and in the trash."""

from __future__ import annotations

import pytest
from django.contrib.admin import site

from crm.capabilities.history.capability import HistorySection
from tests.support.pages import address, said, text_of
from tests.support.records import make, model

pytestmark = pytest.mark.django_db
ASKED = 'name="change_reason"'


@pytest.fixture
def asking(monkeypatch):
    """Let the history of an entity ask for reasons."""

    def ask(name: str) -> None:
        contributions = site._registry[model(name)].contributions
        former = contributions.by_kind
        monkeypatch.setattr(
            contributions, "by_kind", lambda kind: {"required": True} if kind == "reason" else former(kind)
        )

    assert HistorySection.model_fields["reason"]
    return ask


def html(page) -> str:
    return page.content.decode()


def why(name: str, key) -> set:
    versions = model(name).history.filter(id=key).order_by("-history_id")
    return {versions.first().history_change_reason}


@pytest.mark.parametrize("of", ["hotel", "customer"])
def test_the_page_asks_why_and_deletes_nothing_without(signed_in, asking, of):
    asking(of)
    record = make(of)
    page = address(of, "delete", record.pk)
    assert ASKED in html(signed_in.get(page))
    for data in ({"post": "yes"}, {"post": "yes", "change_reason": " \x00"}, {"x": "1"}):
        answer = signed_in.post(page, data)
        assert answer.status_code == 200 and "This field is required." in text_of(answer)
        assert model(of).objects.filter(pk=record.pk).exists()
    signed_in.post(page, {"post": "yes", "change_reason": "Twice"})
    assert not model(of).objects.filter(pk=record.pk).exists() and why(of, record.pk) == {"Twice"}


def test_it_is_asked_where_the_history_of_what_goes_along_asks(signed_in, asking):
    asking("note")
    note = make("note")
    page = address("customer", "delete", note.customer.pk)
    assert ASKED in html(signed_in.get(page))
    assert signed_in.post(page, {"post": "yes"}).status_code == 200 and model("customer").objects.exists()
    assert ASKED not in html(signed_in.get(address("hotel", "delete", make("hotel").pk)))


def test_bulk_deletion_asks_too(signed_in, asking):
    asking("hotel")
    keys = [make("hotel").pk, make("hotel").pk]
    rows = {"action": "delete_selected", "_selected_action": keys}
    first = signed_in.post(address("hotel"), rows)
    assert ASKED in html(first) and "This field is required." not in text_of(first)
    again = signed_in.post(address("hotel"), {**rows, "post": "yes"})
    assert "This field is required." in text_of(again) and model("hotel").objects.count() == 2
    assert html(again).count('name="_selected_action"') == 2
    signed_in.post(address("hotel"), {**rows, "post": "yes", "change_reason": "Closed"})
    assert not model("hotel").objects.exists() and why("hotel", keys[0]) == {"Closed"}


def test_the_trash_asks_for_restoring_and_for_deleting_for_good(signed_in, asking):
    asking("customer")
    customer = make("customer", name="Ada")
    customer.delete()
    page = address("customer", "trash")
    assert ASKED in html(signed_in.get(page))
    assert ASKED in html(signed_in.get(address("customer", "change", customer.pk)))
    for act in ({"act": "restore"}, {"act": "delete", "sure": "yes"}):
        answer = signed_in.post(page, {**act, "record": [customer.pk]})
        assert "This field is required." in text_of(answer)
        assert model("customer")._base_manager.get(pk=customer.pk).deleted_at
    signed_in.post(page, {"act": "restore", "record": [customer.pk], "change_reason": "Still here"})
    assert model("customer").objects.exists() and why("customer", customer.pk) == {"Still here"}
    customer.refresh_from_db()
    customer.delete()
    asked = signed_in.post(page, {"act": "delete", "record": [customer.pk]})
    assert ASKED in html(asked) and "This field is required." not in text_of(asked)
    told = signed_in.post(
        page, {"act": "delete", "sure": "yes", "record": [customer.pk], "change_reason": "Asked us to"}, follow=True
    )
    assert said(told) == ["1 deleted for good."] and why("customer", customer.pk) == {"Asked us to"}
