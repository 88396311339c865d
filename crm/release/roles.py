"""Roles as Django's groups, with the permissions that the definitions give them."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

from crm.blueprint.nodes import Business
from crm.records.access import group_name
from crm.release.steps import LOSES, SAFE, Step, pluralize


def out_of_sync_roles(business: Business) -> list[str]:
    """Return the roles whose groups are not what the definitions say, as in a database that was not there for them."""
    wanted, groups = _wanted(business), dict[str, set[str]]()
    existing = Group.objects.filter(name__startswith=f"{business.label}.")
    for name, codename in existing.values_list("name", "permissions__codename"):
        groups.setdefault(name, set()).update([codename] if codename else [])
    differ = [role for role, codenames in wanted.items() if groups.get(group_name(business, role)) != codenames]
    names = {group_name(business, role) for role in wanted}
    return [*differ, *(name.removeprefix(f"{business.label}.") for name in groups if name not in names)]


def role_steps(business: Business, before: Business, *, edited: bool) -> Iterator[Step]:
    """Return what becomes of the people whose role is renamed or gone, and of groups that are not as they should be."""
    heirs = {section.was: role for role, section in business.roles.items() if section.was}
    place = business.documents["app.yaml"].place(("roles",), key=True)
    for role in (name for name in before.roles if name not in business.roles):
        count = people_of(business, role)
        if role in heirs:
            yield Step(f"rename the role {role} to {heirs[role]}, with {pluralize(count, 'account')}", SAFE, place)
        elif count:
            heir = (
                f"Name the role that takes its place, as in 'other: {{was: {role}}}', or give them another one first."
            )
            yield Step(f"take the role {role} from {pluralize(count, 'account')}", LOSES, place, [heir])
    strangers = [] if edited else out_of_sync_roles(business)
    if strangers:
        yield Step(f"bring the groups of these roles in line with the definitions: {', '.join(strangers)}", SAFE, place)


def people_of(business: Business, role: str) -> int:
    """Count the people who have a role."""
    return get_user_model()._default_manager.filter(groups__name=group_name(business, role)).count()


def _wanted(business: Business) -> dict[str, set[str]]:
    """Return the codenames of each role's permissions, of those that there are."""
    models = {entity.class_name.lower() for entity in business.entities.values()}
    known = Permission.objects.filter(content_type__app_label=business.label, content_type__model__in=models)
    there = set(known.values_list("codename", flat=True))
    return {
        role: {
            f"{verb}_{entity.class_name.lower()}"
            for entity in business.entities.values()
            for verb in entity.grants[role]
        }
        & there
        for role in business.roles
    }


def sync_roles(business: Business) -> None:
    """Make a group of each role, with exactly what the definitions grant it; groups made by hand are left alone."""
    for role, section in business.roles.items():
        _rename(group_name(business, section.was or role), group_name(business, role))
    for role, codenames in _wanted(business).items():
        group, _ = Group.objects.get_or_create(name=group_name(business, role))
        own = Permission.objects.filter(content_type__app_label=business.label, codename__in=codenames)
        group.permissions.set(own)
    gone = Group.objects.filter(name__startswith=f"{business.label}.")
    gone.exclude(name__in=[group_name(business, role) for role in business.roles]).delete()


def _rename(before: str, after: str) -> None:
    if before != after and not Group.objects.filter(name=after).exists():
        Group.objects.filter(name=before).update(name=after)


def models_of(business: Business) -> list:
    """Return the model of each entity."""
    return [apps.get_model(business.label, entity.class_name) for entity in business.entities.values()]
