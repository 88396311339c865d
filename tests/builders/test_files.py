"""Uploads are handed out to whoever may see their record, and to nobody else."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from crm.fields.reading import Reading
from tests.support.granting import grant
from tests.support.pages import save
from tests.support.people import client_of
from tests.support.records import PIXEL, entity, make, model


def url_of(file):
    return file.url


@pytest.fixture
def trip(db):
    return make("trip", full=True)


def test_a_picture_is_shown_and_a_document_downloaded(signed_in, trip):
    picture, document = signed_in.get(url_of(trip.cover)), signed_in.get(url_of(trip.brochure))
    assert b"".join(picture.streaming_content) == PIXEL
    assert picture["Content-Type"] == "image/png" and picture["Content-Disposition"].startswith("inline")
    assert document["Content-Type"] == "application/pdf" and document["Content-Disposition"].startswith("attachment")
    for answer in (picture, document):
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer["Cache-Control"]


@pytest.mark.django_db
def test_only_those_who_may_see_the_record_get_its_files(trip):
    assert client_of("guide").get(url_of(trip.cover)).status_code == 200
    assert client_of("").get(url_of(trip.cover)).status_code == 404
    stranger = Client().get(url_of(trip.cover))
    assert stranger.status_code == 302 and reverse("admin:login") in stranger["Location"]


@pytest.mark.parametrize(
    "name",
    [
        "../travel.sqlite3",
        "travel/trip/cover/../../../travel.sqlite3",
        "imports/source.csv",
        "travel/trip/cover/0123456789abcdef0123456789abcdef/none.png",
        "trip/{id}/cover/0123456789abcdef0123456789abcdef/none.png",
        "trip/{id}/name/{key}/{name}",
        "trip/{id}/brochure/{key}/{name}",
        "trip/{id}/cover/{key}/other.png",
        "trip/{id}/cover/../{name}",
        "trip/{id}0/cover/{key}/{name}",
        "trip/-1/cover/{key}/{name}",
        "trip/²/cover/{key}/{name}",
        "trip/99999999999999999999999/cover/{key}/{name}",
        "trip/999999999999999999/cover/{key}/{name}",
        "nothing/{id}/cover/{key}/{name}",
        "user/{id}/password/{key}/{name}",
        "x",
    ],
)
def test_nothing_else_can_be_reached(signed_in, trip, name):
    key, own = trip.cover.name.split("/")[3:]
    assert signed_in.get(f"/files/{name.format(id=trip.pk, key=key, name=own)}").status_code == 404
    assert signed_in.get(f"/files/trip/{trip.pk}/cover/{key}/{own}").status_code == 200


def test_the_file_of_a_hidden_field_is_refused(trip, monkeypatch):
    """Whoever may see the record, and not this field of it, gets the other files of the record alone."""
    grant(monkeypatch, "guide", trip={"view": {"except": ["cover"]}})
    client = client_of("guide")
    assert client.get(url_of(trip.cover)).status_code == 404
    assert client.get(url_of(trip.brochure)).status_code == 200
    grant(monkeypatch, "guide", trip={"view": True})
    assert client_of("guide").get(url_of(trip.cover)).status_code == 200


def test_the_file_of_a_hidden_record_is_refused(trip, monkeypatch):
    """Whoever may see some trips gets the files of those."""
    other = make("trip", full=True)
    grant(monkeypatch, "guide", trip={"view": {"rows": f"code == '{trip.code}'"}})
    client = client_of("guide")
    for shown, hidden in ((trip.cover, other.cover), (trip.brochure, other.brochure)):
        assert client.get(url_of(shown)).status_code == 200
        assert client.get(url_of(hidden)).status_code == 404


def test_a_file_is_that_of_the_field_that_its_address_names(trip, monkeypatch):
    """A hidden picture cannot be had under the address of a field that may be seen."""
    grant(monkeypatch, "guide", trip={"view": {"except": ["cover"]}})
    asked = reverse("file", args=[trip.cover.name.replace("/cover/", "/brochure/")])
    assert client_of("guide").get(asked).status_code == 404


def test_a_file_that_no_record_holds_any_more_is_gone(signed_in, trip):
    url = url_of(trip.cover)
    trip.cover = ""
    trip.save()
    assert signed_in.get(url).status_code == 404


def test_a_file_whose_content_was_lost_is_404(signed_in, trip):
    default_storage.delete(trip.cover.name)
    assert signed_in.get(url_of(trip.cover)).status_code == 404


def test_what_a_browser_could_run_is_refused_or_only_downloaded(signed_in):
    """A page of HTML named as a picture is not taken; a document is never opened within the site."""
    html = b"<script>alert(1)</script>"
    hotel = make("hotel")
    page = save(signed_in, "photo", hotel=str(hotel.pk), image=SimpleUploadedFile("x.png", html))
    assert page.status_code == 200 and not model("photo").objects.exists()
    assert save(signed_in, "photo", hotel=str(hotel.pk), image=SimpleUploadedFile("x.html", PIXEL)).status_code == 200
    trip = make("trip")
    refused = save(signed_in, "trip", trip, brochure=SimpleUploadedFile("x.html", html))
    assert refused.status_code == 200 and "brochure" in refused.context["adminform"].form.errors
    assert save(signed_in, "trip", trip, brochure=SimpleUploadedFile("x.pdf", html)).status_code == 302
    trip.refresh_from_db()
    answer = signed_in.get(url_of(trip.brochure))
    assert answer["Content-Disposition"].startswith("attachment") and "sandbox" in answer["Content-Security-Policy"]


def test_names_cannot_be_guessed_or_leave_their_folder(signed_in):
    trip = make("trip")
    assert (
        save(signed_in, "trip", trip, brochure=SimpleUploadedFile("../../../etc/passwd ü.pdf", b"%PDF")).status_code
        == 302
    )
    trip.refresh_from_db()
    folder, entity, field, key, name = trip.brochure.name.split("/")
    assert (folder, entity, field, len(key)) == ("travel", "trip", "brochure", 32)
    assert "/" not in name and ".." not in name


def test_the_form_shows_the_file_that_is_there(signed_in, trip):
    from tests.support.pages import address

    html = signed_in.get(address("trip", "change", trip.pk)).content.decode()
    assert url_of(trip.cover) in html and url_of(trip.brochure) in html


def test_a_long_name_is_cut_and_a_file_of_it_can_be_imported_again(signed_in):
    trip = make("trip")
    upload = SimpleUploadedFile(f"{'a' * 150}.pdf", b"%PDF")
    assert save(signed_in, "trip", trip, brochure=upload).status_code == 302
    trip.refresh_from_db()
    name, field = trip.brochure.name, entity("trip").find("brochure")
    assert len(name.split("/")[-1]) == 80 and name.endswith("a.pdf")
    assert field.type.parse(name, field, Reading()) == name
