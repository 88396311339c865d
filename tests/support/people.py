"""People of the staff for tests: each role of the business has a group, made as `apply` makes it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models.signals import pre_delete
from django.test import Client

from crm.records.access import group_name
from crm.records.accounts import keep_account
from crm.release.roles import sync_roles
from tests.support.records import business


def person(role: str = "", **more: Any) -> Any:
    """Return a new person of the staff with a role, or with none."""
    users = get_user_model()._default_manager
    user = users.create(username=f"{role or 'nobody'}{users.count()}", is_staff=True, **more)
    if role:
        sync_roles(business())
        user.groups.add(Group.objects.get(name=group_name(business(), role)))
    return user


def client_of(user: Any) -> Client:
    """Return a client that is signed in as a user, or as a new person of a role."""
    client = Client()
    client.force_login(person(user) if isinstance(user, str) else user)
    return client


def delete_past_the_rules(user: Any) -> None:
    """Delete an account as it could be deleted when nothing kept it: its links are emptied, without versions."""
    pre_delete.disconnect(dispatch_uid="accounts", sender=get_user_model())
    try:
        user.delete()
    finally:
        pre_delete.connect(keep_account, sender=get_user_model(), dispatch_uid="accounts")
