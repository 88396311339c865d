"""Hands the built admin classes to Django, and shows the engine's own tables."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from crm.builders.accounts import AccountAccess, GroupAccess, GroupForm
from crm.builders.admin import register_all
from crm.builders.refusals import redirect_for_wrong_keys
from crm.builders.rows import search_words
from crm.models import Release, Tag, User
from crm.wiring import CAPABILITIES

register_all(apps.get_app_config(settings.BUSINESS_LOCATION.label).business, CAPABILITIES, admin.site)
admin.site.unregister(Group)


class KeysMeasured:
    """Measures what lists of the engine's own tables are sent before the database is asked."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect_for_wrong_keys(request) or super().changelist_view(request, extra_context)  # type: ignore[misc]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple:
        return super().get_search_results(request, queryset, " ".join(search_words(search_term)))  # type: ignore[misc]


@admin.register(User)
class UserAdmin(KeysMeasured, AccountAccess, DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_staff", "is_active", "last_login")


@admin.register(Group)
class GroupAdmin(KeysMeasured, GroupAccess, DjangoGroupAdmin, ModelAdmin):
    """Groups; those of the definitions' roles are made anew at each apply."""

    form = GroupForm


@admin.register(Tag)
class TagAdmin(KeysMeasured, ModelAdmin):
    list_display = ("name", "scope", "color")
    list_filter = ("scope",)
    search_fields = ("name",)


@admin.register(Release)
class ReleaseAdmin(KeysMeasured, ModelAdmin):
    list_display = ("applied", "business", "migration", "hash")
    readonly_fields = ("applied", "business", "migration", "hash", "plan", "pending", "renames")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False
