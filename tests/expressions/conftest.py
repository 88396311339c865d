"""The shop of the expressions, with its rows in the database."""

from __future__ import annotations

import pytest
from django.apps import apps
from properties.world import installed

from tests.expressions.shop import DOCUMENTS, write_shop


@pytest.fixture(scope="package")
def order(django_db_setup, django_db_blocker):
    """The model of the shop's orders."""
    with django_db_blocker.unblock(), installed(DOCUMENTS) as business:
        write_shop(business.label)
        yield apps.get_model(business.label, "Order")
