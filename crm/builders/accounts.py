"""Pages of users and groups on which nobody gives more than they have (no privilege escalation).

What somebody has is of two kinds: roles, whose groups the definitions make, with limits of rows and fields; and
permissions that were given by hand, to the user or to another group, which know no limits. One may give a role that one
has, and a permission that one has by hand; and one may change, delete, or set the password of, an account that has
nothing beyond that. A superuser may do everything but change the groups of roles, which `apply` would undo.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.builders.inputs import RecordsField
from crm.records.accounts import traces_of

ROLE_PREFIX = f"{settings.BUSINESS_LOCATION.label}."
"""What the name of a role's group begins with."""
IS_ROLE = models.Q(name__startswith=ROLE_PREFIX)


def permissions_by_hand(user: Any) -> models.QuerySet:
    """Return the permissions that a user has without the limits of a role, and so may give to others."""
    if user.is_superuser:
        return Permission.objects.all()
    groups = user.groups.exclude(IS_ROLE)
    return Permission.objects.filter(models.Q(user=user) | models.Q(group__in=groups)).distinct()


def groups_to_give(user: Any) -> models.QuerySet:
    """Return the groups that a user may put others into: the own roles, and groups with nothing that the user lacks."""
    if user.is_superuser:
        return Group.objects.all()
    beyond = Permission.objects.exclude(pk__in=permissions_by_hand(user).values("pk"))
    others = Group.objects.exclude(IS_ROLE).exclude(permissions__in=beyond)
    return Group.objects.filter(models.Q(pk__in=user.groups.values("pk")) | models.Q(pk__in=others.values("pk")))


def has_no_more(account: Any, user: Any) -> bool:
    """Say whether an account has nothing that a user lacks."""
    if user.is_superuser:
        return True
    if account.is_superuser or account.groups.filter(IS_ROLE).exclude(pk__in=user.groups.values("pk")).exists():
        return False
    return not permissions_by_hand(account).exclude(pk__in=permissions_by_hand(user).values("pk")).exists()


class GivesWhatTheyHave:
    """Mixin of both pages: asks for what the user may give, and nothing else is a choice."""

    def formfield_for_manytomany(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is Permission:
            kwargs["queryset"] = permissions_by_hand(request.user).select_related("content_type")
        elif db_field.related_model is Group:
            kwargs["queryset"] = groups_to_give(request.user)
        return super().formfield_for_manytomany(db_field, request, form_class=RecordsField, **kwargs)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_within(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_within(request, obj)  # type: ignore[misc]

    def _is_within(self, request: HttpRequest, obj: Any) -> bool:
        raise NotImplementedError


class AccountAccess(GivesWhatTheyHave):
    """The page of a user."""

    def _is_within(self, request: HttpRequest, obj: Any) -> bool:
        return obj is None or has_no_more(obj, request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))  # type: ignore[misc]
        return fields if request.user.is_superuser else (*fields, "is_superuser")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list, dict, set, list]:
        """Return what Django's confirmation shows; what names an account keeps it from being deleted."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        named = {capfirst(trace._meta.verbose_name_plural) for account in objs for trace in traces_of(account)}
        if named:
            text = _("Whoever has worked here stays, so that histories name them. Switch “Active” off instead.")
            messages.warning(request, text)
        return deleted, counts, needed, [*protected, *sorted(named)]


class GroupAccess(GivesWhatTheyHave):
    """The page of a group; that of a role can only be looked at."""

    def _is_within(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None:
            return True
        return not obj.name.startswith(ROLE_PREFIX) and groups_to_give(request.user).filter(pk=obj.pk).exists()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the fields of the page; of a group that is only looked at, the permissions by what they are for."""
        if obj is None or self.has_change_permission(request, obj):
            return tuple(super().get_fields(request, obj))  # type: ignore[misc]
        return ("name", "granted")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "granted")  # type: ignore[misc]

    @admin.display(description="Permissions")
    def granted(self, group: Group) -> SafeString:
        """Return the permissions of a group as HTML: a line for each kind of record, with the verbs that it may."""
        verbs: dict[str, list[str]] = {}
        for permission in group.permissions.select_related("content_type").order_by("content_type__model", "codename"):
            verbs.setdefault(permission.content_type.name, []).append(permission.codename.split("_")[0])
        lines = ((capfirst(name), ", ".join(found)) for name, found in sorted(verbs.items()))
        return format_html("<ul>{}</ul>", format_html_join("", "<li><strong>{}</strong>: {}</li>", lines))


class GroupForm(forms.ModelForm):
    """The form of a group, whose name cannot be that of a role."""

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        if name.strip().startswith(ROLE_PREFIX):
            text = _("Names that begin with “%(prefix)s” are those of roles, which the definitions make.")
            raise ValidationError(text % {"prefix": ROLE_PREFIX})
        return name
