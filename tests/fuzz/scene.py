"""Who fuzzes: an admin and a person of a role that sees little, in a business with a few records of each entity."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.test import Client

from tests.fuzz.requests import Fuzzer
from tests.support.people import client_of
from tests.support.records import business, make


def fuzzer(seed: int, role: str = "") -> Fuzzer:
    """Make the records and people, and return a fuzzer of them; without a `role` it is the last of the business."""
    for entity in business().entities.values():
        make(entity.name, full=True)
        make(entity.name)
    admin = get_user_model()._default_manager.create_superuser("fuzz", "fuzz@example.org", "fuzz")
    role = role or list(business().roles)[-1]
    return Fuzzer({"admin": client_of(admin), role: client_of(role), "nobody": Client()}, seed)
