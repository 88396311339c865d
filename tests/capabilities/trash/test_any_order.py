"""Whatever is deleted, restored and purged in whatever order: what is there, and its sums, is what a person expects."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import ProtectedError
from django.utils import timezone

from crm.capabilities.trash.purging import purge
from crm.capabilities.trash.soft_delete import restore
from crm.records.rules import RuleBroken
from tests.support.examples import TIMES

NAMES = ("buyer", "order", "line", "remark", "note")
PARENTS = {"order": ("buyer",), "line": ("order",), "remark": ("line", "order")}
"""What takes a record along, or keeps it from coming back."""


def everything(shop, *, there):
    """Return the keys of all records, or of those that are there, by the name of their entity."""
    found = {}
    for name in NAMES:
        rows = getattr(shop, name)._base_manager
        keep = getattr(shop, name).keeps_deleted
        found[name] = set((rows.filter(deleted_at=None) if there and keep else rows.all()).values_list("pk", flat=True))
    return found


def add_one(shop, random):
    buyers, orders, lines = (list(model.objects.order_by("pk")) for model in (shop.buyer, shop.order, shop.line))
    name = str(random.random())
    choice = random.randrange(5)
    if choice == 0 or not buyers:
        shop.buyer.objects.create(name=name, email=name)
    elif choice == 1 or not orders:
        friend = random.choice([*buyers, None])
        shop.order.objects.create(name=name, buyer=random.choice(buyers), friend=friend)
    elif choice == 2 or not lines:
        shop.line.objects.create(order=random.choice(orders), name=name, price=Decimal(random.randrange(1, 50)))
    elif choice == 3:
        shop.remark.objects.create(name=name, line=random.choice([*lines, None]), order=random.choice([*orders, None]))
    else:
        shop.note.objects.create(name=name, about=random.choice(orders))


def delete_one(shop, random):
    rows = [one for name in ("buyer", "order") for one in getattr(shop, name).objects.order_by("pk")]
    if rows:
        gone = random.choice(rows)
        try:
            gone.delete()
        except ProtectedError:
            assert type(gone) is shop.buyer and shop.order.objects.filter(buyer=gone).exists()
        else:
            assert not type(gone).objects.filter(pk=gone.pk).exists()


def restore_one(shop, random):
    models = (shop.buyer, shop.order)
    rows = [one for model in models for one in model._base_manager.exclude(deleted_at=None).order_by("pk")]
    if not rows:
        return
    record = random.choice(rows)
    try:
        restore(record)
    except (ValidationError, RuleBroken):
        assert type(record) is shop.order
        remarks = shop.remark._base_manager
        needed = [
            *shop.buyer._base_manager.filter(pk=record.buyer_id).exclude(deleted_at=None),
            *remarks.filter(order=record).exclude(line__deleted_at=None),
            *remarks.filter(line__order=record).exclude(order=record).exclude(order__deleted_at=None),
        ]
        assert needed, "only what it needs and is in the trash itself keeps it there"
    else:
        assert type(record).objects.filter(pk=record.pk).exists()


def purge_some(shop, random):
    rows = shop.order._base_manager.exclude(deleted_at=None).order_by("pk")
    keys = [one.pk for one in rows if random.random() < 0.5]
    shop.order._base_manager.filter(pk__in=keys).update(deleted_at=timezone.now() - timedelta(days=3))
    before = everything(shop, there=True)
    purge(shop.order.definition.business, dry_run=False)
    assert everything(shop, there=True) == before, "what is there is never purged"


def check(shop):
    """Hold what is there against what a person expects: nothing hangs loose, and every sum is right."""
    there = everything(shop, there=True)
    for order in shop.order.objects.all():
        assert order.buyer_id in there["buyer"]
        assert order.total == sum(one.price for one in shop.line.objects.filter(order=order))
    for buyer in shop.buyer.objects.all():
        assert buyer.spent == sum(one.total for one in shop.order.objects.filter(buyer=buyer))
    for line in shop.line.objects.all():
        assert line.order_id in there["order"]
    for remark in shop.remark.objects.all():
        assert remark.order_id is None or remark.order_id in there["order"]
        assert remark.line_id is None or remark.line_id in there["line"]
    for name in NAMES:
        model = getattr(shop, name)
        assert set(model.objects.values_list("pk", flat=True)) == there[name]
    connection.check_constraints()


@pytest.mark.parametrize("seed", range(4 * TIMES))
def test_in_any_order(shop, seed):
    random = Random(seed)
    for _ in range(20):
        add_one(shop, random)
    for _ in range(60):
        random.choice([add_one, add_one, delete_one, delete_one, restore_one, restore_one, purge_some])(shop, random)
        check(shop)
    for record in [*shop.buyer._base_manager.exclude(deleted_at=None)]:
        restore(record)
    for _ in range(10):  # A remark of one order may wait for the line of another.
        for record in shop.order._base_manager.exclude(deleted_at=None):
            with suppress(ValidationError):
                restore(record)
    check(shop)
    kept = everything(shop, there=False)
    assert kept["buyer"] and kept["order"], "something is there at the end"
    assert everything(shop, there=True) == kept, "nothing is left in the trash"
