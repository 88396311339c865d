"""The lender of bikes, with its tables in the database."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from properties.world import installed

from crm.records.access import VERBS, group_name
from tests.capabilities.workflow.shop import documents


@pytest.fixture(scope="package")
def bikes(django_db_setup, django_db_blocker):
    """The models of the lender: `Loan`, `Bike`, and the `business` itself."""
    with django_db_blocker.unblock(), installed(documents()) as business:
        models = {name: apps.get_model(business.label, name) for name in ("Loan", "Bike")}
        ContentType.objects.get_for_model(models["Loan"])  # As `migrate` makes it; it is kept in memory beyond a test.
        yield SimpleNamespace(business=business, **models)
        ContentType.objects.filter(app_label=business.label).delete()
        ContentType.objects.clear_cache()


@pytest.fixture
def loan(db, bikes):
    """A loan that can be lent out."""
    made = bikes.Loan.objects.create(number="L1", deposit=100, place="Yard behind it")
    bikes.Bike.objects.create(loan=made, name="Red")
    return made


@pytest.fixture
def worker(db, bikes):
    """Make somebody of the staff with a role of the lender's, who may do everything with records."""

    def make(role: str):
        user = get_user_model().objects.create(username=f"{role or 'nobody'}-at-the-bikes", is_staff=True)
        if role:
            user.groups.add(Group.objects.get_or_create(name=group_name(bikes.business, role))[0])
        models = [one.class_name.lower() for one in bikes.business.entities.values()]
        given = {f"{bikes.business.label}.{verb}_{model}" for verb in VERBS for model in models}
        user.get_user_permissions = lambda: given
        return user

    return make
