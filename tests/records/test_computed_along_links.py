"""Kept values that read the records of a list at the end of a link, and texts that are cut to their column."""

from __future__ import annotations

import pytest
from django.apps import apps
from properties.world import installed

from crm.records.computed import compute
from crm.records.writes import write_records

pytestmark = pytest.mark.django_db
GARAGE = {
    "app.yaml": {"name": "Garage"},
    "owner.yaml": {"fields": {"name": "text"}},
    "car.yaml": {"fields": {"owner": {"type": "link", "to": "owner", "on_delete": "cascade"}, "price": "money"}},
    "letter.yaml": {
        "fields": {
            "reader": {"type": "link", "to": "owner", "on_delete": "empty"},
            "worth": {"type": "money", "compute": "sum(reader.cars.price)"},
            "greeting": {"type": "text", "max_length": 6, "compute": "reader.name"},
        },
    },
}


@pytest.fixture(scope="module")
def garage(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(GARAGE) as business:
        yield lambda name: apps.get_model(business.label, name)


def kept(letter):
    """Return what is kept of a letter, which is what its expressions say."""
    letter.refresh_from_db()
    for leaf in (one for one in letter.definition.leaves if one.computed is not None):
        assert getattr(letter, leaf.name) == compute(letter, leaf), leaf
    return letter.worth


def test_a_sum_beyond_a_link_follows_every_write_of_what_it_adds_up(garage):
    ann, ben = (garage("owner").objects.create(name=name) for name in ("Ann", "Ben"))
    garage("letter").objects.bulk_create([garage("letter")() for _ in range(9)])  # No letter has the key of an owner.
    letters = [garage("letter").objects.create(reader=one) for one in (ann, ben)]

    def worth():
        return [kept(letter) for letter in letters]

    car = garage("car").objects.create(owner=ann, price=5)
    assert worth() == [5, 0]
    car.price = 7
    write_records(type(car), updated=[car], columns=["price"])
    assert worth() == [7, 0]
    garage("car").objects.create(owner=ben, price=1)
    car.owner = ben
    car.save()
    assert worth() == [0, 8]
    garage("car").objects.filter(price=1).delete()
    assert worth() == [0, 7]
    letters[0].reader = ben
    letters[0].save()
    assert worth() == [7, 7]
    ben.delete()
    assert worth() == [0, 0]


def test_a_text_is_cut_to_its_column_in_python_as_in_the_database(garage):
    owner = garage("owner").objects.create(name="Annabel")
    letter = garage("letter").objects.create(reader=owner)
    kept(letter)
    assert letter.greeting == "Annabe"
    garage("owner").objects.filter(pk=owner.pk).update(name="Zoë 𝄞 and others")
    kept(letter)
    assert letter.greeting == "Zoë 𝄞 "
