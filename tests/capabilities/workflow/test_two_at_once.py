"""Two people press at once: one of them is told that it is done already. On PostgreSQL, with threads."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from django.apps import apps
from django.db import connection, connections

from crm.capabilities.workflow import transitions
from crm.capabilities.workflow.models import Transition
from crm.capabilities.workflow.transitions import TransitionNotAllowed, perform
from tests.support.records import make

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway")
TIMES = 5


@pytest.fixture
def booking(transactional_db):
    return make("booking")


def press(record, name, barrier, said):
    try:
        barrier.wait()
        said.append(perform(record, name).status)
    except TransitionNotAllowed as refused:
        said.append(" ".join(refused.messages))
    finally:
        connections.close_all()


def both(booking, monkeypatch):
    """Let two threads hold a booking at once, each reading before either writes, and return what they are told."""
    said, barrier, first = [], threading.Barrier(2), transitions._change

    def slowly(*args):
        with suppress(threading.BrokenBarrierError):
            between.wait(timeout=0.4)
        return first(*args)

    between = threading.Barrier(2)
    monkeypatch.setattr(transitions, "_change", slowly)
    threads = [threading.Thread(target=press, args=(booking, "hold", barrier, said)) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sorted(said)


def test_the_second_is_told_that_it_is_done(booking, monkeypatch):
    assert both(booking, monkeypatch) == [f"{booking} is already held.", "held"]
    assert Transition.objects.count() == 1


def test_without_the_lock_both_would_have_done_it(booking, monkeypatch):
    monkeypatch.setattr(transitions, "_locked", lambda record: type(record)._base_manager.get(pk=record.pk))
    assert both(booking, monkeypatch) == ["held", "held"], "the test above would notice"
    assert apps.get_model("travel.Booking").objects.get().status == "held" and Transition.objects.count() == 2
