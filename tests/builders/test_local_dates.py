"""Forms, filters and calendars take days in the order that the business's region writes them, and show them so."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from django.utils.formats import reset_format_cache

from tests.support.pages import address, fill_in
from tests.support.records import business, make

pytestmark = pytest.mark.django_db
TYPED = [
    ("DE", "01.12.2026", date(2026, 12, 1)),
    ("DE", "1.2.26", date(2026, 2, 1)),
    ("DE", "2026-12-01", date(2026, 12, 1)),
    ("US", "04/05/2027", date(2027, 4, 5)),
    ("US", "13/05/2027", None),
    ("GB", "04/05/2027", date(2027, 5, 4)),
    ("GB", "05/13/2027", None),
    (None, "04/05/2027", date(2027, 5, 4)),
    ("SE", "2027-05-04", date(2027, 5, 4)),
    ("JP", "2027/05/04", date(2027, 5, 4)),
    ("HU", "2027.05.04", date(2027, 5, 4)),
]
SHOWN = {"DE": "05.04.2027", "US": "04/05/2027", "GB": "05/04/2027", None: "05/04/2027", "SE": "2027-04-05"}


@pytest.fixture
def of_region(monkeypatch):
    """Return a function that lets the business be one of a region, while its tables stay as they are."""

    def move(region):
        monkeypatch.setitem(business().__dict__, "app", business().app.model_copy(update={"region": region}))
        reset_format_cache()

    yield move
    monkeypatch.undo()
    reset_format_cache()


@pytest.mark.parametrize(("region", "typed", "day"), TYPED)
def test_a_day_is_read_as_the_region_writes_it(of_region, signed_in, region, typed, day):
    of_region(region)
    customer = make("customer", birthday=None)
    answer = fill_in(signed_in, address("customer", "change", customer.pk), "customer_form", birthday=typed)
    customer.refresh_from_db()
    assert customer.birthday == day
    if day is None:
        (said,) = answer.context["adminform"].form.errors["birthday"]
        assert said.startswith("Enter a date that there is, such as ")


@pytest.mark.parametrize("region", SHOWN)
def test_a_form_shows_days_so_and_saves_what_it_shows(of_region, signed_in, region):
    of_region(region)
    customer = make("customer", birthday=date(2027, 4, 5))
    page = address("customer", "change", customer.pk)
    assert f'value="{SHOWN[region]}"' in signed_in.get(page).content.decode()
    assert fill_in(signed_in, page, "customer_form", name="Ada").status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.birthday) == ("Ada", date(2027, 4, 5))


def test_the_calendar_and_the_empty_input_have_the_same_order(of_region, signed_in):
    of_region("DE")
    assert '"%d.%m.%Y"' in signed_in.get(reverse("admin:jsi18n")).content.decode()
    assert 'placeholder="dd.mm.yyyy"' in signed_in.get(address("customer", "add")).content.decode()


def test_a_filter_takes_days_as_the_region_writes_them(of_region, signed_in):
    of_region("US")
    made = [make("customer", birthday=date(2027, 4, 5)), make("customer", birthday=date(2027, 5, 3))]
    answer = signed_in.get(address("customer"), {"birthday_after": "04/06/2027"})
    assert list(answer.context["cl"].result_list) == made[1:]
