"""On the pages of users and groups nobody makes more than they are: of themselves, of others, of a group."""

from __future__ import annotations

from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import ProtectedError
from django.urls import reverse

from crm.builders.accounts import groups_to_give, has_no_more, permissions_by_hand
from crm.capabilities.transfer.models import ImportRun
from crm.records.access import group_name
from crm.records.changes import change_scope
from crm.release.roles import sync_roles
from tests.support.pages import fill_in
from tests.support.people import client_of, person
from tests.support.records import business, make

OFFICE = [
    "view_user",
    "add_user",
    "change_user",
    "delete_user",
    "view_group",
    "add_group",
    "change_group",
    "delete_group",
]
"""What somebody has who looks after accounts."""
PASSWORD = "a long secret of theirs"


def give(user, *codenames):
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


def role_group(role):
    sync_roles(business())
    return Group.objects.get(name=group_name(business(), role))


def team(name, *codenames):
    """Return a group that was made by hand."""
    group = Group.objects.create(name=name)
    group.permissions.set(Permission.objects.filter(codename__in=codenames))
    return group


@pytest.fixture
def clerk(db):
    """Someone of the staff with the role of a guide, who looks after accounts."""
    return give(person("guide"), *OFFICE)


@pytest.fixture
def client(clerk):
    return client_of(clerk)


def user_page(user, page="change"):
    name = "admin:auth_user_password_change" if page == "password" else f"admin:crm_user_{page}"
    return reverse(name, args=[user.pk])


def change(client, user, **changes):
    return fill_in(client, user_page(user), "user_form", **changes)


def change_group(client, group, **changes):
    return fill_in(client, reverse("admin:auth_group_change", args=[group.pk]), "group_form", **changes)


def keys(*codenames):
    return [str(key) for key in Permission.objects.filter(codename__in=codenames).values_list("pk", flat=True)]


def test_nobody_makes_a_superuser_but_a_superuser(client, clerk, admin_user):
    other = person()
    for user in (clerk, other):
        assert change(client, user, is_superuser="on", first_name="Ada").status_code == 302
        user.refresh_from_db()
        assert user.first_name == "Ada" and not user.is_superuser
    assert change(client_of(admin_user), other, is_superuser="on").status_code == 302
    other.refresh_from_db()
    assert other.is_superuser


def test_permissions_that_one_has_by_hand_can_be_given_and_no_others(client, clerk):
    other = person()
    for user in (clerk, other):
        page = change(client, user, user_permissions=[*keys("view_user"), *keys("delete_booking")])
        assert "user_permissions" in page.context["adminform"].form.errors
    assert change(client, other, user_permissions=keys("view_user")).status_code == 302
    assert [one.codename for one in other.user_permissions.all()] == ["view_user"]


def test_a_permission_of_a_role_cannot_be_given_without_the_limits_of_the_role(client, clerk):
    """Guides may view customers, within limits; a permission that is given by hand has none."""
    other = person()
    assert clerk.has_perm("travel.view_customer")
    page = change(client, other, user_permissions=keys("view_customer"))
    assert "user_permissions" in page.context["adminform"].form.errors
    give(clerk, "view_customer")
    assert change(client, other, user_permissions=keys("view_customer")).status_code == 302


def test_roles_that_one_has_can_be_given_and_no_others(client, clerk):
    other = person()
    for user in (clerk, other):
        page = change(client, user, groups=[str(role_group("guide").pk), str(role_group("manager").pk)])
        assert "groups" in page.context["adminform"].form.errors
        assert not user.groups.filter(name="travel.manager").exists()
    assert change(client, other, groups=[str(role_group("guide").pk)]).status_code == 302
    assert other.groups.filter(name="travel.guide").exists()


def test_groups_made_by_hand_can_be_given_where_one_has_all_that_is_in_them(client, clerk):
    other, less, more = person(), team("less", "view_user"), team("more", "view_user", "delete_booking")
    page = change(client, other, groups=[str(less.pk), str(more.pk)])
    assert "groups" in page.context["adminform"].form.errors
    assert change(client, other, groups=[str(less.pk)]).status_code == 302
    clerk.groups.add(more)
    assert change(client, other, groups=[str(less.pk), str(more.pk)]).status_code == 302


ABOVE = {
    "a superuser": lambda: person(is_superuser=True),
    "another role": lambda: person("manager"),
    "a permission": lambda: give(person("guide"), "delete_booking"),
    "a permission of a group": lambda: person().groups.add(team("more", "delete_booking")) or _latest(),
}


def _latest():
    return get_user_model()._default_manager.latest("pk")


@pytest.mark.parametrize("what", ABOVE)
def test_an_account_that_has_more_cannot_be_changed_deleted_or_entered(client, clerk, what):
    other = ABOVE[what]()
    before = other.password
    assert client.get(user_page(other)).status_code == 200, "it can be looked at"
    assert client.post(user_page(other), {"username": "eve"}).status_code == 403
    assert client.post(user_page(other, "delete"), {"post": "yes"}).status_code == 403
    for act in (client.get, client.post):
        sent = {} if act == client.get else {"password1": PASSWORD, "password2": PASSWORD}
        assert act(user_page(other, "password"), sent).status_code == 403
    ticked = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    client.post(reverse("admin:crm_user_changelist"), ticked)
    other.refresh_from_db()
    assert other.username != "eve" and other.password == before


def test_an_account_that_has_no_more_can(client, clerk):
    """The negative control: the same requests, of a colleague."""
    other = person("guide")
    sent = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true", "set-password": "1"}
    assert client.post(user_page(other, "password"), sent).status_code == 302
    other.refresh_from_db()
    assert other.check_password(PASSWORD)
    ticked = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    assert client.post(reverse("admin:crm_user_changelist"), ticked).status_code == 302
    assert not get_user_model()._default_manager.filter(pk=other.pk).exists()


NAMES_THEM = {
    "history": lambda other: make("customer", name="Ada"),
    "a field": lambda other: make("customer", owner=other),
    "a former value": lambda other: (owned := make("customer", owner=other)) and _given_away(owned),
    "an import": lambda other: ImportRun.objects.create(user=other),
}


def _given_away(customer):
    customer.owner = None
    customer.save()


@pytest.mark.parametrize("what", NAMES_THEM)
def test_an_account_that_records_name_is_switched_off_and_not_deleted(client, what):
    """The history goes on naming its author, and no field is emptied without a version."""
    other, superuser = person("guide"), client_of(person(is_superuser=True))
    with change_scope(other if what == "history" else None):
        NAMES_THEM[what](other)
    for asked in (
        superuser.get(user_page(other, "delete")),
        superuser.post(user_page(other, "delete"), {"post": "yes"}),
    ):
        assert "Switch “Active” off instead" in unescape(asked.content.decode())
    ticked = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    assert superuser.post(reverse("admin:crm_user_changelist"), ticked).status_code == 200
    with pytest.raises(ProtectedError), transaction.atomic():
        get_user_model()._default_manager.filter(pk=other.pk).delete()
    assert change(superuser, other, is_active="").status_code == 302
    other.refresh_from_db()
    assert not other.is_active


def test_a_new_account_has_nothing(client):
    sent = {"username": "new", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    more = {"is_superuser": "on", "is_staff": "on", "groups": [role_group("manager").pk]}
    assert client.post(reverse("admin:crm_user_add"), {**sent, **more}).status_code == 302
    new = get_user_model()._default_manager.get(username="new")
    assert not new.is_superuser and not new.groups.exists()


def test_a_group_takes_what_its_maker_has_by_hand(client, clerk):
    group = team("mine", "view_user")
    clerk.groups.add(group)
    page = change_group(client, group, permissions=[*keys("view_user"), *keys("delete_booking")])
    assert "permissions" in page.context["adminform"].form.errors
    assert change_group(client, group, permissions=keys("view_user", "add_user")).status_code == 302
    added = client.post(reverse("admin:auth_group_add"), {"name": "new", "permissions": keys("delete_booking")})
    assert added.status_code == 200 and not Group.objects.filter(name="new").exists()


def test_a_group_that_has_more_cannot_be_changed_or_deleted(client):
    group = team("more", "delete_booking")
    url = reverse("admin:auth_group_change", args=[group.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"name": "mine", "permissions": []}).status_code == 403
    assert client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}).status_code == 403
    assert Group.objects.get(pk=group.pk).permissions.count() == 1


@pytest.mark.parametrize("who", ["clerk", "superuser"])
def test_the_group_of_a_role_can_only_be_looked_at(clerk, admin_user, who):
    client, group = client_of(clerk if who == "clerk" else admin_user), role_group("guide")
    url, before = reverse("admin:auth_group_change", args=[group.pk]), group.permissions.count()
    page = client.get(url)
    assert page.status_code == 200 and 'name="_save"' not in page.content.decode()
    assert client.post(url, {"name": "x", "permissions": []}).status_code == 403
    assert client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}).status_code == 403
    ticked = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    client.post(reverse("admin:auth_group_changelist"), ticked)
    assert role_group("guide").pk == group.pk and group.permissions.count() == before > 0


def test_no_group_takes_the_name_of_a_role(signed_in):
    for name in ("travel.manager", " travel.boss"):
        page = signed_in.post(reverse("admin:auth_group_add"), {"name": name})
        assert "are those of roles" in page.context["adminform"].form.errors["name"][0]
    assert signed_in.post(reverse("admin:auth_group_add"), {"name": "travellers"}).status_code == 302


def test_a_superuser_may_give_everything(admin_user):
    manager = person("manager")
    assert permissions_by_hand(admin_user).count() == Permission.objects.count()
    assert groups_to_give(admin_user).count() == Group.objects.count() > 0
    assert has_no_more(manager, admin_user) and not has_no_more(admin_user, manager)


@pytest.mark.parametrize("key", ["9" * 30, "-1", "0x1", "one", "1e999999999", "\x00"])
def test_a_key_that_is_none_is_said_beside_its_field(signed_in, admin_user, key):
    page = signed_in.post(reverse("admin:auth_group_add"), {"name": "Team", "permissions": [key]})
    assert page.status_code == 200 and set(page.context["adminform"].form.errors) == {"permissions"}
    assert not Group.objects.filter(name="Team").exists()
    data = {"username": "admin", "groups": [key], "user_permissions": [key]}
    page = signed_in.post(user_page(admin_user), data)
    assert page.status_code == 200
    assert {"groups", "user_permissions"} <= set(page.context["adminform"].form.errors)
