"""A file is kept when what names it is: not after a rollback, not of a request that was cut off."""

from __future__ import annotations

import io
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_finished, request_started
from django.db import IntegrityError, close_old_connections, transaction
from django.urls import reverse
from PIL import Image

from crm.capabilities.transfer.models import ImportRun
from crm.capabilities.transfer.runs import start_run
from crm.records import record as records
from crm.records.rules import RuleBroken
from project.wsgi import application
from tests.support.pages import address, save
from tests.support.records import entity, make, model

PHOTO_BYTES = 3_000_000
"""More than Django keeps in memory of an upload: it comes in a temporary file."""


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """Folders of the test's own for files and for uploads under way."""
    settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "media", tmp_path / "temporary"
    (tmp_path / "temporary").mkdir()
    return tmp_path


def files_in(folder: Path):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def large_picture():
    """Return a picture that comes in a temporary file."""
    file = io.BytesIO()
    Image.effect_noise((2000, 2000), 100).save(file, "PNG")
    assert file.tell() > PHOTO_BYTES
    return SimpleUploadedFile("beach.png", file.getvalue(), "image/png")


@pytest.mark.django_db(transaction=True)
def test_a_file_is_kept_when_its_transaction_commits_and_deleted_when_it_is_rolled_back(media):
    with transaction.atomic():
        default_storage.save("kept.txt", ContentFile(b"x"))
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            default_storage.save("inner.txt", ContentFile(b"x"))
            raise ZeroDivisionError
    assert files_in(media) == ["media/kept.txt"]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        default_storage.save("outer.txt", ContentFile(b"x"))
        assert default_storage.exists("outer.txt")
        raise ZeroDivisionError
    default_storage.save("alone.txt", ContentFile(b"x"))
    assert files_in(media) == ["media/alone.txt", "media/kept.txt"]


@pytest.mark.django_db(transaction=True)
def test_a_record_that_the_database_refuses_leaves_no_file(media):
    trip = make("trip")
    with pytest.raises(IntegrityError):
        model("trip")(pk=trip.pk, name="x", cover=ContentFile(b"x", "x.png")).save(force_insert=True)
    assert files_in(media) == []


def test_what_the_disk_took_before_it_was_full_is_removed(media, monkeypatch):
    def chunks(self, size=None):
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ContentFile, "chunks", chunks)
    with pytest.raises(OSError, match="No space"):
        default_storage.save("x.txt", ContentFile(b"half and half"))
    assert files_in(media) == []


def test_a_form_that_breaks_a_rule_when_it_is_saved_leaves_no_file(signed_in, media, monkeypatch):
    """It is shown again with nothing but what the rule says, though the picture was stored meanwhile."""
    hotel, stored = make("hotel"), []

    def refuse(which, keys, columns=None):
        stored.extend(files_in(media / "media"))
        raise RuleBroken(None, model("photo")(), "Say what it shows.")

    monkeypatch.setattr(records.gate, "check_written", refuse)
    page = save(signed_in, "photo", hotel=str(hotel.pk), image=large_picture())
    assert len(stored) == 1, "the file was there when the rule was asked"
    assert page.context["adminform"].form.errors == {"__all__": ["Say what it shows."]}
    assert files_in(media) == []


def test_an_import_whose_preview_cannot_be_kept_leaves_no_file(db, media, monkeypatch):
    def fail(self, *args, **kwargs):
        assert len(files_in(media)) == 2
        raise OSError

    monkeypatch.setattr(ImportRun, "save", fail)
    with pytest.raises(OSError):
        start_run(entity("guide"), "guides.csv", b"name,email\nAda,ada@example.org\n", None)
    assert files_in(media) == []


# Requests that are cut off


BOUNDARY = "ThePartsOfTheForm"


def body_of(**fields):
    """Return a form as a browser sends it; files are pairs of a name and their content."""
    parts = []
    for key, value in fields.items():
        name, content = value if isinstance(value, tuple) else ("", value.encode())
        about = f'; filename="{name}"\r\nContent-Type: text/csv' if name else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"{about}\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


class Broken(io.BytesIO):
    """A connection that breaks: an error where it ends, as some servers tell it."""

    def read(self, *size):
        data = super().read(*size)
        if not data:
            raise OSError("connection reset")
        return data


@contextmanager
def connection_kept():
    """The entry point for web servers closes connections of before; the test's own is to stay, as the client has it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def send(client, url, body, length, stream=io.BytesIO):
    """Send a body through the entry point of web servers, and return the status."""
    token = client.get(url).cookies["csrftoken"].value
    environ = {
        **client._base_environ(),
        "REQUEST_METHOD": "POST",
        "PATH_INFO": url,
        "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}",
        "CONTENT_LENGTH": str(length),
        "HTTP_X_CSRFTOKEN": token,
        "wsgi.input": stream(body),
    }
    environ["HTTP_COOKIE"] = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    told = []
    with connection_kept():
        list(application(environ, lambda status, headers: told.append(status)))
    return int(told[0][:3])


@pytest.mark.parametrize("stream", [io.BytesIO, Broken])
@pytest.mark.parametrize("size", [2_000, 3_500_000], ids=["in memory", "in a temporary file"])
def test_an_upload_that_is_cut_off_leaves_nothing(signed_in, media, stream, size):
    url = address("guide", "import")
    rows = b"".join(b"Ada %d,ada%d@example.org\n" % (number, number) for number in range(size // 30))
    body = body_of(file=("guides.csv", b"name,email\n" + rows))
    assert send(signed_in, url, body[: len(body) // 2], len(body), stream) in {400, 403, 500}
    assert not ImportRun.objects.exists() and files_in(media) == []


def test_a_whole_upload_is_taken(signed_in, media):
    """The negative control: the same request, not cut off, leaves a preview."""
    body = body_of(file=("guides.csv", b"name,email\nAda,ada@example.org\n"))
    assert send(signed_in, address("guide", "import"), body, len(body)) == 302
    assert ImportRun.objects.count() == 1 and len(files_in(media)) == 2


def test_a_form_that_is_cut_off_is_not_saved(signed_in):
    url = reverse("admin:crm_tag_add")
    body = body_of(scope="x", name="cut", color="gray")
    assert send(signed_in, url, body[:-60], len(body)) == 400
    assert send(signed_in, url, body, len(body)) == 302
