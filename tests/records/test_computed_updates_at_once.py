"""Two people add to the same record at once: both are in its sum, because the second waits for the first."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from tests.support.records import make, model
from tests.support.threads import in_threads

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a database with concurrent writers is needed: set DATABASE_URL to it"
)


def pay_at_once(invoice, *amounts):
    """Add payments in transactions that all begin before any ends."""
    begun, written = Barrier(len(amounts)), Barrier(len(amounts))

    def pay(index):
        with transaction.atomic():
            begun.wait(timeout=30)
            model("payment")(invoice=invoice, amount=Decimal(amounts[index])).save()
            with suppress(BrokenBarrierError):  # The others cannot write where they wait for this one's lock.
                written.wait(timeout=1)

    in_threads(len(amounts), pay)
    invoice.refresh_from_db()
    return invoice.paid


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_two_payments_at_once_are_both_in_the_sum():
    assert pay_at_once(make("invoice", booking=make("booking")), 10, 32) == Decimal(42)
    assert model("booking").objects.get().paid == Decimal(42)


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_one_would_be_lost(monkeypatch):
    """The control: where nobody waits, the sum is that of one payment only."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows.none())
    found = pay_at_once(make("invoice"), 10, 32)
    assert model("payment").objects.count() == 2 and found in {Decimal(10), Decimal(32)}
