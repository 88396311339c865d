"""Forms and filters take numbers as the business writes them, and show them so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError

from crm.builders.filter_fields import NumberField
from crm.fields.numbers import read_number
from tests.support.pages import fill_in
from tests.support.records import business, make, model

pytestmark = pytest.mark.django_db


@pytest.fixture
def german(monkeypatch):
    """Let the business be one of a region with the decimal comma, while its tables stay as they are."""
    app = business().app.model_copy(update={"region": "DE", "currency": "EUR"})
    monkeypatch.setitem(business().__dict__, "app", app)


def inputs(name: str, rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    return admin.site._registry[model(name)].get_form(request).base_fields


def test_an_amount_is_shown_and_taken_with_the_comma(german, rf, admin_user):
    field = inputs("trip", rf, admin_user)["price"]
    assert field.prepare_value(Decimal("1375.50")) == "1375,50"
    assert field.clean("1.375,50") == Decimal("1375.50") == field.clean("1375,5 €")
    assert 'inputmode="decimal"' in field.widget.render("price", field.prepare_value(Decimal("0.5")))
    assert not field.has_changed(Decimal("1375.50"), "1.375,50")
    for wrong in ("0.125", "1,375.50"):
        with pytest.raises(ValidationError, match="not a number where they are written as 1.234,56"):
            field.clean(wrong)


def test_a_whole_number_may_have_points_between_its_groups(german, rf, admin_user):
    field = inputs("trip", rf, admin_user)["capacity"]
    with pytest.raises(ValidationError, match="less than or equal to 400"):
        field.clean("1.200")  # 1200: neither 1.2 nor 1
    assert field.clean("12") == 12
    assert 'type="text"' in field.widget.render("capacity", "1200")


def test_where_a_point_is_written_nothing_is_different(rf, admin_user):
    field = inputs("trip", rf, admin_user)["price"]
    assert field.prepare_value(Decimal("1375.50")) == "1375.50"
    assert field.clean("1,375.50") == Decimal("1375.50")
    assert 'type="number"' in inputs("trip", rf, admin_user)["capacity"].widget.render("capacity", 12)


def test_a_form_that_was_shown_saves_what_was_there(german, signed_in):
    trip = make("trip", price=Decimal("1375.50"))
    page = f"/admin/travel/trip/{trip.pk}/change/"
    assert 'value="1375,50"' in signed_in.get(page).content.decode()
    assert fill_in(signed_in, page, "trip_form", name="Renamed").status_code == 302
    trip.refresh_from_db()
    assert (trip.name, trip.price) == ("Renamed", Decimal("1375.50"))


@pytest.mark.parametrize(("typed", "value"), [("1,5", "1.5"), ("1.200", "1200"), ("12.5", "12.5"), ("7", "7")])
def test_a_filter_reads_what_is_typed_and_what_addresses_hold(german, typed, value):
    field = NumberField(model("trip").definition.find("price"))
    assert field.clean(typed) == Decimal(value) == read_number(value)


def test_a_list_is_filtered_by_a_number_with_a_comma(german, signed_in):
    for price in ("10.50", "99.00"):
        make("trip", name=f"Trip {price}", price=Decimal(price))
    page = signed_in.get("/admin/travel/trip/?price_min=10,5&price_max=98,99").content.decode()
    assert "Trip 10.50" in page and "Trip 99.00" not in page
    assert 'value="10,5"' in page
