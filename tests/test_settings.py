"""Variables of the environment are read as they are meant, or refused with their name: never taken for something else."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.settings import flag, whole_number, words


@pytest.mark.parametrize(
    ("value", "meant"), [("1", True), (" Yes ", True), ("on", True), ("0", False), ("FALSE", False), ("off", False)]
)
def test_a_yes_or_no_is_read(monkeypatch, value, meant):
    monkeypatch.setenv("X", value)
    assert flag("X") is flag("X", default=not meant) is meant


def test_what_is_not_set_is_the_default(monkeypatch):
    for value in ("", "  "):
        monkeypatch.setenv("X", value)
        assert (flag("X", default=True), flag("X"), whole_number("X", 7, 1), words("X")) == (True, False, 7, [])


@pytest.mark.parametrize("value", ["maybe", "2", "1 0", "tru"])
def test_what_is_neither_yes_nor_no_is_refused(monkeypatch, value):
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=f"X={value}: use 1 or 0"):
        flag("X")


def test_a_whole_number_is_read_from_the_least_that_it_may_be(monkeypatch):
    monkeypatch.setenv("X", " 12 ")
    assert whole_number("X", 1, 12) == 12


@pytest.mark.parametrize("value", ["11", "-12", "1.5", "12s", "²", "9999999999"])
def test_what_is_no_whole_number_or_too_little_is_refused(monkeypatch, value):
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match="X=.*: use a whole number, 12 or more"):
        whole_number("X", 20, 12)


def test_words_stand_between_commas(monkeypatch):
    monkeypatch.setenv("X", " a.example , ,b.example,")
    assert words("X") == ["a.example", "b.example"]
