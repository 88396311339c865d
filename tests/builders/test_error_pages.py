"""Pages that say what could not be answered: each in words, with a style sheet, and with a way on."""

from __future__ import annotations

import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.views import defaults
from django.views.csrf import csrf_failure

from crm.builders.refusals import bad_page

REQUEST = RequestFactory().get("/admin/nothing/")
PAGES = {
    400: (lambda: bad_page("What was sent could not be read."), "This request was not understood"),
    403: (lambda: defaults.permission_denied(REQUEST, PermissionDenied()).content, "This is not yours to see or to do"),
    404: (lambda: defaults.page_not_found(REQUEST, Exception()).content, "There is nothing at this address"),
    500: (lambda: defaults.server_error(REQUEST).content, "This could not be answered"),
    503: (lambda: bad_page("Run: manage.py plan", "The database is of other definitions"), "manage.py plan"),
    "csrf": (lambda: csrf_failure(REQUEST).content, "The page was open for too long"),
}


@pytest.mark.parametrize("status", PAGES)
def test_a_page_without_the_office_says_what_is_the_matter_and_where_to_go(status):
    render, words = PAGES[status]
    html = render().decode()
    assert words in html and 'href="/admin/"' in html and 'href="/static/crm/plain.css"' in html
    assert finders.find("crm/plain.css")


@pytest.mark.django_db
def test_who_may_not_is_told_so_in_words(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("clerk", is_staff=True))
    answer = client.get("/admin/travel/invoice/")
    assert answer.status_code == 403 and "Your account lacks the right to it." in answer.content.decode()


@pytest.mark.django_db
def test_the_page_of_signing_in_leads_nowhere_else():
    assert "Return to site" not in Client().get("/admin/login/").content.decode()
