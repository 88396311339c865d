"""What a new record needs and its form does not ask for is told above the form: the database is not asked in vain."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest
import yaml
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.urls import path
from properties.world import installed

from crm.builders.admin import register_all
from crm.builders.site import Site
from crm.wiring import CAPABILITIES
from tests.support.pages import form_data, text_of

HIVE = """
fields:
  name: {type: text, required: true}
  weight: {type: integer, required: true, read_only: true}
  moved: boolean
  site: text
show: {site: {required_if: moved}}
"""
BOX = """
fields:
  name: text
  moved: boolean
  site: text
show: {site: {required_if: moved}}
form: {quick: [name, moved]}
"""
DOCUMENTS = {
    "app.yaml": {"name": "Bees"},
    "hive.yaml": yaml.safe_load(HIVE),
    "box.yaml": yaml.safe_load(BOX),
}


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(DOCUMENTS) as business:
        models = {name: apps.get_model(business.label, name) for name in ("Hive", "Box")}
        ContentType.objects.get_for_models(*models.values())  # As `migrate` makes them.
        site = Site(name="admin")
        site.__dict__["business"] = business
        register_all(business, CAPABILITIES, site)
        addresses = ModuleType("bee_addresses")
        addresses.urlpatterns = [path("admin/", site.urls)]  # type: ignore[attr-defined]
        yield SimpleNamespace(business=business, addresses=addresses, **models)
        ContentType.objects.filter(app_label=business.label).delete()
        ContentType.objects.clear_cache()


@pytest.fixture
def bees(built, db, settings):
    settings.ROOT_URLCONF = built.addresses
    return built


def add(client, bees, entity: str, query: str = "", **values: str):
    url = f"/admin/{bees.business.label}/{entity}/add/{query}"
    return client.post(url, {**form_data(client.get(url), f"{entity}_form"), **values})


def test_a_required_field_that_no_form_asks_for(bees, admin_client):
    answer = add(admin_client, bees, "hive", name="Oak")
    assert answer.status_code == 200
    assert "Weight: It is required, and this form does not ask for it." in text_of(answer)
    assert not bees.Hive.objects.exists()


def test_what_a_condition_requires_in_the_short_form(bees, admin_client):
    answer = add(admin_client, bees, "box", "?_quick=1", name="Oak", moved="on")
    assert answer.status_code == 200
    assert "Site: This field is required." in text_of(answer)
    assert not bees.Box.objects.exists()
    assert add(admin_client, bees, "box", "?_quick=1", name="Oak").status_code == 200
    assert bees.Box.objects.count() == 1
