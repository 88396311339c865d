"""Requests that nobody's browser sends: a page that says what is wrong, and nothing done."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from django.urls import reverse

from crm.builders.refusals import refuse_encodings
from project.wsgi import application
from tests.support.pages import address, said, text_of
from tests.support.records import make, model

KEYS = ["abc", "", "1.5", "9" * 30, "-1", "\0", "1 OR 1=1"]
URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("action", ["edit", "delete_selected", "export_selected"])
def test_an_action_on_what_is_no_record_goes_back_to_the_list(signed_in, key, action):
    made = make("customer", name="Ada")
    for sent in ([key], [str(made.pk), key]):
        page = signed_in.post(address("customer") + "?q=Ada", {"action": action, "_selected_action": sent}, follow=True)
        assert page.redirect_chain == [(address("customer") + "?q=Ada", 302)]
        assert said(page) == ["Nothing was done: what was chosen is no record of this list."]
    assert model("customer").objects.count() == 1


@pytest.mark.parametrize("name", ["crm_user", "auth_group", "crm_tag", "crm_release"])
def test_the_lists_of_the_engines_own_tables_refuse_them_too(signed_in, name):
    url = reverse(f"admin:{name}_changelist")
    page = signed_in.post(url, {"action": "delete_selected", "_selected_action": ["abc"]}, follow=True)
    assert page.status_code == 200 and "Nothing was done" in said(page)[0]
    assert signed_in.get(url, {"q": "a\0b"}, follow=True).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
def test_too_many_values_are_told_with_their_number(signed_in, settings, debug):
    settings.DEBUG, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = debug, 50
    fields = {f"field{number}": "x" for number in range(51)}
    for answer in (signed_in.post(address("customer", "add"), fields), signed_in.get(address("customer"), fields)):
        assert answer.status_code == 400
        assert "More than 50 values were sent at once" in text_of(answer)


def test_too_much_text_is_told(signed_in, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
    answer = signed_in.post(address("note", "add"), "body=" + "x" * 1_000_001, content_type=URLENCODED)
    assert answer.status_code == 400 and "More than 1.0 MB of text" in text_of(answer)


def test_only_utf_8_is_read(signed_in):
    """UTF-7 writes half a character as `+2AA-`: SQLite's driver fails on it, and PostgreSQL refuses it."""
    for kind in (f"{URLENCODED}; charset=utf-7", "multipart/form-data; boundary=x; charset=utf-7"):
        body = (
            "name=%2B2AA-"
            if "url" in kind
            else "--x\r\nContent-Disposition: form-data; name=q\r\n\r\n+2AA-\r\n--x--\r\n"
        )
        answer = signed_in.post(address("customer", "add"), body, content_type=kind)
        assert answer.status_code == 400 and "could not be read" in text_of(answer)
        answer = signed_in.get(address("customer") + "?q=%2B2AA-", headers={"Content-Type": kind})
        assert answer.status_code == 400


def test_a_broken_form_is_told(signed_in):
    answer = signed_in.post(address("customer", "add"), "x", content_type="multipart/form-data; boundary=\xff")
    assert answer.status_code == 400 and "could not be read" in text_of(answer)


def test_a_parameter_that_is_no_filter_is_told(signed_in):
    answer = signed_in.get(address("customer"), {"password__startswith": "x"})
    assert answer.status_code == 400 and "cannot be filtered by “password__startswith”" in text_of(answer)
    assert f'href="{address("customer")}"' in answer.content.decode()


def test_a_parameter_of_a_field_that_was_renamed_is_named(signed_in):
    answer = signed_in.get(address("customer"), {"vip": "<b>"}, follow=True)
    assert answer.status_code == 400 and "cannot be filtered by “vip”" in text_of(answer)
    assert signed_in.get(address("customer")).status_code == 200


@pytest.mark.parametrize("page", ["abc", "0", "-1", "9" * 20, "\0", ""])
def test_the_search_of_pages_shows_its_first_page_instead_of_none(signed_in, page):
    assert signed_in.get(reverse("admin:search"), {"s": "c\0ust", "page": page}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/html; charset=rot13", "x/y; charset*=rot13''%41", "a/b; charset=zlib", "a/b; charset=utf-16"]
)
def test_an_encoding_that_django_fails_on_is_refused_before_it_sees_it(kind):
    """Django decodes the address with it while it builds the request, outside of everything that handles errors."""
    started = []
    environ = RequestFactory().generic("GET", "/admin/?q=1").environ | {"CONTENT_TYPE": kind}
    page = refuse_encodings(lambda *_: pytest.fail("was let through"))(environ, lambda *said: started.append(said))
    assert started[0][0] == "400 Bad Request" and b"could not be read" in b"".join(page)
    assert application.__qualname__ == refuse_encodings(application).__qualname__, "what is served is wrapped"


@pytest.mark.parametrize(
    "kind", ["", "text/html", "text/html; charset=UTF-8", 'multipart/form-data; boundary=x; charset="utf-8"']
)
def test_other_requests_are_let_through(kind):
    environ = RequestFactory().generic("GET", "/admin/").environ | {"CONTENT_TYPE": kind}
    assert refuse_encodings(lambda *_: "through")(environ, None) == "through"
