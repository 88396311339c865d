"""The story of a record, as people read it: who, when, why, and every value by its label, before and after."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.capabilities.history.timeline import changes_since, read_timeline
from crm.records.changes import change_scope
from crm.records.writes import write_records
from tests.support.pages import address, bring_back, form_data, save, text_of
from tests.support.people import client_of, delete_past_the_rules, person
from tests.support.records import make, model

pytestmark = pytest.mark.django_db


def differences(entry, part=0):
    return {one.label: (one.old, one.new) for one in entry.parts[part].differences}


def parts(entry):
    return [(one.title, one.kind) for one in entry.parts]


# Who, when, why


def test_an_entry_says_who_when_and_why():
    user = person(first_name="Ada", last_name="Okafor")
    with change_scope(user, "She married"):
        customer = make("customer", name="Ben")
    entry = read_timeline(customer)[0]
    assert (entry.user, entry.reason, entry.kind) == ("Ada Okafor", "She married", "added")
    assert timezone.now() - entry.date < timedelta(minutes=1)


def test_someone_without_a_name_is_called_by_the_user_name_and_nobody_is_the_system(signed_in):
    user = person("sales")
    with change_scope(user):
        customer = make("customer")
    assert read_timeline(customer)[0].user == user.username
    made = make("customer")
    assert read_timeline(made)[0].user == ""
    assert "The system added this" in text_of(signed_in.get(address("customer", "history", made.pk)))


def test_the_story_outlives_its_authors():
    user = person("sales")
    with change_scope(user):
        customer = make("customer", name="Ada")
    delete_past_the_rules(user)
    assert [(entry.kind, entry.user) for entry in read_timeline(customer)] == [("added", "")]


def test_the_newest_change_comes_first_and_is_as_it_is_now():
    customer = make("customer", name="A")
    for name in "BC":
        customer.name = name
        customer.save()
    entries = read_timeline(customer)
    assert [differences(entry)["Name"] for entry in entries] == [("B", "C"), ("A", "B"), ("", "A")]
    assert [entry.is_now for entry in entries] == [True, False, False]


def written_at(days, record, **values):
    """Change a record while the clock is so many days ahead, in an act of its own."""
    with change_scope():
        for name, value in values.items():
            setattr(record, name, value)
        record.save()
    newest = type(record).history.filter(id=record.pk).order_by("-history_id")[0]
    type(newest).objects.filter(pk=newest.pk).update(history_date=timezone.now() + timedelta(days=days))
    return newest


@pytest.mark.parametrize("days", [400, -400])
def test_versions_stand_in_the_order_of_their_writing_whatever_the_clock_said(signed_in, days):
    customer = make("customer", name="First")
    for name, ahead in (("Second", 1), ("Wrong clock", days), ("Right again", 2), ("Last", 3)):
        written_at(ahead, customer, name=name)
    told = read_timeline(customer)
    names = [differences(entry).get("Name", ("", ""))[1] for entry in told]
    assert names == ["Last", "Right again", "Wrong clock", "Second", "First"]
    assert [entry.is_now for entry in told] == [True, False, False, False, False]
    assert abs(told[2].date - timezone.now()) > timedelta(days=399), "the date is shown as it was noted"
    assert text_of(signed_in.get(address("customer", "history", customer.pk))).count("As it is now") == 1


def test_what_going_back_would_undo_goes_by_the_order_of_writing(signed_in):
    customer = make("customer", name="First")
    ahead = written_at(400, customer, name="Wrong clock")
    written_at(0, customer, name="Right again")
    assert len(changes_since(customer, ahead)) == 1
    assert "Right again" in text_of(signed_in.get(address("customer", "revert", customer.pk, ahead.pk)))
    right = type(customer).history.order_by("-history_id")[0]
    assert changes_since(customer, right) == []


def test_rows_stand_among_the_versions_of_their_record_though_a_clock_was_ahead():
    booking = make("booking", wishes="First")
    written_at(400, booking, wishes="Wrong clock")
    with change_scope():
        passenger = make("passenger", booking=booking)
    newest = type(passenger).history.order_by("-history_id")[0]
    type(newest).objects.filter(pk=newest.pk).update(history_date=timezone.now() + timedelta(days=2))
    written_at(3, booking, wishes="Right again")
    told = read_timeline(booking)
    assert [entry.parts[0].title.split()[:1] for entry in told] == [[], [], ["Passenger"], []]
    assert [differences(told[place])["Special wishes"][1] for place in (0, 1)] == ["Right again", "Wrong clock"]
    assert told[0].is_now


def test_saving_without_a_change_is_no_entry():
    customer = make("customer")
    customer.save()
    customer.save()
    assert [entry.kind for entry in read_timeline(customer)] == ["added"]


# Values as people read them


def test_values_stand_under_their_labels_before_and_after():
    customer = make("customer", name="Ada", kind="person", payment_terms=14, newsletter=False, credit_limit=Decimal(0))
    customer.kind, customer.payment_terms, customer.newsletter, customer.credit_limit = (
        "group",
        30,
        True,
        Decimal("1250.5"),
    )
    customer.address_city, customer.phone, customer.birthday = "York", "+442079460018", "2000-02-29"
    customer.save()
    assert differences(read_timeline(customer)[0]) == {
        "Kind": ("Person", "Group"),
        "Payment terms (days)": ("14", "30"),
        "Wants the newsletter": ("No", "Yes"),
        "Credit limit": ("£0.00", "£1,250.50"),
        "Address: city": ("", "York"),
        "Phone": ("", "+44 20 7946 0018"),
        "Birthday": ("", "29 Feb 2000"),
    }


def test_durations_and_json_are_shown_as_in_lists():
    task = make("task", estimate=timedelta(minutes=30))
    task.estimate = timedelta(hours=2)
    task.save()
    assert differences(read_timeline(task)[0]) == {"Estimate": ("30 min", "2 h")}
    booking = make("booking")
    booking.extras = {"a": 1}
    booking.save()
    assert differences(read_timeline(booking)[0]) == {"Extras": ("", '{"a": 1}')}


def test_a_choice_that_there_is_no_more_is_shown_as_it_was_kept():
    task = make("task", status="retired")
    task.status = "open"
    task.save()
    assert differences(read_timeline(task)[0])["Status"] == ("retired", "Open")


def test_links_are_shown_by_title():
    ada, ben = make("customer", name="Ada"), make("customer", name="Ben")
    booking = make("booking", customer=ada)
    task = make("task", customer=ada, booking=None, assignee=None)
    task.customer, task.booking, task.assignee = ben, booking, person(first_name="Sam", last_name="Hill")
    task.save()
    assert differences(read_timeline(task)[0]) == {
        "Customer": ("Ada", "Ben"),
        "Booking": ("", str(booking)),
        "Assignee": ("", "Sam Hill"),
    }


def test_a_link_to_what_was_deleted_still_has_its_title():
    trip, gone = make("trip"), make("guide", name="Gia")
    trip.guides.add(gone)
    trip.guides.clear()
    user = person(first_name="Sam", last_name="Hill")
    task = make("task", assignee=user, booking=make("booking", number="B-7", customer=make("customer", name="Ada")))
    booking, customer = task.booking, task.booking.customer
    task.booking = task.assignee = None
    task.save()
    gone.delete()
    booking.delete()
    customer.delete()
    delete_past_the_rules(user)
    assert differences(read_timeline(trip)[0]) == {"Guides": ("Gia (deleted)", "")}
    shown = differences(read_timeline(task)[0])
    assert shown["Assignee"][0].endswith("(deleted)")
    assert shown["Booking"][0].startswith("B-7") and shown["Booking"][0].endswith("(in the trash)")


# What belongs together


def test_tags_and_links_are_a_change_of_their_record():
    tags = apps.get_model("crm", "Tag")._default_manager
    vip, asia = (tags.create(scope="travel.customer.tags", name=name) for name in ("vip", "asia"))
    customer = make("customer")
    with change_scope():
        customer.tags.add(vip, asia)
    with change_scope():
        customer.tags.remove(asia)
    entries = read_timeline(customer)
    assert [differences(entry) for entry in entries[:2]] == [
        {"Tags": ("asia, vip", "vip")},
        {"Tags": ("", "asia, vip")},
    ]


def test_rows_are_told_in_the_story_of_their_parent():
    booking = make("booking", seats=3)
    with change_scope():
        passenger = make("passenger", booking=booking, first_name="Ada", last_name="Okafor")
    with change_scope():
        passenger.first_name = "Adaeze"
        passenger.save()
    with change_scope():
        passenger.delete()
    entries = read_timeline(booking)
    assert [parts(entry) for entry in entries[:3]] == [
        [("Passenger Adaeze Okafor", "deleted")],
        [("Passenger Adaeze Okafor", "changed")],
        [("Passenger Ada Okafor", "added")],
    ]
    assert differences(entries[1]) == {"First name": ("Ada", "Adaeze")}
    assert "Booking" not in differences(entries[2]), "the parent is what the page is about"


def test_one_save_of_a_form_is_one_entry(signed_in, admin_user):
    """A field, two tags and rows, saved together by one person, are one change."""
    booking = make("booking", seats=2)
    customer = booking.customer
    before = len(read_timeline(customer)), len(read_timeline(booking))
    answer = save(signed_in, "customer", customer, name="Ada", tags=["vip", "asia"], change_reason="Met at the fair")
    assert answer.status_code == 302
    rows = {"passenger_booking_set-0-first_name": "Ada", "passenger_booking_set-0-last_name": "Okafor"}
    assert save(signed_in, "booking", booking, wishes="A window", **rows).status_code == 302
    entries = read_timeline(customer)
    assert len(entries) == before[0] + 1
    assert (entries[0].user, entries[0].reason) == ("admin", "Met at the fair")
    assert differences(entries[0]).keys() == {"Name", "Tags"}
    entries = read_timeline(booking)
    assert len(entries) == before[1] + 1
    assert parts(entries[0]) == [("", "changed"), ("Passenger Ada Okafor", "added")]


def test_adding_with_tags_is_one_entry_that_says_added(signed_in):
    assert save(signed_in, "customer", name="Ada", tags=["vip", "asia"]).status_code == 302
    entries = read_timeline(model("customer").objects.get())
    assert [entry.kind for entry in entries] == ["added"]
    assert differences(entries[0])["Tags"] == ("", "asia, vip")


def test_what_an_import_wrote_is_in_the_story():
    tag = apps.get_model("crm", "Tag")._default_manager.create(scope="travel.customer.tags", name="vip")
    customer = make("customer", name="Ada")
    customer.name = "Ada Okafor"
    with change_scope(person(first_name="Sam", last_name="Hill"), "Import of customers.csv", "import"):
        write_records(model("customer"), updated=[customer], columns=["name"], links={"tags": {0: {tag.pk}}})
    entry = read_timeline(customer)[0]
    assert (entry.user, entry.reason) == ("Sam Hill", "Import of customers.csv")
    assert differences(entry) == {"Name": ("Ada", "Ada Okafor"), "Tags": ("", "vip")}


# The pages


def test_the_page_and_the_panel_tell_the_story(signed_in):
    customer = make("customer", name="Ada")
    save(signed_in, "customer", customer, name="Ada <b>Okafor</b>", change_reason="<script>alert(1)</script>")
    for page in ("history", "panel"):
        answer = signed_in.get(address("customer", page, customer.pk, *(["timeline"] if page == "panel" else [])))
        assert "“<script>alert(1)</script>”" in text_of_escaped(answer)
        assert "<script>alert(1)" not in answer.content.decode() and "<b>Okafor" not in answer.content.decode()


def text_of_escaped(answer):
    from html import unescape

    return unescape(answer.content.decode())


def test_nothing_to_tell_is_said_too(signed_in):
    customer = make("customer")
    model("customer").history.all().delete()
    text = text_of(signed_in.get(address("customer", "history", customer.pk)))
    assert "Nothing has been changed yet" in text


def test_a_story_takes_as_many_queries_for_30_changes_as_for_3():
    tags = apps.get_model("crm", "Tag")._default_manager

    def change(trip, count):
        for _ in range(count):
            with change_scope(person()):
                trip.guides.set([make("guide"), make("guide")])
                trip.name = f"{trip.name[:100]}."
                trip.save()
                make("stay", trip=trip)
        return trip

    def queries(record):
        with CaptureQueriesContext(connection) as caught:
            read_timeline(record)
        return len(caught)

    assert tags.count() == 0
    assert queries(change(make("trip"), 30)) == queries(change(make("trip"), 3))


def test_a_story_of_bookings_reads_titles_across_links_at_once():
    def queries(count):
        task = make("task")
        for _ in range(count):
            task.booking = make("booking")
            task.save()
        with CaptureQueriesContext(connection) as caught:
            read_timeline(task)
        return len(caught)

    assert queries(10) == queries(2)


# Who may see it


@pytest.mark.parametrize(
    ("role", "sees", "reverts"), [("guide", True, False), ("sales", True, True), ("", False, False)]
)
def test_who_may_see_a_record_may_read_its_story_and_who_may_change_it_may_go_back(role, sees, reverts):
    customer = make("customer", name="A")
    first = customer.history.first()
    customer.name = "B"
    customer.save()
    client = client_of(role)
    url = address("customer", "revert", customer.pk, first.history_id)
    page = client.get(address("customer", "history", customer.pk))
    assert page.status_code == (200 if sees else 403)
    assert (url in page.content.decode()) == reverts
    assert client.get(url).status_code == (200 if reverts else 403)
    assert (bring_back(client, customer, first.history_id) if reverts else client.post(url)).status_code == (
        200 if reverts else 403
    )
    customer.refresh_from_db()
    assert customer.name == ("A" if reverts else "B")


def test_the_reason_is_asked_for_when_changing_and_not_when_adding(signed_in):
    customer = make("customer")
    shown = signed_in.get(address("customer", "change", customer.pk))
    assert "change_reason" in form_data(shown, "customer_form")
    assert "change_reason" not in form_data(signed_in.get(address("customer", "add")), "customer_form")
