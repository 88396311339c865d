"""Two people press at once: one of them is told that it is done already. On PostgreSQL, with threads."""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.apps import apps
from django.db import connection

from crm.capabilities.workflow import transitions
from crm.capabilities.workflow.models import Transition
from crm.capabilities.workflow.transitions import TransitionNotAllowed, perform
from tests.support.records import make
from tests.support.threads import in_threads

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway")
TIMES = 5


@pytest.fixture
def booking(transactional_db):
    return make("booking")


def both(booking, monkeypatch):
    """Let two threads hold a booking at once, each reading before either writes, and return what they are told."""
    begun, between, change = Barrier(2), Barrier(2), transitions._change

    def slowly(*args):
        with suppress(BrokenBarrierError):
            between.wait(timeout=0.4)
        return change(*args)

    def press(_index):
        begun.wait(timeout=30)
        try:
            return perform(booking, "hold").status
        except TransitionNotAllowed as refused:
            return " ".join(refused.messages)

    monkeypatch.setattr(transitions, "_change", slowly)
    return sorted(in_threads(2, press))


def test_the_second_is_told_that_it_is_done(booking, monkeypatch):
    assert both(booking, monkeypatch) == [f"{booking} is already held.", "held"]
    assert Transition.objects.count() == 1


def test_without_the_lock_both_would_have_done_it(booking, monkeypatch):
    monkeypatch.setattr(transitions, "_locked", lambda record: type(record)._base_manager.get(pk=record.pk))
    assert both(booking, monkeypatch) == ["held", "held"], "the test above would notice"
    assert apps.get_model("travel.Booking").objects.get().status == "held" and Transition.objects.count() == 2
