"""A small business with a field of every kind that expressions know, and rows with awkward values."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps

DOCUMENTS = {
    "app.yaml": {"name": "Shop", "time_zone": "UTC"},
    "party.yaml": {"fields": {"name": "text", "credit": "money", "since": "date", "city": "text"}},
    "order.yaml": {
        "fields": {
            "n": "integer",
            "m": "money",
            "p": "percent",
            "d": {"type": "decimal", "places": 3},
            "t": "text",
            "u": {"type": "text", "unique": True},
            "c": {"type": "choice", "choices": ["red", "green", "blue"]},
            "b": "boolean",
            "day": "date",
            "until": "date",
            "at": "datetime",
            "hour": "time",
            "lasts": "duration",
            "party": {"type": "link", "to": "party"},
            "lines": {"type": "table", "of": "line"},
        }
    },
    "line.yaml": {
        "fields": {
            "q": {"type": "decimal", "places": 2},
            "price": "money",
            "flag": "boolean",
            "on": "date",
            "at": "datetime",
            "lasts": "duration",
            "word": "text",
        }
    },
}
DOCUMENTS["line.yaml"]["fields"]["day"] = DOCUMENTS["line.yaml"]["fields"].pop("on")

VALUES: dict[str, list[Any]] = {
    "n": [None, 0, 1, -7, 3, 250],
    "m": [None, Decimal("0.00"), Decimal("0.67"), Decimal("-1.01"), Decimal("99999.99"), Decimal("2.50")],
    "p": [None, Decimal("17.50"), Decimal("0.00"), Decimal("100.00")],
    "d": [None, Decimal("1.005"), Decimal("-0.125"), Decimal("0.000"), Decimal("3.333")],
    "t": ["", "a", "Ärger", "ABC", "a'b"],
    "c": ["", "red", "green"],
    "b": [True, False],
    "day": [None, date(2026, 2, 28), date(2024, 2, 29), date(1999, 12, 31), date.max, date.min],
    "until": [None, date(2026, 3, 1), date(2026, 2, 28)],
    "at": [
        None,
        datetime(2026, 3, 1, 0, 30, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 500000, tzinfo=UTC),
        datetime(2025, 12, 31, 23, 59, 59, 999700, tzinfo=UTC),
        datetime(2026, 10, 24, 0, 30, tzinfo=UTC),
        datetime(2026, 3, 28, 1, 30, 0, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ],
    "hour": [None, time(9, 30), time(23, 59, 59)],
    "lasts": [None, timedelta(0), timedelta(hours=36, microseconds=5), timedelta(days=-2)],
}


def write_shop(label: str) -> None:
    """Write some parties, orders that have every awkward value once, and lines of none to three an order."""
    party, order, line = (apps.get_model(label, name) for name in ("Party", "Order", "Line"))
    parties = [
        party.objects.create(name="Ann", credit=Decimal("10.00"), since=date(2020, 1, 1), city="York"),
        party.objects.create(name="Bob", credit=None, since=None, city=""),
    ]
    steps = itertools.count()
    for number in range(24):
        picked = {
            name: values[(number * (2 + index) + number // 3) % len(values)]
            for index, (name, values) in enumerate(VALUES.items())
        }
        made = order.objects.create(**picked, party=[None, *parties][number % 3])
        for _ in range(number % 4):
            step = next(steps)
            line.objects.create(
                order=made,
                q=[None, Decimal("1.50"), Decimal("-2.00")][step % 3],
                price=[Decimal("0.67"), None, Decimal("10.01"), Decimal("0.05")][step % 4],
                flag=step % 2 == 0,
                day=[None, date(2026, 3, 1), date(2025, 12, 24)][step % 3],
                at=[None, datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)][step % 2],
                lasts=[None, timedelta(minutes=90), timedelta(seconds=1)][step % 3],
                word=["", "x", "red"][step % 3],
            )
