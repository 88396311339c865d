"""Two people who save the same record at the very same moment, on a database where both can write at once."""

from __future__ import annotations

import time
from threading import Barrier

import pytest
from django.db import connection

from crm.builders.record_form import RecordForm
from tests.support.pages import address, form_data
from tests.support.people import client_of, person
from tests.support.records import make, model
from tests.support.threads import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slow_saves(monkeypatch):
    """Hold every save between the check of the form and the writing, so that two at once always meet there."""
    check = RecordForm.clean

    def clean(self):
        cleaned = check(self)
        time.sleep(0.5)
        return cleaned

    monkeypatch.setattr(RecordForm, "clean", clean)


def save_at_once(record, without=()):
    """Let two people change a field each of the same record at once; return the status of both answers."""
    user = person(is_superuser=True)
    clients, start = (client_of(user), client_of(user)), Barrier(2)
    changes = {"name": "Ada Okafor"}, {"vat_number": "GB1"}
    url = address("customer", "change", record.pk)
    opened = [form_data(client.get(url), "customer_form") for client in clients]

    def work(index):
        data = {key: value for key, value in opened[index].items() if key not in without}
        start.wait(timeout=30)
        return clients[index].post(url, {**data, **changes[index]}).status_code

    return set(in_threads(2, work))


def test_one_of_two_saves_at_the_same_moment_is_refused(slow_saves):
    if connection.vendor != "postgresql":
        pytest.skip("a database with concurrent writers is needed: set DATABASE_URL to a PostgreSQL")
    record = make("customer", name="Ada", kind="company")
    assert save_at_once(record) == {200, 302}
    kept = model("customer").objects.get()
    assert (kept.name, kept.vat_number) in {("Ada Okafor", ""), ("Ada", "GB1")}


def test_without_the_check_both_are_taken_and_one_change_is_lost(slow_saves):
    """The control: forms that do not say what they have seen overwrite one another."""
    if connection.vendor != "postgresql":
        pytest.skip("a database with concurrent writers is needed: set DATABASE_URL to a PostgreSQL")
    record = make("customer", name="Ada", kind="company")
    assert save_at_once(record, without={"record_seen"}) == {302}
    kept = model("customer").objects.get()
    assert (kept.name, kept.vat_number) != ("Ada Okafor", "GB1")
