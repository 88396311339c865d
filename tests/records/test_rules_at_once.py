"""Two acts at once that each keep a rule, and would break it together: only one of them stays."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection, transaction

from crm.records import rules
from crm.records.rules import RuleBroken
from tests.support.records import make, model
from tests.support.threads import in_threads

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

    def send(index):
        try:
            with transaction.atomic():
                begun.wait(timeout=30)
                invoices[index].status = "sent"
                invoices[index].save()
                with suppress(BrokenBarrierError):  # The others cannot write where they wait for this one's lock.
                    written.wait(timeout=1)
        except RuleBroken:
            return 1
        return 0

    return sum(in_threads(len(invoices), send))


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
