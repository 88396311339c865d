"""Who fuzzes: an admin and a person of a role that sees little, in a business with a few records of each entity."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.test import Client

from tests.fuzz.requests import Fuzzer
from tests.support.people import client_of, person
from tests.support.records import business, make


def fuzzer(seed: int, role: str = "") -> Fuzzer:
    """Make the records and people, and return a fuzzer of them; without a `role`, of somebody who only reads."""
    for entity in business().entities.values():
        make(entity.name, full=True)
        make(entity.name)
    admin = get_user_model()._default_manager.create_superuser("fuzz", "fuzz@example.org", "fuzz")
    return Fuzzer({"admin": client_of(admin), role or "reader": client_of(role or reader()), "nobody": Client()}, seed)


def reader() -> Any:
    """Return somebody who may look at everything and import it, and change nothing; for a business without roles."""
    user = person()
    verbs = Permission.objects.filter(content_type__app_label=business().label)
    user.user_permissions.set(verbs.filter(Q(codename__startswith="view_") | Q(codename__startswith="import_")))
    return user
