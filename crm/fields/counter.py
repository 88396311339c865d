"""Hands out the numbers of sequences from the engine's table of counters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connection, connections, transaction
from django.db.models import F

_apart = threading.local()


def take_numbers(key: str, count: int, start: int, *, gapless: bool) -> int:
    """Take `count` numbers in a row from the counter `key`, and return the first.

    Gapless numbers are taken in the caller's transaction: the counter's row stays locked until it ends, and a
    transaction that fails gives its numbers back. Others are taken in a transaction of their own where the database
    can (PostgreSQL), so that saves do not wait for one another and a failed one leaves a gap.
    """
    with _counting(gapless) as using:
        return _take(using, key, count, start)


@contextmanager
def _counting(gapless: bool) -> Iterator[str]:
    """Give the database alias in whose transaction numbers are counted."""
    if gapless or connection.vendor != "postgresql":
        with transaction.atomic():
            yield "default"
        return
    if not hasattr(_apart, "connection"):
        _apart.connection = connections["default"].copy(alias="counter")
    connections["counter"] = _apart.connection
    try:
        with transaction.atomic(using="counter"):
            yield "counter"
    finally:
        _apart.connection.close()


def _take(using: str, key: str, count: int, start: int) -> int:
    counters = apps.get_model("crm", "Counter").objects.using(using)
    if not counters.filter(key=key).update(value=F("value") + count):
        counters.bulk_create([counters.model(key=key, value=start - 1)], ignore_conflicts=True)
        counters.filter(key=key).update(value=F("value") + count)
    return counters.get(key=key).value - count + 1


def raise_counter(key: str, value: int, *, gapless: bool) -> None:
    """Make sure that the counter `key` gives out numbers above `value` from now on.

    Where others are taken in a transaction of their own this is too: the caller would else wait for itself.
    """
    with _counting(gapless) as using:
        counters = apps.get_model("crm", "Counter").objects.using(using)
        counters.bulk_create([counters.model(key=key, value=value)], ignore_conflicts=True)
        counters.filter(key=key, value__lt=value).update(value=value)
