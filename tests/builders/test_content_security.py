"""Every answer has a policy: strict outside of the office, and in the office no looser than Unfold's Alpine.js needs."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse, HttpResponseNotFound
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.builders.content_security import HEADER, STRICT, ContentSecurityPolicyMiddleware, content_security
from tests.builders.test_pages import ENTITIES, pages_of
from tests.support.pages import address
from tests.support.records import make

INLINE = re.compile(
    r"<style|(?<=\s)style=|<script(?![^>]*\b(?:src=|type=\"application/json\"))|(?<=\s)on[a-z]+=\"|javascript:"
)
"""What no policy of ours allows in a page."""


def directives(answer):
    return {words[0]: words[1:] for words in map(str.split, answer[HEADER].split(";"))}


def test_the_office_may_evaluate_and_nothing_else_that_is_unsafe(signed_in):
    office = directives(signed_in.get(reverse("admin:index")))
    assert office["script-src"] == ["'self'", "'unsafe-eval'"]
    assert {source for name, sources in office.items() if name != "script-src" for source in sources} == {
        "'self'",
        "'none'",
    }
    assert office["default-src"] == office["base-uri"] == office["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("url", ["/", "/nothing/here", "/static/crm/crm.css", "/files/x/y"])
@pytest.mark.django_db
def test_everything_else_is_strict(url):
    answer = Client().get(url)
    strict = {name: value.split() for name, value in STRICT.items()}
    assert directives(answer) == {**strict, "frame-ancestors": ["'none'"]}
    assert "unsafe" not in answer[HEADER]


@pytest.mark.django_db
def test_errors_of_other_middleware_have_a_policy_too():
    refused = Client().get("/admin/", HTTP_HOST="evil.example")
    assert refused.status_code == 400 and "unsafe" not in refused[HEADER]
    assert HEADER in Client(enforce_csrf_checks=True).post("/admin/login/")


@pytest.mark.django_db
def test_the_page_of_signing_in_has_the_theme_and_nothing_inline():
    page = Client().get(reverse("admin:login"))
    assert not INLINE.findall(page.content.decode())
    theme = Client().get(re.search(r'href="(/admin/theme\.css\?v=\w+)"', page.content.decode())[1])
    assert theme.status_code == 200 and theme["Content-Type"].startswith("text/css")
    assert "--color-primary-600: " in theme.content.decode()


@pytest.mark.parametrize("name", ENTITIES)
def test_no_page_holds_inline_scripts_or_styles(signed_in, name):
    record = make(name, full=True)
    urls = [reverse("admin:index"), *(url for url, _ in pages_of(name, record))]
    for url in urls:
        assert INLINE.findall(signed_in.get(url).content.decode()) == [], url


def test_only_the_short_form_may_be_framed_and_only_by_the_office(signed_in):
    form = address("customer", "add")
    assert directives(signed_in.get(form))["frame-ancestors"] == ["'none'"]
    assert directives(signed_in.get(f"{form}?_popup=1&_quick=1"))["frame-ancestors"] == ["'self'"]


def answer_of(view, **settings):
    return ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/"))


def test_a_view_chooses_its_policy():
    @content_security({"default-src": "https://maps.example"})
    def view(request):
        return HttpResponse()

    def own(request):
        return HttpResponse(headers={HEADER: "default-src 'none'"})

    assert answer_of(view)[HEADER] == "default-src https://maps.example; frame-ancestors 'none'"
    assert answer_of(own)[HEADER] == "default-src 'none'"


def test_pages_with_tracebacks_are_readable_in_development_alone(settings):
    def broken(request):
        return HttpResponse(status=500)

    for view in (broken, lambda request: HttpResponseNotFound()):
        settings.DEBUG = True
        assert HEADER not in answer_of(view)
        settings.DEBUG = False
        assert HEADER in answer_of(view)


def test_what_does_not_fall_back_to_the_default_is_closed_by_every_policy(signed_in):
    """`form-action` and `base-uri` that a policy leaves out allow everything, whatever its `default-src`."""
    for url in (reverse("admin:index"), reverse("admin:login"), "/nothing/here"):
        found = directives(signed_in.get(url))
        assert (found["form-action"], found["base-uri"]) == (["'self'"], ["'none'"]), url
