"""The shop with a trash, installed for the tests of this folder."""

from __future__ import annotations

import pytest
from django.apps import apps
from properties.world import read_business, world

from tests.capabilities.trash.shop import DOCUMENTS


class Models:
    """The models of the shop by name: `shop.order`."""

    def __init__(self, label: str):
        self.label = label

    def __getattr__(self, name: str):
        return apps.get_model(self.label, name.capitalize())


@pytest.fixture(scope="package")
def built(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), world() as here:
        business = read_business(here.label, DOCUMENTS)
        here.install(business)
        here.migrate(here.to_do(business))
        yield Models(here.label)


@pytest.fixture
def shop(built, db):
    return built
