"""The access layer: one answer for every screen."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group, Permission

from crm.records import access
from crm.records.access import group_name
from crm.release.roles import models_of, sync_roles
from tests.support.people import person
from tests.support.records import business, entity, make, model

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", sorted(business().roles))
def test_a_role_may_do_what_its_line_says_with_every_entity_that_says_nothing_else(role):
    user, can = person(role), set(business().roles[role].can)
    silent = [one for one in models_of(business()) if role not in one.definition.section.access]
    assert silent
    for one in silent:
        assert {verb for verb in access.VERBS if access.has_perm(user, verb, one)} == can, one


def test_a_guide_sees_no_money_and_confirmed_bookings_alone():
    user = person("guide")
    for name in ("invoice", "invoice_line", "payment"):
        assert not any(access.has_perm(user, verb, model(name)) for verb in access.VERBS)
    draft = make("booking")
    confirmed = make("booking")
    model("booking").objects.filter(pk=confirmed.pk).update(status="confirmed")
    assert [one.pk for one in access.visible_rows(user, model("booking"))] == [confirmed.pk] != [draft.pk]
    hidden = {leaf.name for leaf in entity("booking").leaves if not access.can_view_field(user, leaf)}
    assert hidden == {"unit_price", "discount", "total", "paid", "balance", "discount_reason", "extras"}


def test_nobody_and_strangers_may_do_nothing():
    make("customer")
    for user in (None, AnonymousUser(), person()):
        assert not any(access.has_perm(user, verb, model("customer")) for verb in access.VERBS)
        assert not access.visible_rows(user, model("customer")).exists()


def test_an_administrator_may_do_everything():
    user = get_user_model()._default_manager.create(username="root", is_staff=True, is_superuser=True)
    assert models_of(business()) and access.VERBS
    assert all(access.has_perm(user, verb, one) for verb in access.VERBS for one in models_of(business()))


def test_who_may_change_may_see():
    user = person()
    user.user_permissions.add(Permission.objects.get(codename="change_customer"))
    assert access.has_perm(user, "view", model("customer")) and not access.has_perm(user, "view", model("booking"))


def test_roles_have_exactly_what_the_definitions_say_after_a_sync():
    sync_roles(business())
    group = Group.objects.get(name=group_name(business(), "guide"))
    group.permissions.add(Permission.objects.get(codename="delete_customer"))
    made_by_hand = Group.objects.create(name="night shift")
    gone = Group.objects.create(name=f"{business().label}.pilot")
    sync_roles(business())
    assert {one.codename.split("_")[0] for one in group.permissions.all()} == {"view"}
    assert Group.objects.filter(pk=made_by_hand.pk).exists() and not Group.objects.filter(pk=gone.pk).exists()
