"""What must be unique is so by its comparison form, for every way in, and the database itself keeps doubles out."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from properties.world import installed

from crm.fields.comparison import key_name
from crm.models import Tag
from crm.records.identity import is_unique, refresh_keys, set_keys, unique_groups
from crm.records.rules import RuleBroken
from crm.records.writes import write_records
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db
KEY = key_name("email")
SAME = ["Ann@Example.org", "ann@example.org\u200b", "ANN@EXAMPLE.ORG", " ann@example.org"]


@pytest.fixture
def ann():
    return make("customer", name="Ann", email="ann@example.org")


@pytest.mark.parametrize("email", SAME)
def test_a_form_says_beside_the_field_that_the_value_is_taken(ann, email):
    double = model("customer")(name="Other", email=email)
    with pytest.raises(ValidationError) as refused:
        double.full_clean()
    assert list(refused.value.message_dict) == ["email"]
    ann.email = "ANN@example.org"
    ann.full_clean()  # itself, as it is spelt now
    ann.save()
    assert model("customer").objects.get(pk=ann.pk).email == "ANN@example.org"


@pytest.mark.parametrize("email", SAME)
def test_update_refuses_a_double_with_the_words_of_the_form(ann, email):
    other = make("customer", name="Other", email="other@example.org")
    rows = model("customer").objects.filter(pk=other.pk)
    with pytest.raises(RuleBroken) as refused, transaction.atomic():
        rows.update(email=email, name="Changed")
    assert (refused.value.field, refused.value.record.pk) == ("email", other.pk)
    assert refused.value.messages == ["Customer with this Email already exists."]
    assert rows.get().name == "Other"
    with pytest.raises(RuleBroken):
        model("customer").objects.update(email="same@example.org")
    with pytest.raises(RuleBroken):
        rows.update(email=models.Value("ann@example.org"))
    assert rows.update(email="new@example.org") == 1


@pytest.mark.parametrize("email", SAME)
def test_the_database_refuses_a_double_by_itself(ann, email):
    with pytest.raises(IntegrityError), transaction.atomic():
        make("customer", name="Other", email=email)
    with pytest.raises(IntegrityError), transaction.atomic():
        write_records(model("customer"), created=[model("customer")(name="Other", email=email)])
    other = make("customer", name="Other", email="other@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        model("customer").objects.filter(pk=other.pk).update(email=email)
    other.email = email
    with pytest.raises(IntegrityError), transaction.atomic():
        write_records(model("customer"), updated=[other], columns=["email"])
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save(update_fields=["email"])


def test_every_write_moves_the_key_along(ann):
    rows = model("customer").objects.filter(pk=ann.pk)
    ann.email = "B@x.org"
    ann.save()
    assert rows.values_list(KEY, flat=True).get() == "b@x.org"
    rows.update(email="C@x.org")
    assert rows.values_list(KEY, flat=True).get() == "c@x.org"
    rows.update(email=models.Value("D@x.org"))
    assert rows.values_list(KEY, flat=True).get() == "d@x.org"
    record = rows.get()
    record.email = "E@x.org"
    write_records(model("customer"), updated=[record], columns=["email"])
    assert rows.values_list(KEY, flat=True).get() == "e@x.org"
    record.email = "F@x.org"
    record.save(update_fields=["email"])
    assert rows.values_list(KEY, flat=True).get() == "f@x.org"
    model("customer")._base_manager.filter(pk=ann.pk).update(email="G@x.org")
    assert refresh_keys(model("customer"), [ann.pk]) == 1
    assert rows.values_list(KEY, flat=True).get() == "g@x.org"
    assert refresh_keys(model("customer"), [ann.pk]) == 0


def test_any_number_of_records_may_have_nothing():
    first, second = (make("customer", name=name, email=None) for name in ("One", "Two"))
    first.full_clean()
    assert {first.email, second.email} == {None}


def test_what_lies_in_the_trash_takes_no_value(ann):
    ann.delete()
    make("customer", name="Ann again", email="Ann@example.org")
    assert model("customer").objects.get(email="Ann@example.org").name == "Ann again"


def test_a_version_holds_no_key_and_brings_the_value_back(ann):
    ann.email = "new@example.org"
    ann.save()
    first = ann.history.order_by("history_id").first()
    assert KEY not in {column.name for column in type(first)._meta.fields}
    first.instance.save()
    assert model("customer").objects.filter(pk=ann.pk).values_list("email", KEY).get() == ("ann@example.org",) * 2


def test_a_number_that_was_typed_otherwise_is_still_taken():
    typed = make("enquiry", name="X", number="e-0001")
    assert model("enquiry").objects.filter(**{key_name("number"): "e-0001"}).get() == typed
    assert is_unique(model("enquiry"), "number") and not is_unique(model("enquiry"), "name")


def test_groups_are_told_by_the_fields_names():
    for name in ("customer", "booking", "hotel", "trip"):
        names = {leaf.name for leaf in entity(name).leaves}
        assert {one for group in unique_groups(model(name)) for one in group} <= names


def test_keys_are_set_for_records_at_hand():
    record = model("customer")(email="X@y.Z")
    set_keys(record)
    assert getattr(record, KEY) == "x@y.z"


# Tags


def test_a_tag_is_there_once_however_it_is_written():
    Tag.objects.create(scope="s", name="Wine")
    with pytest.raises(IntegrityError), transaction.atomic():
        Tag.objects.create(scope="s", name="wine")
    Tag.objects.bulk_create([Tag(scope="s", name="WINE")], ignore_conflicts=True)
    Tag.objects.create(scope="other", name="wine")
    assert list(Tag.objects.filter(scope="s").values_list("name", flat=True)) == ["Wine"]
    with pytest.raises(ValidationError, match="There is this tag already: Wine"):
        Tag(scope="s", name=" wine").clean()


FLEET = {
    "app.yaml": {"name": "Fleet"},
    "owner.yaml": {"fields": {"name": "text"}},
    "car.yaml": {
        "fields": {
            "owner": {"type": "link", "to": "owner"},
            "number": "integer",
            "sign": {"type": "text", "compute": "owner.name"},
        },
        "unique": [["sign", "number"]],
    },
}


@pytest.fixture(scope="module")
def fleet(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(FLEET) as business:
        yield lambda name: apps.get_model(business.label, name).objects


def test_a_computed_value_is_compared_as_it_is_now_and_not_as_it_was(fleet):
    """It changes when another record is saved; its key goes along, and the database keeps doubles out."""
    owners, cars = fleet("owner"), fleet("car")
    ann, ben = owners.create(name="Ann"), owners.create(name="Ben")
    cars.create(owner=ann, number=1)
    ann.name = "Zoe"
    ann.save()
    cars.create(owner=owners.create(name="ANN"), number=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        cars.create(owner=owners.create(name="ZOE"), number=1)
    cars.create(owner=ben, number=1)
    ben.name = "zoe"
    with pytest.raises(IntegrityError), transaction.atomic():
        ben.save()
    assert sorted(cars.values_list("sign", key_name("sign"))) == [("ANN", "ann"), ("Ben", "ben"), ("Zoe", "zoe")]
