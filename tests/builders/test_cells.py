"""What is stored is shown as text and never as markup (stored XSS): in cells, forms, panels and histories."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from django.db import models
from django.urls import reverse
from django.utils.html import conditional_escape

from crm.builders.cells import CELL, make_cell, show
from crm.wiring import FIELD_TYPES
from tests.builders.test_pages import ENTITIES, pages_of
from tests.contracts.fields import field_of
from tests.support.pages import address
from tests.support.records import entity, make, model

EVIL = "<xss>"
MARK = re.compile("<xss>", re.IGNORECASE)
TEXTS = {
    "text": {},
    "long_text": {},
    "choice": {},
    "slug": {},
    "sequence": {"format": "<xss>{n}"},
    "email": {},
    "url": {},
    "phone": {"strict": False},
    "file": {},
    "image": {},
    "color": {},
}
"""The types whose column can hold markup, with the options that allow it: what a database holds came by many ways."""


@pytest.mark.parametrize("most", [0, CELL])
@pytest.mark.parametrize("name", TEXTS)
def test_a_cell_shows_markup_as_text(name, most):
    kind = next(kind for kind in FIELD_TYPES if kind.name == name)
    field = field_of(kind, **TEXTS[name])
    cell = str(conditional_escape(show(SimpleNamespace(value=f"@{EVIL}"), field, most)))
    assert not MARK.search(cell)
    assert "&lt;" in cell, "what was stored is told"


def test_every_type_that_holds_texts_is_tried():
    """Those left out hold no text that anybody writes: numbers, days, links, and texts of a fixed form."""
    apart = {"country", "uuid", "json"}
    held = {kind.name for kind in FIELD_TYPES if kind.stored and not kind.many and kind.kind == "text"}
    assert held - apart <= set(TEXTS)


def write_markup(name):
    """Return a record whose every text holds markup, written past all checks as an older release could have."""
    record = make(name, full=True)
    written = {
        leaf.name: EVIL
        for leaf in entity(name).leaves
        if leaf.stored and leaf.computed is None and _takes_markup(record._meta.get_field(leaf.name))
    }
    models.QuerySet(model(name)).filter(pk=record.pk).update(**written)
    model(name).history.filter(id=record.pk).update(**written)
    record.refresh_from_db()
    return record, written


def _takes_markup(column):
    is_text = isinstance(column, models.CharField | models.TextField) and not isinstance(column, models.FileField)
    return is_text and (column.max_length or 99) >= len(EVIL)


@pytest.mark.parametrize("name", ENTITIES)
def test_no_page_shows_markup_that_was_stored(signed_in, name):
    record, written = write_markup(name)
    told = 0
    for url in [reverse("admin:index"), *(url for url, _ in pages_of(name, record))]:
        page = signed_in.get(url)
        assert page.status_code == 200, url
        html = page.content.decode()
        assert not MARK.search(html), url
        told += html.count("&lt;xss&gt;")
    assert told or not written, "the markup is there, as text"


@pytest.mark.parametrize(("name", "field"), [("booking", "number"), ("hotel", "phone"), ("customer", "phone")])
def test_numbers_and_phones_of_a_list_are_told_as_texts(signed_in, name, field):
    write_markup(name)
    cell = re.search(
        rf"field-cell_{field}[^>]*>(.*?)</t[dh]>", signed_in.get(address(name)).content.decode(), re.DOTALL
    )
    assert "&lt;xss&gt;" in cell[1] and not MARK.search(cell[1])


def test_nothing_stands_where_the_values_of_its_column_do():
    """A number is set right, and so is the dash in its place, also where a link leads nowhere."""
    booking = model("booking")()
    for leaf in (leaf for leaf in entity("booking").leaves if leaf.stored and not leaf.type.many):
        setattr(booking, leaf.name, None)
        assert ("crm-number" in show(booking, leaf, CELL)) is (leaf.type.align == "right"), leaf
    assert "crm-number" in make_cell(entity("booking"), "trip.capacity")(SimpleNamespace(trip=None))
    assert "crm-number" not in make_cell(entity("booking"), "trip.name")(SimpleNamespace(trip=None))
