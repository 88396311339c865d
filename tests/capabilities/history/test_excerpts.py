"""Long values in a timeline: what a change shows of them is bounded, and shows where they begin to differ."""

from __future__ import annotations

import pytest

from crm.capabilities.history.timeline import EXCERPT, excerpts
from tests.support.pages import address
from tests.support.people import client_of
from tests.support.records import make


def test_short_values_are_shown_whole():
    assert excerpts("a" * EXCERPT, "") == ("a" * EXCERPT, "")


def test_of_long_values_the_place_of_the_change_is_shown():
    old = "same " * 1000 + "left" + " end" * 1000
    new = "same " * 1000 + "right" + " end" * 1000
    shown = excerpts(old, new)
    assert "same left end" in shown[0] and "same right end" in shown[1]
    assert all(text.startswith("… ") and "characters in all" in text and len(text) < EXCERPT + 60 for text in shown)
    assert excerpts("", "x" * 2000) == ("", f"{'x' * EXCERPT} … (2,000 characters in all)")


@pytest.mark.django_db
def test_many_changes_of_a_long_text_are_a_small_page():
    booking = make("booking")
    for number in range(30):
        booking.wishes = f"{number} " * 20_000
        booking.save()
    page = client_of("manager").get(address("booking", "history", booking.pk))
    assert page.status_code == 200 and len(page.content) < 500_000
