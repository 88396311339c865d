"""Forms: every entity is added and changed as a browser does it, errors stand beside their field, nothing gets lost."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import formats, timezone
from properties.world import read_business

from crm.builders.cells import make_cell
from crm.templatetags.crm import first_with_errors
from tests.support.pages import address, fill_in, form_data, save, text_of
from tests.support.people import client_of, person
from tests.support.records import PIXEL, business, entity, make, model

ENTITIES = sorted(business().entities)


def errors_beside(page):
    """Return the errors that stand in the same place of the form as an input, by the field's name."""
    html = page.content.decode()
    places = list(re.finditer(r'<div class="(?:[^"]* )?field-(?!line|row)(\w+)[ "]', html))
    found = {}
    for place, following in zip(places, [*places[1:], None], strict=True):
        chunk = html[place.end() : following.start() if following else None]
        told = re.search(r'(?s)<ul class="errorlist".*?</ul>', chunk)
        if told:
            found[place[1]] = " ".join(unescape(re.sub(r"<[^>]*>", " ", told[0])).split())
    return found


def uploads(name):
    """Return a file for each upload that an entity must have."""
    leaves = [leaf for leaf in entity(name).leaves if leaf.type.input in {"file", "image"} and leaf.options.required]
    return {leaf.name: SimpleUploadedFile("one.png", PIXEL) for leaf in leaves}


# Adding and changing


@pytest.mark.parametrize("name", ENTITIES)
def test_add_through_the_form(signed_in, name):
    """What the form shows of a full record, sent to the add page, makes the same record again."""
    old = make(name, full=True)
    data = form_data(signed_in.get(address(name, "change", old.pk)), f"{model(name)._meta.model_name}_form")
    kept = {
        leaf.name: getattr(old, leaf.name) for leaf in entity(name).leaves if leaf.type.stored and not leaf.type.many
    }
    many = {
        one.name: set(getattr(old, one.name).all()) for one in entity(name).leaves if one.type.stored and one.type.many
    }
    old.delete()
    data = {key: value for key, value in data.items() if key not in {"record_seen", "change_reason"}}
    answer = signed_in.post(address(name, "add"), {**data, **uploads(name)})
    assert answer.status_code == 302, answer.context["errors"]
    new = model(name).objects.get()
    asked = [
        leaf for leaf in entity(name).leaves if leaf.name in kept and leaf.type.input not in {"file", "image", "given"}
    ]
    asked = [leaf for leaf in asked if not leaf.options.read_only]
    assert asked
    for leaf in asked:
        assert leaf.type.equals(getattr(new, leaf.name), kept[leaf.name]), leaf
    for key, targets in many.items():
        assert set(getattr(new, key).all()) == targets != set(), key


@pytest.mark.parametrize("name", ENTITIES)
def test_saving_without_a_change_changes_nothing(signed_in, name):
    record = make(name, full=True)
    before = {
        leaf.name: getattr(record, leaf.name) for leaf in entity(name).leaves if leaf.type.stored and not leaf.type.many
    }
    assert save(signed_in, name, record).status_code == 302
    after = model(name).objects.get(pk=record.pk)
    assert before
    for leaf in (one for one in entity(name).leaves if one.name in before):
        assert leaf.type.equals(getattr(after, leaf.name), before[leaf.name]), leaf


@pytest.mark.parametrize("name", ENTITIES)
def test_change_through_the_form(signed_in, admin_user, name):
    record = make(name)
    leaf = next(one for one in entity(name).leaves if one.type.input in {"text", "date", "number"} and one.type.stored)
    new = {"text": "New", "date": "2027-01-02", "number": "3"}[leaf.type.input]
    assert save(signed_in, name, record, **{leaf.name: new}, change_reason="because").status_code == 302
    record.refresh_from_db()
    assert leaf.type.display(getattr(record, leaf.name), leaf) in {new, "2 Jan 2027", "£3.00"}
    version = record.history.first()
    assert (version.history_user, version.history_change_reason) == (admin_user, "because")


@pytest.mark.parametrize("name", ENTITIES)
def test_what_is_required_is_said_beside_its_field(signed_in, name):
    required = [one for one in entity(name).leaves if one.type.stored and getattr(one.options, "required", False)]
    inputs = form_data(signed_in.get(address(name, "add")), f"{model(name)._meta.model_name}_form")
    emptied = {key: "" for key in inputs if key.removesuffix("_0").removesuffix("_1") in {one.name for one in required}}
    page = save(signed_in, name, **emptied)
    if required:
        assert page.status_code == 200 and not model(name).objects.exists()
        told = errors_beside(page)
        assert {key: told.get(key) for key in (one.name for one in required)} == {
            one.name: "This field is required." for one in required
        }


@pytest.mark.parametrize(
    ("name", "field", "typed", "told"),
    [
        ("customer", "email", "ada@", "Enter a valid email address."),
        ("customer", "phone", "12", "'12' is not a phone number that exists"),
        ("customer", "birthday", "31/31/2026", "Enter a date that there is, such as 31/12/2027."),
        ("customer", "payment_terms", "many", "is not a number"),
        ("customer", "payment_terms", "121", "less than or equal to 120"),
        ("customer", "credit_limit", "-1", "greater than or equal to 0"),
        ("customer", "credit_limit", "1.005", "more than 2 digits after the point"),
        ("customer", "company_number", "x" * 21, "at most 20 characters"),
        ("customer", "kind", "alien", "not one of the available choices"),
        ("customer", "owner", "987654", "not one of the available choices"),
        ("customer", "address_country", "XX", "not one of the available choices"),
        ("task", "estimate", "soon", "soon"),
        ("booking", "extras", "{", "is not JSON"),
        ("booking", "customer", "987654", "not one of the available choices"),
        ("booking", "customer", "x", "not one of the available choices"),
        ("booking", "seats", "0", "greater than or equal to 1"),
        ("hotel", "website", "javascript:alert(1)", "Enter a valid URL."),
        ("guide", "colour", "teal", "Write a colour as #0d9488."),
        ("trip", "deposit", "101", "less than or equal to 100"),
        ("trip", "slug", "two words", "valid"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field_and_kept(signed_in, name, field, typed, told):
    page = save(signed_in, name, **{field: typed})
    assert page.status_code == 200
    assert told in errors_beside(page)[field]
    assert unescape(page.content.decode()).count(typed) >= 1 or field in {
        "customer",
        "owner",
        "kind",
        "address_country",
    }
    assert not model(name).objects.exists()


def test_the_tab_with_an_error_is_the_open_one(signed_in):
    page = save(signed_in, "customer", name="Ada", credit_limit="-1")
    tabs = {tab["name"]: tab["errors"] for tab in page.context["crm_tabs"]}
    assert tabs["Business"] == 1 and tabs["Customer"] == 0
    assert first_with_errors(page.context["crm_tabs"]) == "business"


def test_a_tab_counts_every_field_that_must_be_mended(signed_in):
    """Two of the three stand in one line."""
    page = save(signed_in, "booking")
    tabs = {tab["name"]: tab["errors"] for tab in page.context["crm_tabs"]}
    assert tabs == {"Booking": 3, "Passengers": 0}


def test_taken_values_are_refused(signed_in):
    make("customer", email="ada@example.org")
    page = save(signed_in, "customer", name="Other", email="ada@example.org")
    assert "already exists" in errors_beside(page)["email"]
    assert save(signed_in, "customer", name="Nobody's address", email="").status_code == 302
    assert save(signed_in, "customer", name="Nor this one's", email="").status_code == 302


def test_money_and_numbers_are_taken_as_people_write_them(signed_in):
    answer = save(signed_in, "customer", name="Ada", credit_limit="1250.50", payment_terms="30")
    assert answer.status_code == 302
    assert model("customer").objects.get().credit_limit == Decimal("1250.50")


def test_durations_phones_and_json_are_read_by_their_types(signed_in):
    assert save(signed_in, "task", name="Call", estimate="1h 30m").status_code == 302
    assert model("task").objects.get().estimate == timedelta(minutes=90)
    assert save(signed_in, "customer", name="Ada", phone="020 7946 0018").status_code == 302
    assert str(model("customer").objects.get().phone) == "+442079460018"
    booking = make("booking")
    assert save(signed_in, "booking", booking, extras='{"a": [1, null]}').status_code == 302
    booking.refresh_from_db()
    assert booking.extras == {"a": [1, None]}


@pytest.mark.parametrize("typed", ["1234.5", "1,234.50", "£1,234.50", " 1 234.50 "])
def test_amounts_are_typed_as_people_write_them(signed_in, typed):
    booking = make("booking", full=True)
    assert save(signed_in, "booking", booking, unit_price=typed).status_code == 302
    booking.refresh_from_db()
    assert booking.unit_price == Decimal("1234.50")


@pytest.mark.parametrize("typed", ["12,50", "1.2.3", "ten", "1e400", "99999999999999999999"])
def test_amounts_that_are_none_are_told_beside_their_field(signed_in, typed):
    booking = make("booking", full=True)
    assert "unit_price" in errors_beside(save(signed_in, "booking", booking, unit_price=typed))


# Defaults and what is given at saving


def test_defaults_stand_in_the_add_form(signed_in):
    data = form_data(signed_in.get(address("booking", "add")), "booking_form")
    assert "status" not in data and data["seats"] == ["1"] and data["discount"] == ["0.00"]
    assert data["booked_on"] == [formats.date_format(timezone.localdate(), "d/m/Y")]


def test_numbers_are_given_and_not_typed(signed_in):
    """A form says that a number is to come, shows it then, and takes none, not even from a forged one."""
    assert "Given when saved" in text_of(signed_in.get(address("invoice", "add")))
    invoice = make("invoice", number="INV-2026-00007")
    page = signed_in.get(address("invoice", "change", invoice.pk))
    assert "INV-2026-00007" in text_of(page) and "number" not in form_data(page, "invoice_form")
    assert save(signed_in, "invoice", invoice, number="INV-2026-00001").status_code == 302
    invoice.refresh_from_db()
    assert invoice.number == "INV-2026-00007"


def test_the_address_may_fill_the_add_form(signed_in):
    customer = make("customer", name="Ada")
    page = signed_in.get(address("booking", "add") + f"?customer={customer.pk}&seats=2")
    data = form_data(page, "booking_form")
    assert data["customer"] == [str(customer.pk)] and data["seats"] == ["2"]
    assert "Ada" in text_of(page)


@pytest.mark.parametrize(
    "query",
    [
        "?customer=x",
        "?customer=987654",
        "?customer=999999999999999999999999",
        "?seats=many",
        "?booked_on=x",
        "?nope=1",
        "?sold_by=x",
    ],
)
def test_an_address_that_fills_in_nonsense_does_no_harm(signed_in, query):
    assert signed_in.get(address("booking", "add") + query).status_code == 200


@pytest.mark.django_db
def test_me_is_whoever_adds_the_record():
    user = person("sales")
    client = client_of(user)
    assert save(client, "note", subject="A", body="B", customer=str(make("customer").pk)).status_code == 302
    assert model("note").objects.get().author == user
    assert save(client, "task", name="Call").status_code == 302
    assert model("task").objects.get().assignee == user
    assert make("note").author is None


def test_what_is_read_only_is_shown_and_not_taken(signed_in, admin_user):
    other = get_user_model()._default_manager.create(username="eve", is_staff=True)
    note = make("note", author=admin_user)
    assert save(signed_in, "note", note, author=str(other.pk), subject="New").status_code == 302
    note.refresh_from_db()
    assert note.author == admin_user and note.subject == "New"


def test_numbers_slugs_and_uuids_are_given_at_saving(signed_in):
    trip = make("trip")
    customer = make("customer")
    data = {"customer": str(customer.pk), "trip": str(trip.pk), "unit_price": "10"}
    assert save(signed_in, "booking", **data).status_code == 302
    assert re.fullmatch(r"B-\d{4}-\d{5}", model("booking").objects.get().number)
    trip_data = {"code": "R1", "name": "Rome & Assisi", "country": "IT", "start_date": "2026-05-01", "price": "1"}
    assert save(signed_in, "trip", **trip_data, end_date="2026-05-02", slug="").status_code == 302
    assert model("trip").objects.get(code="R1").slug == "rome-assisi"
    assert save(signed_in, "customer", name="Ada", reference="").status_code == 302
    assert isinstance(model("customer").objects.get(name="Ada").reference, uuid.UUID)


# Tags and links


def test_tags_are_made_up_in_the_form_and_used_again(signed_in):
    assert save(signed_in, "customer", name="Ada", tags=["asia", "new one"]).status_code == 302
    assert save(signed_in, "customer", name="Ben", tags=["asia"]).status_code == 302
    tags = apps.get_model("crm", "Tag")._default_manager
    assert sorted(tags.filter(scope="travel.customer.tags").values_list("name", flat=True)) == ["asia", "new one"]
    ada = model("customer").objects.get(name="Ada")
    assert save(signed_in, "customer", ada, tags=None).status_code == 302
    assert not ada.tags.exists()


def test_a_tag_that_is_too_long_is_refused(signed_in):
    page = save(signed_in, "customer", name="Ada", tags=["x" * 61])
    assert errors_beside(page)["tags"] == "A tag is too long."
    assert not apps.get_model("crm", "Tag")._default_manager.exists()


def test_only_the_tags_that_there_are_may_be_chosen(signed_in):
    shared = {"name": "Gia", "email": "gia@example.org"}
    assert "none of the tags" in errors_beside(save(signed_in, "guide", **shared, speaks=["Klingon"]))["speaks"]
    assert save(signed_in, "guide", **shared, speaks=["French", "Italian"]).status_code == 302
    assert {tag.name for tag in model("guide").objects.get().speaks.all()} == {"French", "Italian"}


def test_links_to_several_are_kept(signed_in):
    guides = [make("guide"), make("guide")]
    trip = make("trip", guides=guides[:1])
    assert save(signed_in, "trip", trip, guides=[str(one.pk) for one in guides]).status_code == 302
    assert set(trip.guides.all()) == set(guides)


# Nothing is lost


def test_the_second_of_two_editors_is_refused_and_nothing_is_lost(signed_in):
    record = make("customer", name="Ada", company_number="1")
    url, form = address("customer", "change", record.pk), "customer_form"
    first, second = form_data(signed_in.get(url), form), form_data(signed_in.get(url), form)
    assert signed_in.post(url, {**first, "name": "Ada Okafor"}).status_code == 302
    refused = signed_in.post(url, {**second, "company_number": "2", "vat_number": "typed by the second"})
    assert refused.status_code == 200
    assert "Someone else saved this record" in text_of(refused)
    assert form_data(refused, form)["vat_number"] == ["typed by the second"]
    record.refresh_from_db()
    assert (record.name, record.company_number) == ("Ada Okafor", "1")
    again = signed_in.post(url, form_data(refused, form))
    assert "Someone else saved this record" in text_of(again)


def test_without_the_protection_the_first_ones_change_would_be_lost(signed_in):
    """The control: a form that does not say which version it has seen overwrites what was saved meanwhile."""
    record = make("customer", name="Ada")
    url = address("customer", "change", record.pk)
    second = form_data(signed_in.get(url), "customer_form")
    save(signed_in, "customer", record, name="Ada Okafor")
    del second["record_seen"]
    assert signed_in.post(url, second).status_code == 302
    record.refresh_from_db()
    assert record.name == "Ada"


def test_a_row_that_someone_changed_by_itself_meanwhile_is_not_overwritten(signed_in):
    booking = make("booking", seats=2)
    passenger = make("passenger", booking=booking, first_name="Ada", last_name="Okafor")
    url = address("booking", "change", booking.pk)
    opened = form_data(signed_in.get(url), "booking_form")
    assert save(signed_in, "passenger", passenger, first_name="Adaeze").status_code == 302
    signed_in.post(url, {**opened, "wishes": "A window seat"})
    passenger.refresh_from_db()
    assert passenger.first_name == "Adaeze"


def test_a_row_that_someone_removed_by_itself_meanwhile_does_not_come_back(signed_in):
    """The row that is left is the newest: only their number tells that there was another."""
    booking = make("booking", seats=2)
    first = make("passenger", booking=booking, first_name="Ada", last_name="Okafor")
    make("passenger", booking=booking, first_name="Ben", last_name="Okafor")
    url = address("booking", "change", booking.pk)
    opened = form_data(signed_in.get(url), "booking_form")
    first.delete()
    page = signed_in.post(url, {**opened, "wishes": "A window seat"})
    assert page.status_code == 200 and "Someone else saved this record" in text_of(page)
    assert [one.first_name for one in model("passenger").objects.all()] == ["Ben"]


def test_a_record_that_was_deleted_meanwhile_is_told(signed_in):
    record = make("hotel", name="Alpenrose")
    url = address("hotel", "change", record.pk)
    opened = form_data(signed_in.get(url), "hotel_form")
    record.delete()
    page = signed_in.post(url, opened)
    assert page.status_code == 404 and "There is no hotel at this address. It may have been deleted" in text_of(page)


def test_saving_and_going_on(signed_in):
    record = make("customer", name="Ada")
    assert save(signed_in, "customer", record, _continue="1")["Location"].endswith(
        address("customer", "change", record.pk)
    )
    assert save(signed_in, "customer", record, _addanother="1")["Location"].endswith(address("customer", "add"))


# Deleting


def test_deleting_says_what_it_destroys(signed_in):
    booking = make("booking", seats=2)
    make("passenger", booking=booking, first_name="Ada", last_name="Okafor")
    url = address("booking", "delete", booking.pk)
    assert "Ada Okafor" in text_of(signed_in.get(url))
    assert signed_in.post(url, {"post": "yes"}).status_code == 302
    assert not model("booking").objects.exists() and not model("passenger").objects.exists()


def test_deleting_what_is_still_needed_is_refused_by_name(signed_in):
    booking = make("booking", customer=make("customer", name="Ada"))
    url = address("customer", "delete", booking.customer_id)
    page = signed_in.get(url)
    assert str(booking) in text_of(page)
    signed_in.post(url, {"post": "yes"})
    assert model("customer").objects.exists()


# The short form


def test_the_short_form_asks_for_little_and_tells_that_it_saved(signed_in, admin_user):
    customer = make("customer", name="Ada")
    url = address("note", "add") + f"?_popup=1&_quick=1&customer={customer.pk}"
    page = signed_in.get(url)
    assert set(form_data(page, "note_form")) >= {"customer", "subject", "body"}
    assert "Ada" in text_of(page)
    done = fill_in(signed_in, url, "note_form", subject="Rang </script>", body="Will call back")
    assert (
        done.status_code == 200 and "</script>" not in done.content.decode().split("crm-title")[1].split("</script>")[0]
    )
    note = model("note").objects.get()
    assert (note.customer, note.author) == (customer, admin_user)
    wrong = fill_in(signed_in, url, "note_form", subject="")
    assert errors_beside(wrong)["subject"] == "This field is required."


@pytest.mark.django_db
def test_the_short_form_is_only_for_those_who_may_add():
    assert client_of("guide").get(address("note", "add") + "?_popup=1&_quick=1").status_code == 403
    assert "crm-quick" not in client_of("guide").get(address("customer")).content.decode()
    assert "crm-quick" in client_of("sales").get(address("customer")).content.decode()


def test_a_choice_that_is_none_any_more_stays_until_another_is_chosen(signed_in):
    customer = make("customer", name="Ada")
    model("customer").objects.filter(pk=customer.pk).update(kind="club")
    page = signed_in.get(address("customer", "change", customer.pk))
    assert "club (no longer a choice)" in text_of(page)
    assert save(signed_in, "customer", customer, name="Ada Okafor").status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.kind) == ("Ada Okafor", "club")
    assert save(signed_in, "customer", customer, kind="person").status_code == 302
    refused = fill_in(signed_in, address("customer", "change", customer.pk), "customer_form", kind="club")
    assert refused.status_code == 200 and "kind" in refused.context["adminform"].form.errors


def test_the_choices_of_a_long_select_never_run_what_was_typed(signed_in):
    """People give themselves their names, and others choose among them."""
    person("sales", first_name="<script>alert(1)</script>")
    html = signed_in.get(address("customer", "add")).content.decode()
    assert "&lt;script&gt;alert(1)" in html and "<script>alert(1)" not in html


def test_the_parts_of_two_addresses_are_told_apart():
    fields = {"farm": "address", "note": "text"}
    alone = read_business("farms", {"grower.yaml": {"fields": fields}}).entities["grower"]
    both = read_business("farms", {"grower.yaml": {"fields": {**fields, "bill_to": "address"}}}).entities["grower"]
    assert [alone.find(name).distinct_label for name in ("farm_city", "note")] == ["City", "Note"]
    labels = [both.find(name).distinct_label for name in ("farm_city", "bill_to_city", "note")]
    assert labels == ["Farm: city", "Bill to: city", "Note"]


def test_inputs_and_columns_are_called_so(signed_in, monkeypatch):
    hotel, city = make("hotel", full=True), entity("hotel").find("address_city")
    monkeypatch.setitem(city.__dict__, "distinct_label", "Address: city")
    form = signed_in.get(address("hotel", "change", hotel.pk)).context["adminform"].form
    assert form.fields["address_city"].label == "Address: city"
    assert make_cell(entity("hotel"), "address.city").heading.label == "Address: city"
