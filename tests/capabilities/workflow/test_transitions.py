"""An action is done as a whole or not at all, by those who may, from where it starts, and the step is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.capabilities.workflow.compiler import workflow_of
from crm.capabilities.workflow.models import Transition, steps_of
from crm.capabilities.workflow.transitions import TransitionNotAllowed, perform
from crm.kernel import actions
from tests.support.people import delete_past_the_rules

pytestmark = pytest.mark.django_db


def refused(record, name, user=None, comment=""):
    """Return what is said where an action is refused; nothing of the record has changed then."""
    before = type(record).objects.filter(pk=record.pk).values().get()
    with pytest.raises(TransitionNotAllowed) as caught:
        perform(record, name, user, comment)
    assert type(record).objects.filter(pk=record.pk).values().get() == before
    assert not steps_of(record).exclude(action__in=getattr(record, "done", ())).exists()
    return " ".join(caught.value.messages)


def test_the_state_and_the_fields_are_set_and_the_step_is_kept(loan, worker):
    clerk = worker("clerk")
    done = perform(loan, "lend", clerk)
    loan.refresh_from_db()
    assert (done.state, loan.state, loan.lent_on, loan.lender) == ("lent", "lent", timezone.localdate(), clerk)
    assert loan.fee == Decimal("33.33") and loan.total == Decimal("133.33"), "rounded, and computed from"
    assert loan.note == "Yard behin", "as long as the field takes"
    (step,) = steps_of(loan)
    assert (step.action, step.source, step.target, step.user) == ("lend", "asked", "lent", clerk)
    assert timezone.now() - step.at < timedelta(minutes=1)


def test_the_version_has_the_reason_the_user_and_the_change(loan, worker):
    boss = worker("boss")
    perform(loan, "lend", boss)
    perform(loan, "warn", boss, "  Three days over ")
    newest, lent = loan.history.all()[:2]
    assert (newest.history_change_reason, newest.history_user) == ("Warn: Three days over", boss)
    assert (lent.history_change_reason, lent.state) == ("Lend out", "lent")
    assert [one.change for one in steps_of(loan)] == [lent.history_change, newest.history_change]
    assert steps_of(loan).last().comment == "Three days over"


def test_only_from_where_it_starts(loan, worker):
    clerk = worker("clerk")
    assert refused(loan, "take_back", clerk) == "L1 is asked for: “Take back” is not possible from there."
    assert refused(loan, "forget", clerk) == "L1 is already asked for."
    perform(loan, "lend", clerk)
    loan.done = ["lend"]
    assert refused(loan, "lend", clerk) == "L1 is already lent.", "the record at hand is an old one"


def test_from_every_other_state_where_nothing_is_said(loan, worker):
    clerk = worker("clerk")
    perform(loan, "lend", clerk)
    assert perform(loan, "forget", clerk).state == "asked"


def test_only_by_the_roles_and_those_who_may_change_it(loan, worker, admin_user):
    somebody = worker("")
    assert refused(loan, "lend", somebody) == "“Lend out” is for the roles Clerk, Boss."
    stranger = type(somebody).objects.get(pk=somebody.pk)
    assert refused(loan, "lend", stranger) == "You may not change L1."
    assert perform(loan, "lend", admin_user).state == "lent", "who may do everything may do this"


def test_the_condition_says_its_sentence(loan, worker):
    loan.deposit, loan.fee = 5, 6
    loan.save()
    assert refused(loan, "lend", worker("clerk")) == "The deposit of €5.00 does not cover the fee."


def test_what_is_required_is_named(bikes, loan, worker):
    loan.place = ""
    loan.save()
    bikes.Bike.objects.all().delete()
    assert refused(loan, "lend", worker("clerk")) == "Fill in first: Place, Bikes."


def test_a_comment_that_must_be_there(loan, worker):
    boss = worker("boss")
    perform(loan, "lend", boss)
    loan.done = ["lend"]
    assert refused(loan, "warn", boss, "   ") == "Warn: say why in the comment."


def test_a_rule_of_the_record_itself_is_told(loan, worker):
    loan.deposit = 600
    loan.save()
    assert refused(loan, "lend", worker("clerk")) == "€200.00 is too much to lend for."


def test_a_rule_that_reads_rows_is_told(bikes, loan, worker):
    for name in ("Green", "Blue"):
        bikes.Bike.objects.create(loan=loan, name=name)
    assert refused(loan, "lend", worker("clerk")) == "At most two bikes are lent at a time."


def test_a_record_that_is_gone(loan, worker):
    clerk, key = worker("clerk"), loan.pk
    type(loan).objects.get(pk=key).delete()
    with pytest.raises(TransitionNotAllowed, match="L1 is not there any more"):
        perform(loan, "lend", clerk)


def test_an_action_that_there_is_not(loan):
    with pytest.raises(LookupError, match="no action 'lent'"):
        perform(loan, "lent")


def test_the_system_does_it_without_a_user(loan):
    assert perform(loan, "lend").lender is None
    assert (steps_of(loan).get().user, steps_of(loan).get().user_name) == (None, "")


def test_the_name_stays_when_the_account_goes(loan, worker):
    clerk = worker("clerk")
    perform(loan, "lend", clerk)
    delete_past_the_rules(clerk)
    assert (steps_of(loan).get().user, steps_of(loan).get().user_name) == (None, "clerk-at-the-bikes")


@pytest.fixture
def followed(loan, monkeypatch):
    """Let an action follow the lending."""
    workflow, seen = workflow_of(loan.definition), []

    def call(action):
        monkeypatch.setitem(actions._actions, "tell", ("test", action))
        then = (("tell", {"whom": "owner"}),)
        monkeypatch.setitem(workflow.actions, "lend", replace(workflow.actions["lend"], then=then))
        return seen

    return call


def test_named_actions_follow_with_the_record_and_their_parameters(loan, followed):
    seen = followed(lambda record, user, whom: seen.append((record.state, whom)))
    perform(loan, "lend")
    assert seen == [("lent", "owner")]


def test_what_fails_afterwards_undoes_the_whole(loan, followed):
    def fail(record, user, whom):
        raise RuntimeError("no line to the owner")

    followed(fail)
    with pytest.raises(RuntimeError):
        perform(loan, "lend")
    loan.refresh_from_db()
    assert loan.state == "asked" and not Transition.objects.exists() and loan.history.count() == 1
