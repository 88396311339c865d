"""The shop with a trash, installed for the tests of this folder."""

from __future__ import annotations

import pytest
from django.apps import apps
from properties.world import installed

from tests.capabilities.trash.shop import DOCUMENTS


class Models:
    """The models of the shop by name: `shop.order`."""

    def __init__(self, label: str):
        self.label = label

    def __getattr__(self, name: str):
        return apps.get_model(self.label, name.capitalize())


@pytest.fixture(scope="package")
def built(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(DOCUMENTS) as business:
        yield Models(business.label)


@pytest.fixture
def shop(built, db):
    return built
