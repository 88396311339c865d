"""Two acts at once that each keep a rule, and would break it together: only one of them stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import close_old_connections, connection, connections, transaction

from crm.records import rules
from crm.records.rules import RuleBroken
from tests.support.records import make, model

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a database with concurrent writers is needed: set DATABASE_URL to it"
)


def drafts(customer, *amounts):
    found = []
    for amount in amounts:
        invoice = make("invoice", customer=customer)
        make("invoice_line", invoice=invoice, price=Decimal(amount), tax=0)
        found.append(model("invoice").objects.get(pk=invoice.pk))
    return found


def send_at_once(invoices):
    """Send invoices in transactions that all begin before any ends; return how many were refused."""
    begun, written = Barrier(len(invoices)), Barrier(len(invoices))

    def send(invoice):
        try:
            with transaction.atomic():
                begun.wait(timeout=30)
                invoice.status = "sent"
                invoice.save()
                wait_for(written)
        except RuleBroken:
            return 1
        finally:
            connections.close_all()
        return 0

    with ThreadPoolExecutor(len(invoices)) as pool:
        refused = sum(pool.map(send, invoices))
    close_old_connections()
    return refused


def wait_for(written):
    """Wait until the others have written as well; they cannot where they wait for this transaction's lock."""
    try:
        written.wait(timeout=1)
    except BrokenBarrierError:
        return


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_credit_limit_holds_for_two_invoices_that_are_sent_at_once():
    invoices = drafts(make("customer", credit_limit=Decimal(100)), 60, 60)
    assert send_at_once(invoices) == 1
    assert sorted(model("invoice").objects.values_list("status", flat=True)) == ["draft", "sent"]


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_invoices_that_are_within_the_limit_together_are_both_sent():
    assert send_at_once(drafts(make("customer", credit_limit=Decimal(100)), 50, 50)) == 0


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_would_be_sent(monkeypatch):
    """The control: it is the lock of the parents that lets only one win."""
    monkeypatch.setattr(rules, "_lock_parents", lambda rule, rows: None)
    invoices = drafts(make("customer", credit_limit=Decimal(100)), 60, 60)
    assert send_at_once(invoices) == 0
    assert model("invoice").objects.filter(status="sent").count() == 2
