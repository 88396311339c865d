"""Bulk editing: one value for the ticked rows, checked as the form would, kept in the history, the rest named."""

from __future__ import annotations

from datetime import date

import pytest
from django.apps import apps

from tests.support.pages import address, said, text_of
from tests.support.people import client_of
from tests.support.records import make, model


def edit(client, name, rows, **sent):
    """Send the bulk edit of rows, as its page would."""
    data = {"action": "edit", "_selected_action": [one.pk for one in rows], **sent}
    return client.post(address(name), data, follow=True)


@pytest.fixture
def customers(db):
    return [make("customer", name=name, email=f"{name}@example.org") for name in ("Ada", "Ben", "Cem")]


def test_the_page_asks_for_a_field_and_then_for_its_value(signed_in, customers):
    page = edit(signed_in, "customer", customers[:2])
    assert "Change 2 customers" in text_of(page)
    assert {"kind", "tags", "address_city", "owner"} <= set(page.context["choices"])
    assert not {"email", "reference", "created"} & set(page.context["choices"]), "these differ from row to row"
    asked = edit(signed_in, "customer", customers[:2], crm_field="kind")
    assert 'name="kind"' in asked.content.decode() and 'value="edit"' in asked.content.decode()
    for one in customers[:2]:
        assert f'name="_selected_action" value="{one.pk}"' in asked.content.decode()


@pytest.mark.parametrize(
    ("field", "sent", "value"),
    [
        ("kind", {"kind": "group"}, "group"),
        ("payment_terms", {"payment_terms": "30"}, 30),
        ("birthday", {"birthday": "2000-02-29"}, date(2000, 2, 29)),
        ("address_city", {"address_city": "York"}, "York"),
        ("newsletter", {"newsletter": "on"}, True),
        ("phone", {"phone": "020 7946 0018"}, "+442079460018"),
    ],
)
def test_the_ticked_rows_get_the_value_and_no_others(signed_in, customers, field, sent, value):
    page = edit(signed_in, "customer", customers[:2], crm_field=field, crm_save="1", **sent)
    assert any("of 2 customers changed" in one for one in said(page)), said(page)
    for one in customers:
        one.refresh_from_db()
    assert [getattr(one, field) == value for one in customers] == [True, True, False]


def test_a_link_and_a_person_can_be_set(signed_in, admin_user, customers):
    edit(signed_in, "customer", customers, crm_field="owner", crm_save="1", owner=str(admin_user.pk))
    assert {one.owner for one in model("customer").objects.all()} == {admin_user}
    task, booking = make("task"), make("booking")
    edit(signed_in, "task", [task], crm_field="booking", crm_save="1", booking=str(booking.pk))
    task.refresh_from_db()
    assert task.booking == booking


def test_every_change_is_in_the_history_with_its_reason_and_one_id(signed_in, admin_user, customers):
    edit(
        signed_in,
        "customer",
        customers,
        crm_field="kind",
        crm_save="1",
        kind="group",
        change_reason="They travel together",
    )
    versions = [one.history.first() for one in customers]
    assert {(one.kind, one.history_user, one.history_change_reason) for one in versions} == {
        ("group", admin_user, "They travel together")
    }
    assert len({one.history_change for one in versions}) == 1


def test_tags_are_added_to_those_there(signed_in, customers):
    tags = apps.get_model("crm", "Tag")._default_manager
    old = tags.create(scope="travel.customer.tags", name="old")
    customers[0].tags.add(old)
    count = customers[0].history.count()
    page = edit(signed_in, "customer", customers[:2], crm_field="tags", crm_save="1", tags=["vip"])
    assert any("of 2 customers changed" in one for one in said(page))
    assert sorted(tag.name for tag in customers[0].tags.all()) == ["old", "vip"]
    assert [tag.name for tag in customers[1].tags.all()] == ["vip"]
    assert customers[0].history.count() == count + 1
    again = edit(signed_in, "customer", customers[:1], crm_field="tags", crm_save="1", tags=["vip"])
    assert "They all had that value already." in said(again)
    assert customers[0].history.count() == count + 1


def test_rows_that_have_the_value_already_are_not_written_again(signed_in, customers):
    count = customers[0].history.count()
    page = edit(signed_in, "customer", customers, crm_field="kind", crm_save="1", kind="person")
    assert said(page) == ["They all had that value already."]
    assert customers[0].history.count() == count


def test_a_value_that_is_wrong_is_refused_beside_its_input(signed_in, customers):
    page = edit(signed_in, "customer", customers, crm_field="payment_terms", crm_save="1", payment_terms="121")
    assert "less than or equal to 120" in text_of(page)
    assert set(model("customer").objects.values_list("payment_terms", flat=True)) == {14}


def test_rows_that_cannot_take_the_value_are_named_and_skipped(signed_in):
    """Together with its trip, the number of a day may occur only once."""
    trip = make("trip")
    days = [make("day", trip=trip, number=number, name=f"At {number}") for number in (1, 2)]
    other = make("day", number=3, name="Elsewhere")
    page = edit(signed_in, "day", [*days, other], crm_field="number", crm_save="1", number="5")
    assert sorted(model("day").objects.values_list("number", flat=True)) in ([1, 5, 5], [2, 5, 5])
    warning = next(one for one in said(page) if "left as they are" in one)
    assert warning.startswith(("1 were left as they are", "1 was left as it is"))
    assert "At 1" in warning or "At 2" in warning


def test_rows_on_other_pages_are_changed_when_all_are_chosen(signed_in, customers):
    page = edit(signed_in, "customer", customers[:1], select_across="1", crm_field="kind", crm_save="1", kind="group")
    assert any("of 3 customers changed" in one for one in said(page))


def test_only_rows_of_the_filtered_list_are_changed(signed_in, customers):
    data = {"action": "edit", "_selected_action": [customers[0].pk], "select_across": "1"}
    url = address("customer") + "?q=Ben"
    signed_in.post(url, {**data, "crm_field": "kind", "crm_save": "1", "kind": "group"}, follow=True)
    assert [one.name for one in model("customer").objects.filter(kind="group")] == ["Ben"]


def test_a_field_that_must_not_be_changed_so_is_not_taken(signed_in, customers):
    for name in ("email", "reference", "id", "created", "password", "nope"):
        page = edit(signed_in, "customer", customers, crm_field=name, crm_save="1", **{name: "x@example.org"})
        assert page.status_code == 200 and "Which field?" in text_of(page)
    assert model("customer").objects.filter(email="x@example.org").count() == 0


@pytest.mark.django_db
def test_who_may_not_change_cannot_do_it_in_bulk(customers):
    edit(client_of("guide"), "customer", customers, crm_field="kind", crm_save="1", kind="group")
    assert not model("customer").objects.filter(kind="group").exists()


def test_a_word_that_each_record_has_for_itself_is_not_offered(signed_in):
    choices = edit(signed_in, "trip", [make("trip"), make("trip")]).context["choices"]
    assert "name" in choices and "slug" not in choices
