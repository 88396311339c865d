"""Two people add to the same record at once: both are in its sum, because the second waits for the first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import close_old_connections, connection, connections, transaction
from django.db.models import QuerySet

from tests.support.records import make, model

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a database with concurrent writers is needed: set DATABASE_URL to it"
)


def pay_at_once(invoice, *amounts):
    """Add payments in transactions that all begin before any ends."""
    begun, written = Barrier(len(amounts)), Barrier(len(amounts))

    def pay(amount):
        try:
            with transaction.atomic():
                begun.wait(timeout=30)
                model("payment")(invoice=invoice, amount=Decimal(amount)).save()
                wait_for(written)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(amounts)) as pool:
        list(pool.map(pay, amounts))
    close_old_connections()
    invoice.refresh_from_db()
    return invoice.paid


def wait_for(written):
    """Wait until the others have written as well; they cannot where they wait for this transaction's lock."""
    try:
        written.wait(timeout=1)
    except BrokenBarrierError:
        return


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
