"""The pages of import and export: who may open them, what they show, and what their buttons do."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.capabilities.transfer import preview
from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.models import DISCARDED, IMPORTED, PREVIEWED, UNDONE, ImportRun
from crm.capabilities.transfer.runs import import_file, undo_run
from tests.capabilities.transfer.files import csv_file
from tests.support.pages import address, said, text_of
from tests.support.people import client_of, person
from tests.support.records import entity, make, model

pytestmark = pytest.mark.django_db
ROWS = ["name", "email"], ["Ann", "ann@example.com"], ["Bob", "bob@example.com"]


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def upload(client, data: bytes, name: str = "people.csv", of: str = "customer"):
    return client.post(address(of, "import"), {"file": SimpleUploadedFile(name, data)}, follow=True)


def press(client, button: str, run: ImportRun | None = None, **more: str):
    run = run or ImportRun.objects.first()
    return client.post(address(run.entity, "import_run", run.pk), {button: "1", **more}, follow=True)


# Who may


@pytest.mark.parametrize(
    ("role", "may"), [("manager", True), ("accounts", True), ("sales", False), ("guide", False), ("", False)]
)
def test_only_those_who_may_import_reach_its_pages(role, may):
    run = ImportRun.objects.create(
        business="travel", entity="customer", filename="x.csv", format="csv", status=IMPORTED
    )
    client = client_of(role) if role else client_of(person())
    wanted = 200 if may else 403
    assert client.get(address("customer", "import")).status_code == wanted
    assert client.get(address("customer", "import_run", run.pk)).status_code == wanted
    assert upload(client, csv_file(*ROWS)).status_code == wanted
    assert press(client, "undo", run).status_code == wanted
    assert ImportRun.objects.count() == (2 if may else 1)


@pytest.mark.parametrize(("role", "may"), [("manager", True), ("sales", True), ("guide", False), ("", False)])
def test_only_those_who_may_export_get_a_file(role, may):
    make("customer", name="Ann")
    client = client_of(role) if role else client_of(person())
    for query in ("", "?format=csv", "?format=xlsx", "?format=json"):
        assert client.get(address("customer", "export") + query).status_code == (200 if may else 403)


@pytest.mark.parametrize(("verb", "shown"), [("import", "Import"), ("export", "Export")])
def test_the_list_shows_the_buttons_of_what_one_may(verb, shown):
    with_it, without = client_of("manager"), client_of("guide")
    link = f'href="{address("customer", verb)}"'
    assert link in with_it.get(address("customer")).content.decode()
    assert link not in without.get(address("customer")).content.decode()


def test_importing_is_no_way_round_adding_and_changing():
    user = person()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_customer", "import_customer"]))
    client = client_of(user)
    make("customer", name="Old", email="bob@example.com")
    upload(client, csv_file(*ROWS))
    assert said(press(client, "import")) == ["You may not add or change customers, so nothing was imported."]
    assert list(model("customer").objects.values_list("name", flat=True)) == ["Old"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=["add_customer", "change_customer"]))
    assert said(press(client_of(user), "import")) == ["1 added, 1 updated, 0 unchanged."]


def test_an_import_of_one_entity_is_not_shown_under_another():
    run = ImportRun.objects.create(business="travel", entity="trip", filename="x.csv", format="csv", status=IMPORTED)
    assert client_of("manager").get(address("customer", "import_run", run.pk)).status_code == 404


# From the upload to the undoing


def test_nothing_is_written_before_the_preview_was_seen(signed_in):
    page = upload(signed_in, csv_file(*ROWS))
    assert "Nothing was written yet" in text_of(page) and "Import 2 rows" in text_of(page)
    assert not model("customer").objects.exists()
    run = ImportRun.objects.get()
    assert run.status == PREVIEWED and run.source and run.preview
    assert said(press(signed_in, "import", change_reason="The fair")) == ["2 added, 0 updated, 0 unchanged."]
    run.refresh_from_db()
    assert (run.status, run.reason, bool(run.source), bool(run.preview)) == (IMPORTED, "The fair", False, False)
    assert {one.history_change_reason for one in model("customer").history.all()} == {"The fair"}
    page = press(signed_in, "undo")
    assert said(page) == ["2 removed, 0 as they were before."]
    run.refresh_from_db()
    assert run.status == UNDONE and not model("customer").objects.exists()


def test_the_preview_shows_old_and_new_values(signed_in):
    make("customer", name="Bobby", email="bob@example.com")
    shown = text_of(upload(signed_in, csv_file(*ROWS)))
    assert "Bobby → Bob" in shown and "ann@example.com" in shown
    assert "1 new" in shown.lower() or "new 1" in shown.lower()


def test_the_preview_shows_links_by_their_keys_and_new_tags(signed_in):
    make("guide", name="Gil", email="gil@example.com")
    headings = ["code", "name", "country", "start_date", "end_date", "price", "guides"]
    rows = ["T1", "Alps", "CH", "2027-01-01", "2027-01-08", "900", "gil@example.com"]
    assert "gil@example.com" in text_of(upload(signed_in, csv_file(headings, rows), of="trip"))
    assert "brandnew" in text_of(upload(signed_in, csv_file(["name", "email", "tags"], ["A", "a@b.com", "brandnew"])))


def test_a_file_with_errors_cannot_be_imported(signed_in):
    page = upload(signed_in, csv_file(["name", "email"], ["", "x"], ["Bob", "bob@example.com"]))
    shown = text_of(page)
    assert "Nothing can be imported yet" in shown and "is empty, but required." in shown
    assert 'name="import"' not in page.content.decode()
    assert said(press(signed_in, "import"))[0].startswith("Nothing was imported: row 2, email: Enter a valid")
    assert not model("customer").objects.exists()


def test_so_many_errors_are_kept_but_not_all_shown(signed_in, monkeypatch):
    monkeypatch.setattr(preview, "ERRORS_SHOWN", 5)
    page = upload(signed_in, csv_file(["name", "email"], *([f"n{n}", "x"] for n in range(12))))
    assert page.content.decode().count("Enter a valid email address.") == 5
    assert "12 errors" in text_of(page) and "7 more" in text_of(page)


def test_a_preview_keeps_the_first_rows_of_each_status(signed_in, monkeypatch):
    monkeypatch.setattr(preview, "ROWS_SHOWN", 3)
    for number in range(5):
        make("customer", name=f"Old {number}", email=f"old{number}@example.com")
    rows = [[f"N{n}", f"n{n}@example.com"] for n in range(5)] + [[f"O{n}", f"old{n}@example.com"] for n in range(5)]
    page = upload(signed_in, csv_file(["name", "email"], *rows))
    run = ImportRun.objects.get()
    assert [row["number"] for row in run.read_preview()["rows"]] == [2, 3, 4, 7, 8, 9]
    assert "… and 4 more rows: a preview shows the first" in text_of(page)
    assert len(run.read_versions()) == 5
    press(signed_in, "import")
    assert model("customer").objects.count() == 10


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("people.pdf", b"x", "the format is not known"),
        ("people.xlsx", b"x", "no Excel workbook"),
        ("people.csv", b"shoe size\n38\n", "The column 'shoe size' is no field of customer."),
        ("people.csv", b"name\nAnn\n", "The column 'email' is missing"),
    ],
)
def test_a_file_that_is_of_no_use_is_refused_beside_its_input(signed_in, name, data, reason):
    page = upload(signed_in, data, name)
    assert reason in text_of(page) and page.context["form"].errors["file"]
    assert not ImportRun.objects.exists()


def test_refusals_are_lines_of_the_log_without_what_the_file_holds(signed_in, caplog):
    upload(signed_in, csv_file(["name"], ["Ann"]))
    upload(signed_in, csv_file(["name", "email"], ["Ann", "x"]))
    press(signed_in, "import")
    run = ImportRun.objects.get()
    lines = [record.getMessage() for record in caplog.records if record.name == "crm.capabilities.transfer.pages"]
    assert lines == [
        f"A file for customer was refused: user {run.user_id}",
        f"Import {run.pk} of customer was refused: user {run.user_id}",
    ]


def test_what_happened_since_the_preview_counts(signed_in):
    """Between preview and import somebody took a slug: the import is refused, and says what is in the way."""
    headings = ["code", "name", "country", "start_date", "end_date", "price", "slug"]
    upload(signed_in, csv_file(headings, ["T1", "Alps", "CH", "2027-01-01", "2027-01-08", "900", "alps"]), of="trip")
    make("trip", code="T0", slug="alps")
    (message,) = said(press(signed_in, "import"))
    assert "row 2" in message and "slug" in message and "belongs to another record" in message
    assert model("trip").objects.count() == 1 and ImportRun.objects.get().status == PREVIEWED


def test_a_preview_can_be_discarded_and_is_then_gone(signed_in):
    upload(signed_in, csv_file(*ROWS))
    kept = ImportRun.objects.get()
    path = kept.source.path
    press(signed_in, "discard")
    kept.refresh_from_db()
    assert kept.status == DISCARDED and not kept.source
    import pathlib

    assert not pathlib.Path(path).exists()
    assert said(press(signed_in, "import")) == ["This import is discarded already."]


def test_an_import_is_done_once(signed_in):
    upload(signed_in, csv_file(*ROWS))
    press(signed_in, "import")
    assert said(press(signed_in, "import")) == ["This import is imported already."]
    assert model("customer").objects.count() == 2


# Exports


def test_an_export_holds_the_rows_of_the_list_as_it_is_filtered(signed_in):
    for name, kind in (("Ann", "person"), ("Bob", "company"), ("Cy", "company")):
        make("customer", name=name, kind=kind, email=f"{name}@example.com")
    body = signed_in.get(address("customer", "export") + "?format=csv&kind=company").content.decode()
    assert [row["name"] for row in csv.DictReader(io.StringIO(body))] == ["Bob", "Cy"]
    body = signed_in.get(address("customer", "export") + "?format=json&q=ann").content
    assert [one["name"] for one in json.loads(body)] == ["Ann"]


def test_the_ticked_rows_are_exported(signed_in):
    ann, _ = make("customer", name="Ann", email="a@b.c"), make("customer", name="Bob", email="b@b.c")
    found = signed_in.post(address("customer"), {"action": "export", "_selected_action": [ann.pk]})
    assert [row["name"] for row in csv.DictReader(io.StringIO(found.content.decode()))] == ["Ann"]
    assert found["Content-Disposition"].startswith('attachment; filename="customer-')


def test_what_excel_cannot_hold_is_said_and_not_cut(signed_in):
    make("note", customer=make("customer"), body="x" * 40_000)
    page = signed_in.get(address("note", "export") + "?format=xlsx", follow=True)
    assert page.status_code == 200 and "a text has 40,000 letters" in said(page)[0]


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
def test_what_was_exported_by_the_page_changes_nothing(signed_in, format):
    make("customer", name="Ann", email="ann@example.com", full=True)
    make("customer", name="No mail", email="")
    data = signed_in.get(address("customer", "export") + f"?format={format}").content
    shown = text_of(upload(signed_in, data, f"people.{format}"))
    assert ImportRun.objects.get().unchanged == 2, shown


def test_importing_at_once_is_no_way_round_adding_and_changing_either():
    """The command takes a user too, and has no preview."""
    user = person()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_customer", "import_customer"]))
    make("customer", name="Old", email="bob@example.com")
    with pytest.raises(ImportRefused, match="You may not add or change customers, so nothing was imported."):
        import_file(entity("customer"), "people.csv", csv_file(*ROWS), user)
    assert list(model("customer").objects.values_list("name", flat=True)) == ["Old"]


@pytest.mark.parametrize("verb", ["delete", "change"])
def test_undoing_what_another_imported_takes_the_right_to_each_part(admin_user, verb):
    """What was added is deleted, what was updated is changed; one right is not enough for both."""
    make("customer", name="Old", email="bob@example.com")
    run, _plan = import_file(entity("customer"), "people.csv", csv_file(*ROWS), admin_user)
    user = person()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_customer", f"{verb}_customer"]))
    lacks = "change" if verb == "delete" else "delete"
    with pytest.raises(ImportRefused, match=f"You may not {lacks} customers, so nothing was undone."):
        undo_run(run, user)
    assert sorted(model("customer").objects.values_list("name", flat=True)) == ["Ann", "Bob"]
