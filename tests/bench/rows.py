"""Believable rows, the same in every run: customers, trips and bookings as a file holds them."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

STAFF = ("admin", "sam", "kim", "ola")
"""The people of the staff; the first may do everything, and looks at the pages that are measured."""
FIRST = ("Ada", "Barbara", "Chinwe", "Dmitri", "Eleanor", "Farid", "Grace", "Hiro", "Ines", "Jakub", "Kofi", "Leila")
LAST = ("Okafor", "Lonsdale", "Rankine", "Pemberton", "Haddad", "Novak", "Tanabe", "Ortega", "Galbraith", "Mensah")
CITIES = (("London", "E17 1ZD"), ("Leeds", "LS1 4AP"), ("Bristol", "BS1 5TR"), ("York", "YO1 7HH"), ("Bath", "BA1 1LZ"))
PLACES = (("Rome and Assisi", "IT"), ("Kyoto and Nara", "JP"), ("Andalusia", "ES"), ("Lisbon", "PT"), ("Kraków", "PL"))
STATUSES = ("draft", "held", "confirmed", "confirmed", "confirmed", "cancelled")
START = date(2024, 1, 1)


def customers(count: int) -> Iterator[dict[str, Any]]:
    """Yield customers; `email` tells them apart, `owner` is a user name."""
    chance = random.Random(1)
    for index in range(count):
        city, postcode = chance.choice(CITIES)
        company = index % 7 == 0
        yield {
            "name": f"{chance.choice(FIRST)} {chance.choice(LAST)} {index}",
            "kind": "company" if company else "person",
            "email": f"guest{index}@example.org",
            "phone": f"+44207946{index % 1000:04}",
            "birthday": "" if company else str(date(1940, 1, 1) + timedelta(days=chance.randrange(22_000))),
            "address_street": f"{chance.randrange(1, 200)} Bridge Street",
            "address_city": city,
            "address_postcode": postcode,
            "address_country": "GB",
            "company_number": f"{10_000_000 + index}" if company else "",
            "payment_terms": chance.choice((14, 30)),
            "credit_limit": f"{chance.randrange(50) * 100}.00",
            "owner": chance.choice(STAFF),
            "newsletter": chance.choice(("1", "0")),
            "reference": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        }


def trips(count: int) -> Iterator[dict[str, Any]]:
    """Yield trips; `code` tells them apart."""
    chance = random.Random(2)
    for index in range(count):
        place, country = chance.choice(PLACES)
        start = START + timedelta(days=chance.randrange(1000))
        yield {
            "code": f"T-{index:05}",
            "name": f"{place} {index}",
            "slug": f"trip-{index}",
            "country": country,
            "status": chance.choice(("planned", "selling", "departed")),
            "start_date": str(start),
            "end_date": str(start + timedelta(days=7)),
            "capacity": chance.randrange(12, 50),
            "price": f"{chance.randrange(500, 4000)}.00",
            "deposit": "20.00",
            "summary": "Seven unhurried days with a guide who grew up there.",
        }


def bookings(count: int, of_customers: int, of_trips: int) -> Iterator[dict[str, Any]]:
    """Yield bookings; `number` tells them apart, links are written by what tells their targets apart."""
    chance = random.Random(3)
    for index in range(count):
        yield {
            "number": f"B-2024-{index:07}",
            "customer": f"guest{chance.randrange(of_customers)}@example.org",
            "trip": f"T-{chance.randrange(of_trips):05}",
            "status": chance.choice(STATUSES),
            "booked_on": str(START + timedelta(days=chance.randrange(1000))),
            "seats": chance.randrange(1, 9),
            "unit_price": f"{chance.randrange(500, 4000)}.00",
            "discount": f"{chance.randrange(3) * 50}.00",
            "sold_by": chance.choice(STAFF),
            "wishes": "A quiet room, please." if index % 5 == 0 else "",
            "extras": json.dumps({"source": "website", "room": chance.choice(("twin", "double"))}),
        }
