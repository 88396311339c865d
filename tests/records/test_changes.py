"""The change scope: who changes what and why, and which writes belong together."""

from __future__ import annotations

from threading import Thread

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from crm.capabilities.transfer.runs import import_file
from crm.fields.actor import current_actor
from crm.records.changes import MAX_REASON, ChangeMiddleware, change_scope, current_change
from crm.records.writes import write_records
from tests.capabilities.transfer.files import csv_file
from tests.support.people import person
from tests.support.records import entity, make, model


def test_outside_of_any_scope_the_system_acts_each_time_anew():
    assert current_change().user is None and current_change().source == "system"
    assert current_change().id != current_change().id
    assert current_actor() is None


@pytest.mark.django_db
def test_a_scope_is_one_change_and_ends():
    user = person()
    with change_scope(user, "because", "test") as change:
        assert current_change() is change and current_change().id == change.id
        assert (change.user, change.reason, change.source) == (user, "because", "test")
        assert current_actor() == user.pk
    assert current_change().user is None and current_actor() is None


@pytest.mark.django_db
def test_a_scope_within_a_scope_is_a_change_of_its_own():
    outer, inner = person(), person()
    with change_scope(outer) as first:
        with change_scope(inner) as second:
            assert current_change() is second and current_actor() == inner.pk
        assert current_change() is first and current_actor() == outer.pk


@pytest.mark.django_db
def test_a_scope_ends_with_an_exception_too():
    with pytest.raises(RuntimeError), change_scope(person()):
        raise RuntimeError
    assert current_change().user is None and current_actor() is None


@pytest.mark.django_db
def test_another_thread_is_outside_of_the_scope():
    seen = []
    with change_scope(person()):
        thread = Thread(target=lambda: seen.append((current_change().user, current_actor())))
        thread.start()
        thread.join()
    assert seen == [(None, None)]


@pytest.mark.django_db
@pytest.mark.parametrize("letter", ["x", "é", "𝄞", "'"])
def test_a_reason_of_any_length_fits(letter):
    """Wherever it is kept: PostgreSQL refuses a letter too many, SQLite would take them all."""
    with change_scope(reason=letter * 600, source="test") as change:
        customer = make("customer", email="ann@example.com")
        model("customer").objects.filter(pk=customer.pk).update(name="Bob")
        write_records(model("customer"), updated=[customer], columns=["name"])
    kept = customer.history.filter(history_change=change.id).values_list("history_change_reason", flat=True)
    assert set(kept) == {letter * MAX_REASON} and len(kept) == 2
    data = csv_file(["name", "email"], ["Cy", "ann@example.com"])
    run, _ = import_file(entity("customer"), "c.csv", data, reason=letter * 600)
    run.refresh_from_db()
    assert run.reason == letter * MAX_REASON
    assert customer.history.first().history_change_reason == letter * MAX_REASON


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "is_staff", "reason"), [("post", True, "because"), ("get", True, ""), ("post", False, "")]
)
def test_a_request_of_the_staff_may_give_a_reason(method, is_staff, reason):
    user = person()
    user.is_staff = is_staff
    request = getattr(RequestFactory(), method)("/", {"change_reason": " because "})
    request.user = user
    seen = ChangeMiddleware(lambda _: current_change())(request)
    assert (seen.user, seen.reason, seen.source) == (user, reason, "admin")
    assert current_change().user is None


def test_a_request_of_nobody_is_nobodys_change():
    request = RequestFactory().post("/", {"change_reason": "x"})
    request.user = AnonymousUser()
    seen = ChangeMiddleware(lambda _: current_change())(request)
    assert (seen.user, seen.reason) == (None, "")
