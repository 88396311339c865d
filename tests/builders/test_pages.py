"""Every page of every entity: there for those who may, refused or absent for those who may not."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.kernel.capability import Page
from crm.kernel.contributions import Kind
from crm.records import access
from crm.records.access import as_viewer
from tests.support.granting import grant
from tests.support.pages import address, form_data, text_of
from tests.support.people import client_of, person
from tests.support.records import business, entity, make, model

ENTITIES = sorted(business().entities)
ROLES = sorted(business().roles)
VIEWERS = [role for role in ROLES if "view" in entity("customer").grants[role]]
assert {"guide", "manager", "sales"} <= set(VIEWERS) < set(ROLES), "there are roles of both kinds to try"
LISTS = {"changelist": "view", "add": "add", "export": "export", "import": "import"}
"""The pages of an entity, each with the verb that it needs."""
RECORDS = {"change": "view", "delete": "delete", "history": "view"}


def pages_of(name, record):
    """Return the address of each page of an entity and of a record, with the verb that it needs."""
    found = [(address(name, page), verb) for page, verb in LISTS.items()]
    found += [(address(name, page, record.pk), verb) for page, verb in RECORDS.items()]
    version = type(record).history.filter(id=record.pk).first()
    found.append((address(name, "revert", record.pk, version.history_id), "change"))
    panels = access_site(name).contributions.by_kind(Kind.PANEL)
    return found + [(address(name, "panel", record.pk, panel), "view") for panel in panels]


def access_site(name):
    from django.contrib import admin

    return admin.site._registry[model(name)]


@pytest.mark.parametrize("name", ENTITIES)
def test_all_pages_answer_for_an_administrator(signed_in, name):
    record = make(name, full=True)
    for url, _ in pages_of(name, record):
        assert signed_in.get(url).status_code == 200, url


@pytest.mark.parametrize("name", ENTITIES)
def test_a_record_with_the_least_that_it_must_have_is_shown(signed_in, name):
    record = make(name)
    assert signed_in.get(address(name)).status_code == 200
    assert signed_in.get(address(name, "change", record.pk)).status_code == 200
    assert signed_in.get(address(name, "history", record.pk)).status_code == 200


def status_due(role, user, name, record, url, verb):
    """Return the status that a page must have for a role: by its grants, by the rows that it sees, by the record."""
    if verb not in (entity(name).grants[role] if role else ()):
        return 403
    if url in {address(name, page) for page in LISTS}:
        return 200
    if not access.visible_rows(user, model(name)).filter(pk=record.pk).exists():
        return 404
    panel = (
        access_site(name).contributions.by_kind(Kind.PANEL).get(url.rstrip("/").split("/")[-1])
        if "/panel/" in url
        else None
    )
    if panel is not None and not all(access.can_view_field(user, field) for field in panel.fields):
        return 403
    return 200 if access.has_perm(user, verb, model(name), record) else 403


@pytest.mark.parametrize("role", ["", *ROLES])
@pytest.mark.django_db
def test_all_pages_answer_as_each_role(role):
    """Each role reaches what it may and nothing else; what it may not is refused to GET and to POST."""
    user = person(role)
    client, answers = client_of(user), Counter()
    for name in ENTITIES:
        record = make(name, full=True)
        for url, verb in pages_of(name, record):
            due = status_due(role, user, name, record, url, verb)
            assert client.get(url).status_code == due, (role, verb, url)
            if due == 403:
                assert client.post(url).status_code == 403, (role, verb, url)
            answers[due] += 1
    can_view = [name for name in ENTITIES if role and "view" in entity(name).grants[role]]
    assert answers[200] >= 2 * len(can_view), "lists and records were among them"
    assert answers[403] or role == "manager"


@pytest.mark.django_db
def test_who_may_only_see_cannot_change_by_sending_the_form():
    record = make("customer", name="Ada Okafor")
    data = form_data(client_of("manager").get(address("customer", "change", record.pk)), "customer_form")
    answer = client_of("guide").post(address("customer", "change", record.pk), {**data, "name": "Eve"})
    assert answer.status_code == 403
    record.refresh_from_db()
    assert record.name == "Ada Okafor"


@pytest.mark.parametrize("role", VIEWERS)
@pytest.mark.django_db
def test_what_a_role_may_not_do_is_not_offered(role):
    client, can = client_of(role), set(business().roles[role].can)
    record = make("customer")
    listed, shown = client.get(address("customer")), client.get(address("customer", "change", record.pk))
    offered = {path["path"].split("?")[0] for path in listed.context_data.get("actions_list", [])}
    assert (address("customer", "import") in offered) == ("import" in can)
    assert (address("customer", "export") in offered) == ("export" in can)
    assert (address("customer", "add") in listed.content.decode()) == ("add" in can)
    assert (address("customer", "delete", record.pk) in shown.content.decode()) == ("delete" in can)
    assert ('name="_save"' in shown.content.decode()) == ("change" in can)
    assert ('name="change_reason"' in shown.content.decode()) == ("change" in can)
    actions = dict(listed.context["action_form"].fields["action"].choices) if listed.context["action_form"] else {}
    assert ("edit" in actions) == ("change" in can)
    assert ("export" in actions) == ("export" in can)
    assert ("delete_selected" in actions) == ("delete" in can)


@pytest.mark.django_db
def test_home_and_sidebar_show_what_a_role_may_see():
    make("customer", name="Ada Okafor")
    for role in VIEWERS:
        text = text_of(client_of(role).get(reverse("admin:index")))
        assert "Ada Okafor" in text and "Customers" in text
    for role in {*ROLES, ""} - {*VIEWERS}:
        home = client_of(person(role)).get(reverse("admin:index"))
        assert home.status_code == 200
        assert "Ada Okafor" not in text_of(home) and "Customers" not in text_of(home)


@pytest.mark.django_db
def test_only_an_administrator_sees_the_office():
    assert "Administration" not in text_of(client_of("manager").get(reverse("admin:index")))
    for page in ("crm_user_changelist", "crm_tag_changelist", "crm_release_changelist", "auth_group_changelist"):
        assert client_of("manager").get(reverse(f"admin:{page}")).status_code == 403


@pytest.mark.parametrize("page", ["crm_user", "crm_tag", "crm_release", "auth_group"])
def test_the_office_answers_for_an_administrator(signed_in, page):
    assert signed_in.get(reverse(f"admin:{page}_changelist")).status_code == 200
    assert signed_in.get(reverse(f"admin:{page}_add")).status_code == (403 if page == "crm_release" else 200)


@pytest.mark.django_db
def test_strangers_are_sent_to_sign_in():
    record = make("customer")
    for url, _ in [*pages_of("customer", record), (reverse("admin:index"), "")]:
        answer = Client().get(url)
        assert answer.status_code == 302 and reverse("admin:login") in answer["Location"], url


@pytest.mark.django_db
@pytest.mark.parametrize("lacks", ["is_staff", "is_active"])
def test_who_is_not_of_the_staff_or_has_left_may_do_nothing(lacks):
    user = get_user_model()._default_manager.create_superuser("gone", "", "x")
    setattr(user, lacks, False)
    assert not any(access.has_perm(user, verb, model("customer")) for verb in access.VERBS)
    assert not access.visible_rows(user, model("customer")).exists()


@pytest.fixture
def seller(db, monkeypatch):
    """Someone who sees all bookings, and changes the own ones."""
    grant(monkeypatch, "sales", booking={"view": True, "change": {"rows": "sold_by == user"}}, customer={"view": True})
    return person("sales")


def test_a_page_of_a_record_asks_for_its_verb_on_that_record(seller):
    """`guarded`: whoever may change some records does not reach the pages that change others."""
    mine, theirs = make("booking", sold_by=seller), make("booking")
    request = RequestFactory().get("/")
    request.user = seller

    def ask(verb, key):
        page = Page("<path:object_id>/ask/", lambda admin, request, object_id: HttpResponse(object_id), verb)
        with as_viewer(seller):
            return access_site("booking").guarded(page)(request, object_id=str(key)).content.decode()

    assert ask("change", mine.pk) == str(mine.pk)
    assert ask("view", theirs.pk) == str(theirs.pk)
    for verb in ("change", "delete", "import"):
        with pytest.raises(PermissionDenied):
            ask(verb, theirs.pk)
    with pytest.raises(Http404):
        ask("change", 987654)


def test_the_pages_that_change_a_record_are_refused_where_it_may_not_be_changed(seller):
    mine, theirs = make("booking", sold_by=seller), make("booking")
    client = client_of(seller)

    def changing_pages(record):
        version = type(record).history.filter(id=record.pk).first()
        return [
            address("booking", "live", record.pk),
            address("booking", "revert", record.pk, version.history_id),
            address("booking", "act", record.pk, next(iter(entity("booking").sections["workflow"].actions))),
        ]

    for url in changing_pages(theirs):
        assert client.get(url).status_code == client.post(url).status_code == 403, url
    for url in changing_pages(mine):
        assert client.post(url).status_code not in {403, 404}, url


@pytest.mark.parametrize("name", ENTITIES)
def test_what_is_not_there_is_404_or_sent_back(signed_in, name):
    for page in ("change", "delete", "history"):
        assert signed_in.get(address(name, page, 987654)).status_code in {302, 404}
    assert signed_in.get(address(name, "panel", make(name).pk, "no_such_panel")).status_code == 404


POINTED_AT = [
    name
    for name in ENTITIES
    if any(link.entity.name in {tab.related for tab in access_site(name).tabs} for link in entity(name).pointing_here())
]
"""The entities whose pages have tabs of records that point to them."""


@pytest.mark.parametrize("name", POINTED_AT)
def test_panels_are_named_by_the_tabs(signed_in, name):
    """The page names the panel of each related tab, and the panel shows the record that points here."""
    record = make(name)
    page = signed_in.get(address(name, "change", record.pk))
    named = [tab["panel_url"] for tab in page.context["crm_tabs"] if "panel_url" in tab]
    assert named and all(url in page.content.decode() for url in named)
    shown = 0
    for link in entity(name).pointing_here():
        if link.entity.name in access_site(name).contributions.by_kind(Kind.PANEL) and link.type.stored:
            other = make(link.entity.name, **({} if link.type.many else {link.name: record}))
            if link.type.many:
                getattr(other, link.name).add(record)
            panel = signed_in.get(address(name, "panel", record.pk, link.entity.name))
            assert address(link.entity.name, "change", other.pk) in panel.content.decode(), link
            shown += 1
    assert shown


def test_there_are_panels_to_try():
    assert {"customer", "booking", "trip"} <= set(POINTED_AT)


@pytest.mark.django_db
def test_a_panel_is_refused_to_whoever_may_not_see_its_records(monkeypatch):
    """Whoever may see a customer, and no bookings, gets neither the tab nor what it would load."""
    booking = make("booking")
    url = address("customer", "panel", booking.customer_id, "booking")
    customer = address("customer", "change", booking.customer_id)
    grant(monkeypatch, "sales", customer={"view": True}, booking={"view": True})
    client = client_of("sales")
    assert address("booking", "change", booking.pk) in client.get(url).content.decode()
    assert url in client.get(customer).content.decode()
    grant(monkeypatch, "sales", customer={"view": True}, booking={})
    client = client_of("sales")
    assert client.get(url).status_code == 403
    page = client.get(customer)
    assert page.status_code == 200 and url not in page.content.decode()


@pytest.mark.django_db
def test_a_panel_shows_the_records_that_one_may_see_and_no_others(monkeypatch):
    grant(monkeypatch, "sales", customer={"view": True}, booking={"view": {"rows": "sold_by == user"}})
    seller = person("sales")
    mine = make("booking", sold_by=seller)
    theirs = make("booking", customer=mine.customer)
    panel = client_of(seller).get(address("customer", "panel", mine.customer_id, "booking")).content.decode()
    assert address("booking", "change", mine.pk) in panel
    assert address("booking", "change", theirs.pk) not in panel and theirs.number not in panel
    assert client_of("").get(address("customer", "panel", mine.customer_id, "booking")).status_code == 403


@pytest.mark.parametrize("words", ["?_popup=1", "?_popup=1&_quick=1"])
def test_a_window_over_the_page_has_a_title_and_no_links_away(signed_in, words):
    html = signed_in.get(address("note", "add") + words).content.decode()
    assert re.search(r"<h1[^>]*>Add note</h1>", html)
    assert "addlink" not in html and f'href="{address("note")}"' not in html


def test_the_permissions_of_a_role_are_told_by_what_they_are_for(admin_client):
    group = Group.objects.get_or_create(name="travel.porter")[0]
    group.permissions.set(
        Permission.objects.filter(codename__in=["view_booking", "export_booking", "view_invoiceline"])
    )
    html = admin_client.get(f"/admin/auth/group/{group.pk}/change/").content.decode()
    assert "<li><strong>Booking</strong>: export, view</li><li><strong>Invoice line</strong>: view</li>" in html


def test_the_buttons_of_a_full_trash_stand_at_its_foot(signed_in):
    make("booking").delete()
    html = signed_in.get(address("booking", "trash")).content.decode()
    assert 'class="crm-related crm-stacked"' in html and html.index("</table>") < html.index('class="crm-foot"')
