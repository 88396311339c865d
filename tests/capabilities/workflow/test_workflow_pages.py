"""Buttons, the page that asks, ticked rows, the panel of steps and the help page, with travel's bookings."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.capabilities.workflow.models import Transition
from crm.capabilities.workflow.steps_panel import in_words
from crm.capabilities.workflow.transitions import perform
from tests.support.granting import grant
from tests.support.pages import address, said, text_of
from tests.support.people import client_of, person
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db


def booking(**given):
    made = make("booking", **given)
    return model("booking").objects.get(pk=made.pk)


def buttons(client, record):
    """Return the buttons of a record's page: label → why it is of no use now."""
    found = client.get(address("booking", "change", record.pk)).context["crm_buttons"]
    return {one["button"].label: one["why"] for one in found}


def act(client, record, name, **data):
    return client.post(address("booking", "act", record.pk, name), data, follow=True)


def tick(client, name, rows, **data):
    sent = {"action": f"act_{name}", "_selected_action": [one.pk for one in rows], **data}
    return client.post(address("booking"), sent, follow=True)


# Buttons


def test_the_buttons_are_those_of_the_state_and_of_the_roles():
    record, missing = booking(), "Fill in first: Passengers."
    manager = client_of("manager")
    assert buttons(manager, record) == {"Hold": "", "Confirm": missing, "Cancel": ""}
    assert buttons(client_of("accounts"), record) == {}
    assert client_of("guide").get(address("booking", "change", record.pk)).status_code == 404, "a guide sees no drafts"
    perform(record, "cancel", None, "No answer")
    assert buttons(manager, record) == {"Reopen": ""} and buttons(client_of("sales"), record) == {}


def test_a_button_is_a_form_a_link_or_says_why_not(signed_in):
    record = booking()
    html = signed_in.get(address("booking", "change", record.pk)).content.decode()
    hold, confirm, cancel = (address("booking", "act", record.pk, name) for name in ("hold", "confirm", "cancel"))
    assert f'<form method="post" action="{hold}">' in html and f'href="{hold}"' not in html
    assert f'<a class="crm-button" href="{cancel}">' in html and confirm not in html
    bar = html[html.index("crm-acts") : html.index('id="booking_form"')]
    assert bar.count("csrfmiddlewaretoken") == 1
    described = bar.split('aria-describedby="')[1].split('"')[0]
    assert f'id="{described}">Fill in first: Passengers.' in bar
    assert "warn-unsaved-form" in html


def test_what_needs_no_question_is_done_at_once(signed_in):
    record = booking()
    page = act(signed_in, record, "hold")
    assert said(page) == [f"{record}: held."] and model("booking").objects.get().status == "held"
    assert page.redirect_chain[-1][0] == address("booking", "change", record.pk)


def test_looking_at_an_address_changes_nothing(signed_in):
    record = booking()
    page = signed_in.get(address("booking", "act", record.pk, "hold"))
    assert page.status_code == 200 and model("booking").objects.get().status == "draft"


def test_a_question_and_a_comment_are_asked_on_a_page_of_their_own(signed_in):
    record = booking()
    page = signed_in.get(address("booking", "act", record.pk, "cancel"))
    assert f"Cancel: {record}" in text_of(page) and "Afterwards: cancelled." in text_of(page)
    empty = act(signed_in, record, "cancel", comment=" ")
    assert "This field is required." in text_of(empty) and model("booking").objects.get().status == "draft"
    assert said(act(signed_in, record, "cancel", comment="Too dear")) == [f"{record}: cancelled."]
    assert Transition.objects.get().comment == "Too dear"


def test_the_question_is_written_with_the_records_values(signed_in):
    record = booking(customer=make("customer", name="Ada"), trip=make("trip", name="Rome"))
    make("passenger", booking=record)
    page = signed_in.get(address("booking", "act", record.pk, "confirm"))
    assert "Confirm the booking of Ada for Rome?" in text_of(page)


def test_a_refusal_reaches_whoever_pressed(signed_in):
    record = booking()
    make("passenger", booking=record, emergency_name="", emergency_phone="")
    page = act(signed_in, record, "confirm")
    assert said(page) == ["A booking is confirmed once every passenger has an emergency contact."]
    assert model("booking").objects.get().status == "draft"


def test_what_is_too_late_is_for_the_manager():
    soon = timezone.localdate() + timedelta(days=3)
    record = booking(status="confirmed", trip=make("trip", start_date=soon, end_date=soon))
    assert buttons(client_of("sales"), record) == {"Cancel": "Within 7 days of departure: ask a manager."}
    assert buttons(client_of("manager"), record)["Cancel late"] == ""


@pytest.mark.parametrize(("role", "status"), [("guide", 403), ("accounts", 200)])
def test_who_may_not_is_refused_also_without_a_button(role, status):
    record = booking()
    page = act(client_of(role), record, "hold")
    assert page.status_code == status and model("booking").objects.get().status == "draft"
    assert status == 403 or said(page) == ["“Hold” is for the roles Sales, Manager."]


def test_a_question_that_nobody_could_answer_is_not_asked():
    """The page of a step that is not possible now leads back, and says why."""
    record = booking()
    for role, name, why in (
        ("accounts", "cancel", "“Cancel” is for the roles Sales, Manager."),
        ("manager", "confirm", "Fill in first: Passengers."),
    ):
        page = client_of(role).get(address("booking", "act", record.pk, name), follow=True)
        assert page.redirect_chain == [(address("booking", "change", record.pk), 302)] and said(page) == [why]


def test_an_action_or_a_record_that_there_is_not(signed_in):
    assert act(signed_in, booking(), "fly").status_code == 404
    assert signed_in.post(address("booking", "act", 99, "hold")).status_code == 404


# Ticked rows


def test_the_list_offers_the_actions_of_the_roles():
    page = client_of("sales").get(address("booking"))
    offered = [name for name, _ in page.context["action_form"].fields["action"].choices]
    assert {"act_hold", "act_confirm", "act_cancel"} <= set(offered) and "act_reopen" not in offered
    page = client_of("accounts").get(address("booking"))
    assert not any(name.startswith("act_") for name, _ in page.context["action_form"].fields["action"].choices)


def test_each_row_is_done_for_itself_and_the_skipped_are_named(signed_in):
    rows = [booking(), booking(status="held"), booking(), booking(status="cancelled")]
    page = tick(signed_in, "hold", rows)
    done, skipped = said(page)
    assert done == "2 bookings: held."
    assert skipped == (
        f"2 were left as they are: {rows[1]} is already held; {rows[3]} is cancelled: “Hold” is not possible from there"
    )
    assert [one.status for one in model("booking").objects.order_by("pk")] == ["held", "held", "held", "cancelled"]


def test_ten_of_the_skipped_are_named_and_the_rest_counted(signed_in):
    rows = [booking(status="held") for _ in range(12)]
    (text,) = said(tick(signed_in, "hold", rows))
    assert text.startswith("12 were left as they are: ") and text.endswith("; and 2 more")
    assert text.count("already held") == 10


def test_a_comment_is_asked_once_for_all(signed_in):
    rows = [booking(), booking()]
    page = tick(signed_in, "cancel", rows)
    assert "Cancel: 2 bookings" in text_of(page) and str(rows[0]) in text_of(page)
    assert model("booking").objects.filter(status="cancelled").count() == 0
    page = tick(signed_in, "cancel", rows, workflow_go="1", comment="")
    assert "This field is required." in text_of(page)
    assert said(tick(signed_in, "cancel", rows, workflow_go="1", comment="Storm")) == ["2 bookings: cancelled."]
    assert {one.comment for one in Transition.objects.all()} == {"Storm"}


# Steps and help


def test_the_panel_tells_the_story_and_what_comes_next(signed_in):
    record = booking()
    url = address("booking", "panel", record.pk, "steps")
    empty = text_of(signed_in.get(url))
    assert "No step was taken yet." in empty and "Hold → Held" in empty
    assert "Confirm → Confirmed not yet: Fill in first: Passengers." in empty
    ann = person("manager", first_name="Ann", last_name="Lee")
    perform(record, "hold", ann)
    perform(record, "cancel", ann, "Ill")
    Transition.objects.filter(action="hold").update(at=timezone.now() - timedelta(days=2, hours=3, minutes=5))
    page = signed_in.get(url)
    assert "Cancel by Ann Lee on" in text_of(page) and "after 2 days 3 hours — “Ill”" in text_of(page)
    assert 'class="crm-badge crm-red">Cancelled' in page.content.decode()
    nothing = text_of(client_of("sales").get(url))
    assert "From here there is no further step for you." in nothing


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=5), "less than a minute"),
        (timedelta(hours=1, minutes=1), "1 hour 1 minute"),
        (timedelta(days=40, minutes=5), "40 days 5 minutes"),
        (timedelta(days=-1), "less than a minute"),
    ],
)
def test_how_long_it_stood(time, words):
    assert in_words(time) == words


def test_every_entity_has_a_help_page(signed_in):
    for name in ("booking", "customer", "trip", "passenger"):
        page = signed_in.get(address(name, "help"))
        fields, text = [field for field in entity(name).fields.values() if field.has_value], text_of(page)
        assert page.status_code == 200 and fields
        for field in fields:
            assert field.label in text, f"{field} is missing"
        assert address(name, "help") in signed_in.get(address(name)).content.decode()


def test_the_help_page_says_nothing_of_states_that_one_may_not_see(monkeypatch):
    grant(monkeypatch, "sales", booking={"view": {"except": ["status"]}})
    html = client_of("sales").get(address("booking", "help")).content.decode()
    assert "crm-states" not in html and "Cancel late" not in html
    grant(monkeypatch, "sales", booking={"view": True})
    assert "crm-states" in client_of("sales").get(address("booking", "help")).content.decode()


def test_the_help_page_says_what_holds_and_how_states_change(signed_in):
    page = signed_in.get(address("booking", "help"))
    text = text_of(page)
    assert "The discount is more than the price." in text and "Computed: seats * unit_price - discount" in text
    assert "Cancel late" in text and "Manager" in text and "Filled: Passengers." in text
    html = page.content.decode()
    drawing = html[html.index('<svg class="crm-states"') : html.index("</svg>", html.index("crm-states"))]
    assert "style=" not in drawing and 'role="img"' in drawing and drawing.count("crm-arc") == 8
    for label in ("Draft", "Held", "Confirmed", "Cancelled", "Reopen"):
        assert drawing.count(f">{label}</text>") == 1, "an action of several states has one label"
