"""A picture is what its name says, whichever form takes it; nothing that a browser runs passes for one."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from tests.blueprint.writing import fields
from tests.support.pages import save
from tests.support.records import PIXEL, make, model

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
NO_PICTURE = "This is no picture that can be read: PNG, JPEG, GIF or WebP."


def picture(format, size=(3, 2)):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, format)
    return file.getvalue()


def bomb(width, height):
    """Return a PNG of a few bytes that says it has so many pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


REFUSED = {
    "SVG named PNG": ("x.png", SVG, NO_PICTURE),
    "HTML named GIF": ("x.gif", HTML, NO_PICTURE),
    "HTML behind the mark of a GIF": ("x.gif", b"GIF89a" + HTML, NO_PICTURE),
    "cut off": ("x.png", PIXEL[:40], NO_PICTURE),
    "damaged": ("x.png", PIXEL[:45] + b"\0\0" + PIXEL[47:], NO_PICTURE),
    "nothing of a picture": ("x.jpg", b"x", NO_PICTURE),
    "another format that is a picture": ("x.png", picture("BMP"), NO_PICTURE),
    "JPEG named PNG": ("x.png", picture("JPEG"), "The content is JPEG, but the name ends with .png."),
    "PNG named WebP": ("x.webp", PIXEL, "The content is PNG, but the name ends with .webp."),
    "a bomb": ("x.png", bomb(8_000, 8_000), "The picture is larger than 50 million pixels."),
    "a bomb that Pillow refuses": ("x.png", bomb(60_000, 60_000), "The picture is larger than 50 million pixels."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_such_picture_is_refused(signed_in, case):
    name, content, message = REFUSED[case]
    hotel = make("hotel")
    page = save(signed_in, "photo", hotel=str(hotel.pk), image=SimpleUploadedFile(name, content, "image/png"))
    assert page.status_code == 200 and not model("photo").objects.exists()
    assert page.context["adminform"].form.errors["image"] == [message]


@pytest.mark.parametrize("name", ["x.svg", "x.html", "x.png.svg", "x", "x.bmp"])
def test_no_other_ending_is_taken(signed_in, name):
    page = save(signed_in, "photo", hotel=str(make("hotel").pk), image=SimpleUploadedFile(name, PIXEL))
    assert page.status_code == 200 and not model("photo").objects.exists()


@pytest.mark.parametrize(
    ("name", "format"),
    [("x.png", "PNG"), ("x.PNG", "PNG"), ("x.jpg", "JPEG"), ("x.jpeg", "JPEG"), ("x.gif", "GIF"), ("x.webp", "WEBP")],
)
def test_pictures_are_taken_as_they_are(signed_in, name, format):
    content = picture(format)
    page = save(signed_in, "photo", hotel=str(make("hotel").pk), image=SimpleUploadedFile(name, content))
    assert page.status_code == 302, page.context["adminform"].form.errors
    kept = model("photo").objects.get()
    assert kept.image.read() == content
    answer = signed_in.get(kept.image.url)
    assert answer["Content-Type"] == f"image/{format.lower()}"


@pytest.mark.parametrize("name", ["x.js", "x.html", "x.svg", "x.css", "x.xml", "x", "png"])
def test_no_upload_is_a_script_or_a_page_to_a_browser(signed_in, name):
    """A file that was stored before its kind was refused: sent as bytes to be kept, which no page can run or show."""
    trip = make("trip")
    trip.brochure = default_storage.save(f"travel/trip/brochure/{'0' * 32}/{name}", ContentFile(b"alert(1)"))
    trip.save()
    answer = signed_in.get(trip.brochure.url)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]


def test_a_definition_cannot_ask_for_pictures_that_run():
    problem = "'svg' is no picture; use png, jpg, jpeg, gif, webp, or the type file"
    assert fields("{a: {type: image, accept: [png, svg]}}") == problem
