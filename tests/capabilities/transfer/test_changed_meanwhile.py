"""What was changed between the preview and the import, or between an import and its undoing, is never overwritten."""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection

from crm.capabilities.transfer import runs
from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.models import PREVIEWED, ImportRun
from crm.capabilities.transfer.runs import finish_run, renew_run, start_run
from crm.models import Tag
from tests.capabilities.transfer.files import csv_file
from tests.support.pages import address, said
from tests.support.records import entity, make, model
from tests.support.threads import database_of_threads, in_threads

HEADINGS = ["name", "email", "tags"]
ROWS = ["Ann B", "ann@example.com", "vip"], ["Bob", "bob@example.com", ""], ["Cy", "cy@example.com", ""]


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def preview(db):
    """A preview that changes Ann, leaves Bob as he is, and adds Cy."""
    for name in ("Ann", "Bob"):
        make("customer", name=name, email=f"{name.lower()}@example.com")
    run = start_run(entity("customer"), "c.csv", csv_file(HEADINGS, *ROWS), None)
    assert (run.new, run.updated, run.unchanged) == (1, 1, 1)
    return run


def of(name: str):
    return model("customer").objects.get(name=name)


def by_hand(record, **values):
    for name, value in values.items():
        setattr(record, name, value)
    record.save()


CHANGES = {
    "the field of the file": (lambda: by_hand(of("Ann"), name="Anna"), "Row 2: Anna was changed"),
    "another field": (lambda: by_hand(of("Ann"), company_number="7"), "Row 2: Ann was changed"),
    "one that was to stay": (lambda: by_hand(of("Bob"), name="Rob"), "Row 3: Rob was changed"),
    "past the form": (
        lambda: model("customer").objects.filter(name="Bob").update(name="Rob"),
        "Row 3: Rob was changed",
    ),
    "tags alone": (
        lambda: of("Ann").tags.add(Tag.objects.create(scope="travel.customer.tags", name="new")),
        "Row 2: Ann was changed",
    ),
    "deleted": (lambda: of("Ann").delete(), "Row 2: the record was deleted, or has another key now"),
    "another key": (lambda: by_hand(of("Ann"), email="x@example.com"), "Row 2: the record was deleted"),
    "added": (lambda: make("customer", name="Late", email="cy@example.com"), "Row 4: Late has this key now"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_what_was_changed_meanwhile_is_told_and_nothing_is_written(preview, admin_user, how):
    act, told = CHANGES[how]
    act()
    before = list(model("customer")._base_manager.order_by("pk").values())
    with pytest.raises(ImportRefused) as refused:
        finish_run(preview, entity("customer"), admin_user)
    assert str(refused.value).startswith("Nothing was imported: records were changed since") and told in str(
        refused.value
    )
    assert list(model("customer")._base_manager.order_by("pk").values()) == before
    assert ImportRun.objects.get().status == PREVIEWED
    renew_run(preview, entity("customer"), admin_user)
    finish_run(ImportRun.objects.get(), entity("customer"), admin_user)
    assert of("Ann B").email == "ann@example.com"


def test_another_import_in_between_is_told_too(preview, admin_user):
    again = start_run(entity("customer"), "c.csv", csv_file(HEADINGS, *ROWS), None)
    finish_run(again, entity("customer"), admin_user)
    with pytest.raises(ImportRefused, match=r"Row 2: Ann B was changed; Row 4: Cy has this key now\."):
        finish_run(preview, entity("customer"), admin_user)


def test_what_nobody_touched_is_imported(preview, admin_user):
    make("customer", name="Another", email="another@example.com")
    finish_run(preview, entity("customer"), admin_user)
    assert (of("Ann B").email, of("Cy").email) == ("ann@example.com", "cy@example.com")


def test_many_changes_are_counted(admin_user):
    rows = [[f"n{number}", f"n{number}@example.com", ""] for number in range(7)]
    for name, email, _ in rows:
        make("customer", name=name, email=email)
    run = start_run(entity("customer"), "c.csv", csv_file(HEADINGS, *rows), None)
    model("customer").objects.update(name="x")
    with pytest.raises(ImportRefused, match="Row 6: x was changed; and 2 more rows"):
        finish_run(run, entity("customer"), admin_user)


def test_the_page_tells_it_and_makes_a_new_preview(preview, signed_in):
    by_hand(of("Ann"), name="Anna")
    page = address("customer", "import_run", preview.pk)
    shown = preview.read_preview()["made"]
    answer = signed_in.post(page, {"import": "1", "preview": shown}, follow=True)
    assert "Row 2: Anna was changed" in said(answer)[0] and "Make a new preview" in answer.content.decode()
    answer = signed_in.post(page, {"renew": "1"}, follow=True)
    assert "Anna" in answer.content.decode()
    answer = signed_in.post(page, {"import": "1", "preview": shown}, follow=True)
    assert said(answer) == ["This preview was made anew meanwhile. Look at it before you import."]
    shown = ImportRun.objects.get().read_preview()["made"]
    assert said(signed_in.post(page, {"import": "1", "preview": shown}, follow=True)) == [
        "1 added, 1 updated, 1 unchanged."
    ]


# Two clicks at once


@pytest.fixture
def note_preview(transactional_db, admin_user, tmp_path):
    """A preview of one note, on a database that two threads can write to at once: for SQLite a file of its own."""
    make("customer", name="Ann", email="ann@example.com")
    rows = ["key", "customer", "subject", "body"], ["", "ann@example.com", "Once", "x"]
    run = start_run(entity("note"), "n.csv", csv_file(*rows), None)
    with database_of_threads(tmp_path):
        yield run


def click_twice(run, user, monkeypatch) -> tuple[list[str], int]:
    """Import one preview in two threads at once; return what both are told, and how many notes there are then."""
    begun, compared, prepare = Barrier(2), Barrier(2), runs.prepare

    def slowly(*args, **options):
        with suppress(BrokenBarrierError):
            compared.wait(timeout=1)
        return prepare(*args, **options)

    def click(index: int) -> str:
        mine = ImportRun.objects.get(pk=run.pk)
        begun.wait(timeout=20)
        try:
            finish_run(mine, entity("note"), user)
        except ImportRefused as refused:
            return str(refused)
        return "imported"

    monkeypatch.setattr(runs, "prepare", slowly)
    told = in_threads(2, click)
    return sorted(told), in_threads(1, lambda _: model("note").objects.count())[0]


def test_two_clicks_at_once_import_once(note_preview, admin_user, monkeypatch):
    told, notes = click_twice(note_preview, admin_user, monkeypatch)
    assert told == ["This import is imported already.", "imported"] and notes == 1


def test_without_the_look_at_the_run_both_would_import(note_preview, admin_user, monkeypatch):
    monkeypatch.setattr(runs, "_lock_preview", lambda run: None)
    monkeypatch.setattr(ImportRun, "drop_files", lambda run: None)
    assert click_twice(note_preview, admin_user, monkeypatch) == (["imported", "imported"], 2), "the test above notices"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway")
def test_without_the_lock_both_would_import(note_preview, admin_user, monkeypatch):
    def unlocked(run):
        if ImportRun.objects.get(pk=run.pk).status != PREVIEWED:
            raise ImportRefused("already")

    monkeypatch.setattr(runs, "_lock_preview", unlocked)
    monkeypatch.setattr(ImportRun, "drop_files", lambda run: None)
    assert click_twice(note_preview, admin_user, monkeypatch) == (["imported", "imported"], 2), "the test above notices"
