"""The page of an import says when each of its steps was done, and by whom: upload, import, undoing, discarding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.capabilities.transfer.models import ImportRun
from tests.capabilities.transfer.files import csv_file
from tests.support.pages import address, text_of
from tests.support.people import person

pytestmark = pytest.mark.django_db
FILE = csv_file(["name", "email"], ["Ann", "ann@example.com"])
MORNING = datetime(2027, 3, 1, 8, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT, settings.TIME_ZONE = tmp_path, "UTC"


@pytest.fixture
def do(client, monkeypatch):
    """Do a step of an import so many hours after the morning, as somebody; return the page that it leads to."""

    def step(name: str, hours: int, role: str) -> str:
        monkeypatch.setattr("django.utils.timezone.now", lambda: MORNING + timedelta(hours=hours))
        if role not in people:
            people[role] = person(role)
        client.force_login(people[role])
        if name == "upload":
            file = {"file": SimpleUploadedFile("people.csv", FILE)}
            return text_of(client.post(address("customer", "import"), file, follow=True))
        run = ImportRun.objects.get()
        return text_of(client.post(address("customer", "import_run", run.pk), {name: "1"}, follow=True))

    people: dict = {}
    step.names = people
    return step


def test_each_step_has_its_own_moment_and_person(do, client):
    do("upload", 0, "manager")
    imported = do("import", 3, "accounts")
    names = {role: str(user) for role, user in do.names.items()}
    assert f"Uploaded on 1 Mar 2027, 08:30 by {names['manager']}." in imported
    assert f"Imported on 1 Mar 2027, 11:30 by {names['accounts']}." in imported
    undone = do("undo", 30, "manager")
    assert f"Imported on 1 Mar 2027, 11:30 by {names['accounts']}." in undone
    assert f"Undone on 2 Mar 2027, 14:30 by {names['manager']}." in undone
    recent = text_of(client.get(address("customer", "import")))
    assert f"{names['manager']} 2 Mar 2027, 14:30" in " ".join(recent.split())


def test_a_discarded_preview_says_when_it_was_given_up(do, client):
    do("upload", 0, "manager")
    do("discard", 5, "accounts")
    run = ImportRun.objects.get()
    page = text_of(client.get(address("customer", "import_run", run.pk)))
    assert f"Discarded on 1 Mar 2027, 13:30 by {do.names['accounts']}." in page


def test_what_was_undone_before_moments_were_kept_claims_none(do, client):
    for name in ("upload", "import", "undo"):
        do(name, 1, "manager")
    ImportRun.objects.update(closed=None, closed_by=None)
    page = text_of(client.get(address("customer", "import_run", ImportRun.objects.get().pk)))
    assert "Undone." in page and "Undone on" not in page


def test_the_page_says_one_record_and_many(do):
    do("upload", 0, "manager")
    assert "removes the 1 added record and gives the 0 updated ones their former values" in do("import", 1, "manager")
