"""What an import writes: the records, their links, one version each with who, when and why; and how it is undone."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from crm.blueprint.expressions.parser import read_expression
from crm.blueprint.rules import Rule
from crm.blueprint.text import parse_template
from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.models import IMPORTED, UNDONE, ImportRun
from crm.capabilities.transfer.runs import import_file, imported_before, start_run, undo_run
from crm.models import Tag
from tests.capabilities.transfer.files import csv_file, take_in, told
from tests.support.people import person
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db
HEADINGS = ["name", "email", "birthday", "tags"]


def names(of: str = "customer") -> list[str]:
    return list(model(of).objects.order_by("name").values_list("name", flat=True))


@pytest.fixture
def three():
    """Three customers: of an import that follows, one stays as it is, one changes, and one is not in it."""
    vip = Tag.objects.create(scope="travel.customer.tags", name="vip")
    made = [
        make("customer", name=name, email=f"{name}@example.com", birthday=date(1990, 1, 1))
        for name in ("ann", "bob", "cy")
    ]
    for one in made:
        one.tags.add(vip)
    return made


@pytest.fixture
def imported(three):
    rows = [
        ["ann", "ann@example.com", "1990-01-01", "vip"],
        ["Bob B", "bob@example.com", "", "new; vip"],
        ["dee", "dee@example.com", "2000-02-29", "new"],
    ]
    user = person("manager")
    found = take_in("customer", csv_file(HEADINGS, *rows), user=user, reason="The fair in May")
    assert told(found) == []
    assert found.counts == {"new": 1, "updated": 1, "unchanged": 1, "failed": 0}
    return ImportRun.objects.get()


# History


def test_only_what_changed_gets_a_version(imported, three):
    ann, bob, cy = three
    assert [ann.history.filter(history_change=imported.change).count() for ann in (ann, bob, cy)] == [0, 1, 0]
    (version,) = bob.history.filter(history_change=imported.change)
    assert (version.name, version.birthday, version.history_type) == ("Bob B", None, "~")
    assert {one.tag.name for one in version.tags.all()} == {"new", "vip"}
    (made,) = model("customer").history.filter(history_change=imported.change, history_type="+")
    assert (made.name, made.history_user, made.history_change_reason) == ("dee", imported.user, "The fair in May")


def test_the_import_is_kept_with_who_why_and_how_many(imported):
    assert imported.status == IMPORTED and imported.finished
    assert (imported.new, imported.updated, imported.unchanged, imported.failed) == (1, 1, 1, 0)
    assert (imported.filename, imported.format, imported.reason) == ("customer.csv", "csv", "The fair in May")
    assert not imported.source and not imported.preview


def test_without_a_reason_the_files_name_is_the_reason(three):
    take_in("customer", csv_file(["name", "email"], ["eve", "eve@example.com"]))
    assert model("customer").history.get(name="eve").history_change_reason == "Import of customer.csv"


def test_an_update_says_when(imported, three):
    before = three[1].updated
    three[1].refresh_from_db()
    assert three[1].updated > before


def test_a_file_of_keyless_rows_is_known_again(monkeypatch):
    from crm.capabilities.transfer.section import TransferSection

    data = csv_file(["name", "email"], ["Ann", ""])
    take_in("customer", data)
    assert imported_before(entity("customer"), ImportRun.objects.get().sha256) is None
    monkeypatch.setitem(entity("customer").sections, "transfer", TransferSection())
    assert imported_before(entity("customer"), ImportRun.objects.get().sha256) == ImportRun.objects.get()


def test_given_numbers_are_kept_and_missing_ones_given():
    customer, trip = make("customer", email="ann@example.com"), make("trip", code="T1")
    headings = ["number", "customer", "trip", "unit_price"]
    rows = [["B-77", customer.email, trip.code, "5"], ["", customer.email, trip.code, "5"]]
    assert told(take_in("booking", csv_file(headings, *rows))) == []
    given, made = model("booking").objects.order_by("pk").values_list("number", flat=True)
    assert given == "B-77" and re.fullmatch(r"B-\d{4}-\d{5}", made)


# Undo


def test_undo_takes_away_what_was_added_and_brings_back_what_was(imported, three):
    said = undo_run(imported, imported.user)
    assert said == "1 removed, 1 as they were before."
    assert names() == ["ann", "bob", "cy"]
    bob = model("customer").objects.get(pk=three[1].pk)
    assert bob.birthday == date(1990, 1, 1) and [tag.name for tag in bob.tags.all()] == ["vip"]
    version = bob.history.first()
    assert (version.history_user, version.history_change_reason) == (
        imported.user,
        "Undo of the import of customer.csv",
    )
    imported.refresh_from_db()
    assert (imported.status, imported.note) == (UNDONE, said)


def test_undo_spares_and_names_what_was_changed_since(imported, three):
    bob, dee = three[1], model("customer").objects.get(name="dee")
    bob.refresh_from_db()
    bob.company_number = "77"
    bob.save()
    dee.newsletter = True
    dee.save()
    said = undo_run(imported, imported.user)
    assert said.startswith("0 removed, 0 as they were before, 2 left alone because they were changed since: ")
    assert "Bob B" in said and "dee" in said
    assert names() == ["Bob B", "ann", "cy", "dee"]


def test_undo_is_refused_where_something_needs_what_was_added(imported):
    booking = make("booking", customer=model("customer").objects.get(name="dee"))
    with pytest.raises(ImportRefused, match=f"Nothing was undone: imported records are needed by {booking.number}"):
        undo_run(imported, imported.user)
    assert names() == ["Bob B", "ann", "cy", "dee"]
    imported.refresh_from_db()
    assert imported.status == IMPORTED


def test_an_import_is_undone_once(imported):
    undo_run(imported, imported.user)
    with pytest.raises(ImportRefused, match="This import is undone; only one that was imported can be undone."):
        undo_run(imported, imported.user)


def test_undo_brings_links_back():
    gil, ida = make("guide", name="Gil", email="gil@example.com"), make("guide", name="Ida", email="ida@example.com")
    trip = make("trip", code="T1")
    trip.guides.set([gil])
    assert take_in("trip", csv_file(["code", "guides"], ["T1", "ida@example.com"])).counts["updated"] == 1
    assert list(trip.guides.all()) == [ida]
    undo_run(ImportRun.objects.get(), None)
    assert list(trip.guides.all()) == [gil]


def test_two_imports_are_undone_in_turn(three):
    for name in ("B1", "B2"):
        take_in("customer", csv_file(["name", "email"], [name, "bob@example.com"]))
    second, first = ImportRun.objects.all()
    assert "1 left alone" in undo_run(first, None)
    assert names() == ["B2", "ann", "cy"]
    assert undo_run(second, None) == "0 removed, 1 as they were before."
    assert names() == ["B1", "ann", "cy"]


# A rule that only the saved rows can tell


LATE = b"number,customer,due_on,status\nX-1,ann@example.com,2041-03-01,sent\nX-2,ann@example.com,2041-03-01,sent\n"


@pytest.fixture
def counting(monkeypatch):
    """Let every invoice that was sent need a line, which only the saved rows can tell."""
    invoice = entity("invoice")
    rule = Rule(
        read_expression("count(lines) > 0 or status == 'draft'", invoice), parse_template("It needs a line."), "status"
    )
    monkeypatch.setattr(invoice.rules, "checks", [*invoice.rules.checks, rule])


def test_a_dry_run_tells_what_the_import_would_and_writes_nothing(three, counting):
    before = model("invoice")._base_manager.count(), Tag.objects.count()
    _, found = import_file(entity("invoice"), "x.csv", LATE, dry_run=True)
    assert [(row, text) for row, _, text in found.errors] == [(2, "It needs a line.")]
    assert (model("invoice")._base_manager.count(), Tag.objects.count()) == before
    with pytest.raises(ImportRefused, match=r"row 2, X-1 .*: It needs a line\. Nothing was written\."):
        import_file(entity("invoice"), "x.csv", LATE)


def test_the_preview_tells_it_too(three, counting):
    run = start_run(entity("invoice"), "x.csv", LATE, None)
    assert (run.new, run.failed) == (1, 1)
    assert [2, "status", "It needs a line."] in run.read_preview()["errors"]
    sound = start_run(entity("invoice"), "x.csv", LATE.replace(b"sent", b"draft"), None)
    assert (sound.new, sound.failed) == (2, 0) and not model("invoice").objects.exists()


@pytest.mark.parametrize("error", [IntegrityError("twice"), ValidationError("twice")])
def test_what_the_database_would_refuse_is_told_by_a_dry_run_too(three, monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("crm.capabilities.transfer.importing.write_records", refuse)
    _, found = import_file(entity("invoice"), "x.csv", LATE, dry_run=True)
    assert "twice" in " ".join(found.refusals) and not found.is_sound


def test_a_link_to_what_is_in_the_trash_stays_and_no_other_is_made():
    """An export names the target of a link that stayed when it was deleted; its import changes nothing."""
    gone, other = make("trip", code="GONE"), make("trip", code="OTHER")
    kept, free = make("enquiry", name="Kept", trip=gone), make("enquiry", name="Free", trip=other)
    gone.delete()
    kept.refresh_from_db()
    assert kept.trip_id == gone.pk and not model("trip").objects.filter(pk=gone.pk).exists()
    file = csv_file(["id", "name", "trip"], [kept.pk, "Kept", "GONE"], [free.pk, "Free", "OTHER"])
    assert take_in("enquiry", file).counts == {"new": 0, "updated": 0, "unchanged": 2, "failed": 0}
    file = csv_file(["id", "trip"], [free.pk, "GONE"])
    assert told(take_in("enquiry", file, user=person("manager"))) == ["2 trip: There is no such trip."]
    assert told(take_in("enquiry", file)) == ["2 trip: There is no such trip."]
