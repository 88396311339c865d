"""What looks the same to people has one comparison form: the same on every machine and in every database."""

from __future__ import annotations

import unicodedata

import pytest
from contracts.fields import field_of
from hypothesis import given
from hypothesis import strategies as st

from crm.fields.comparison import MAX_KEY, bounded_key, fold_text, is_key_name, key_name, source_name
from crm.wiring import FIELD_TYPES, LANGUAGE

TEXTS = st.text(max_size=20) | st.text("aÄäA\u0308ßẞ \u00a0\u200b\u00adſK\u212aﬁﬁ①²Ａ’'-‑İıςσΣ\ufe0f", max_size=12)


@given(TEXTS)
def test_the_form_of_a_form_is_itself(text):
    assert fold_text(fold_text(text)) == fold_text(text)
    assert bounded_key(bounded_key(text)) == bounded_key(text)
    assert len(bounded_key(text * 40)) <= MAX_KEY


@given(TEXTS.filter(lambda text: text.strip()))
def test_how_a_letter_is_composed_makes_no_other_text(text):
    for form in ("NFC", "NFD"):
        assert fold_text(unicodedata.normalize(form, text)) == fold_text(text)


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd"], exclude_characters="ıİ"), min_size=1, max_size=10))
def test_capitals_and_what_nobody_sees_make_no_other_text(text):
    assert fold_text(text.upper()) == fold_text(text) == fold_text(text.lower())
    assert fold_text(f" \u00a0{text}\u200b\ufeff ") == fold_text(text)
    assert fold_text("\u00ad".join(text)) == fold_text(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.org", "ann@example.org"),
        ("UML-Ä1", "uml-A\u03081"),
        ("José", "Jose\u0301"),
        ("A 1", "A\u00a01"),
        ("A 1", "a  \u2009 1"),
        ("B7", "B\u200b7"),
        ("Straße", "STRASSE"),
        ("ﬁne", "FINE"),
        ("ＡＢ１２", "ab12"),
        ("O’Brien", "O'Brien"),
        ("X‑1", "X-1"),
        ("µm", "μm"),
    ],
)
def test_these_are_one(one, other):
    assert fold_text(one) == fold_text(other)


@pytest.mark.parametrize(("one", "other"), [("m²", "m2"), ("José", "Jose"), ("①", "1"), ("A1", "A 1"), ("½", "1/2")])
def test_these_are_two(one, other):
    assert fold_text(one) != fold_text(other)


def test_a_text_of_nothing_but_what_nobody_sees_is_still_one_of_its_own():
    assert fold_text("\u200b") and fold_text("\u200b") != fold_text("\u2060")


def test_long_texts_are_told_apart_behind_the_cut():
    assert bounded_key("a" * 999 + "b") != bounded_key("a" * 1_000)


COMPARED = [
    kind
    for kind in FIELD_TYPES
    if kind.examples and kind.reference(field_of(kind)) is None and not kind.parts(field_of(kind))
]


def test_there_are_types_to_compare():
    assert {"text", "email", "url", "phone", "money", "date"} <= {kind.name for kind in COMPARED}


@pytest.mark.parametrize("kind", COMPARED, ids=lambda kind: kind.name)
def test_the_form_of_every_type_is_that_of_its_form(kind):
    field = field_of(kind)
    for raw in kind.examples:
        key = kind.comparison_key(raw, field)
        assert kind.comparison_key(key, field) == key
        assert not kind.folds or isinstance(key, str)


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        ("email", "ann@bücher.example", "Ann@XN--BCHER-KVA.example", True),
        ("email", "ann@example.org", "ann+x@example.org", False),
        ("url", "HTTPS://Example.org", "https://example.org/", True),
        ("url", "https://example.org:443/a", "https://example.org/a", True),
        ("url", "https://example.org/A", "https://example.org/a", False),
        ("phone", "+442079460018", "020 7946 0018", True),
        ("phone", "5-55 (4729)", "555 4729", True),
        ("slug", "Alpine-Lakes", "alpine-lakes", True),
        ("text", "Wine", "wine", True),
    ],
)
def test_each_type_says_what_is_the_same(kind, one, other, same):
    options = {"strict": False} if kind == "phone" else {}
    field = field_of(LANGUAGE.types[kind], **options)
    assert (field.type.comparison_key(one, field) == field.type.comparison_key(other, field)) is same


def test_a_twin_is_called_after_its_field():
    assert source_name(key_name("code")) == "code" == source_name("code")
    assert is_key_name(key_name("code")) and not is_key_name("code_key")
