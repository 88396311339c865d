"""Actions on ticked rows: in batches, as if each row were done by itself, and by itself where that makes a difference."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.blueprint.expressions.parser import read_expression
from crm.capabilities.workflow import batches
from crm.capabilities.workflow.batches import is_independent, perform_all
from crm.capabilities.workflow.compiler import workflow_of
from crm.capabilities.workflow.models import Transition, steps_of
from tests.builders.test_bulk_batches import many
from tests.support.pages import address, said
from tests.support.records import entity, make, model


def action_of(name, action, **changes):
    found = workflow_of(entity(name)).actions[action]
    if "condition" in changes:
        changes["condition"] = read_expression(changes["condition"], entity(name))
    return replace(found, **changes)


def test_the_queries_do_not_grow_with_the_rows(signed_in, admin_user):
    rows, counts = many("booking", 430, unit_price=10), []
    for some in (rows[:10], rows[10:]):
        data = {"action": "act_hold", "_selected_action": [one.pk for one in some], "workflow_go": "1"}
        with CaptureQueriesContext(connection) as queries:
            signed_in.post(address("booking"), data)
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 12, counts
    assert said(signed_in.get(address("booking")))[-1] == "420 bookings: held."
    assert set(model("booking").objects.values_list("status", flat=True)) == {"held"}
    assert Transition.objects.count() == 430
    step, version = steps_of(rows[-1]).get(), rows[-1].history.first()
    assert (step.source, step.target, step.user, step.change) == ("draft", "held", admin_user, version.history_change)
    assert (version.status, version.history_change_reason, version.history_user) == ("held", "Hold", admin_user)


def test_what_a_row_lacks_is_told_of_that_row_alone(admin_user, db):
    bookings = [make("booking", unit_price=1) for _ in range(4)]
    make("passenger", booking=bookings[1], emergency_name="Ada", emergency_phone="+442079460018")
    make("passenger", booking=bookings[2])
    model("booking")._base_manager.filter(pk=bookings[3].pk).update(status="cancelled")
    outcome = perform_all(model("booking").objects.all(), action_of("booking", "confirm"), admin_user, "")
    assert outcome.done == 1 and model("booking").objects.get(status="confirmed") == bookings[1]
    assert [record for record, _ in outcome.skipped] == [bookings[0], bookings[3], bookings[2]]
    reasons = [why for _, why in outcome.skipped]
    assert reasons[0] == "Fill in first: Passengers."
    assert "is not possible from there" in reasons[1]
    assert "once every passenger has an emergency contact" in reasons[2]


LAST_PLACE = "count(trip.bookings, status == 'held') < 2"


@pytest.mark.parametrize(
    ("condition", "independent"),
    [
        ("seats > 1", True),
        ("trip.start_date > today()", True),
        ("balance > 0", True),
        ("customer.credit_limit > 0", True),
        ("count(passengers) > 0", True),
        (LAST_PLACE, False),
        ("sum(customer.bookings.seats, status == 'held') < 9", False),
    ],
)
@pytest.mark.django_db
def test_only_steps_that_decide_nothing_for_others_are_taken_together(condition, independent):
    booking = entity("booking")
    action = action_of("booking", "hold", condition=condition)
    assert is_independent(booking, workflow_of(booking), action) is independent
    assert not is_independent(booking, workflow_of(booking), replace(action, then=(("a_job", {}),)))


@pytest.mark.parametrize("guarded", [True, False])
def test_the_last_place_is_taken_once(admin_user, monkeypatch, guarded, db):
    """With the question left out, all four would be held: so the test would notice."""
    trip = make("trip")
    for _ in range(4):
        make("booking", trip=trip, unit_price=1)
    if not guarded:
        monkeypatch.setattr(batches, "is_independent", lambda *_: True)
    outcome = perform_all(model("booking").objects.all(), action_of_list(LAST_PLACE), admin_user, "")
    assert (outcome.done, len(outcome.skipped)) == ((2, 2) if guarded else (4, 0))


def action_of_list(condition):
    """Return the holding of bookings on a condition, as the workflow's own action: `perform` looks it up by name."""
    found = action_of("booking", "hold", condition=condition, otherwise=entity("booking").title)
    workflow_of(entity("booking")).actions["hold"] = found
    return found


@pytest.fixture(autouse=True)
def _the_shipped_actions():
    actions = workflow_of(entity("booking")).actions
    shipped = dict(actions)
    yield
    actions.clear()
    actions.update(shipped)
