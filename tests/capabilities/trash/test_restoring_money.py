"""What comes back from the trash meets its rules again: a credit limit that was filled meanwhile holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crm.capabilities.trash.soft_delete import restore
from crm.records.rules import RuleBroken
from tests.support.pages import address, said
from tests.support.records import make, model

pytestmark = pytest.mark.django_db
LIMIT = "Ada may owe £100.00 at most."


@pytest.fixture
def owing():
    """An invoice in the trash, and another one meanwhile: together they are beyond what their customer may owe."""
    customer = make("customer", name="Ada", credit_limit=Decimal(100))

    def send(amount: int):
        invoice = make("invoice", customer=customer, due_on=date(2041, 3, 1))
        make("invoice_line", invoice=invoice, price=Decimal(amount), tax=0)
        invoice.refresh_from_db()
        invoice.status = "sent"
        invoice.save()
        return invoice

    first = send(80)
    model("invoice").objects.get(pk=first.pk).delete()
    send(90)
    return model("invoice")._base_manager.get(pk=first.pk)


def test_an_invoice_does_not_come_back_beyond_the_credit_limit(owing):
    with pytest.raises(RuleBroken, match=LIMIT):
        restore(owing)
    assert not model("invoice").objects.filter(pk=owing.pk).exists()
    assert not model("invoice_line").objects.filter(invoice=owing.pk).exists()


def test_the_page_of_the_trash_says_why(signed_in, owing):
    page = signed_in.post(address("invoice", "trash"), {"act": "restore", "record": [owing.pk]}, follow=True)
    assert said(page)[0].endswith(f"was not restored. {LIMIT}")
    assert not model("invoice").objects.filter(pk=owing.pk).exists()


def test_it_comes_back_once_there_is_room_again(owing):
    customer = owing.customer
    customer.credit_limit = Decimal(170)
    customer.save()
    assert restore(owing) == 2
