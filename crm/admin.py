"""Hands the built admin classes to Django, and shows the engine's own tables."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from crm.builders.admin import register_all
from crm.models import Release, Tag, User
from crm.wiring import CAPABILITIES

register_all(apps.get_app_config(settings.BUSINESS_LOCATION.label).business, CAPABILITIES, admin.site)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_staff", "is_active", "last_login")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Groups; those of the definitions' roles are made anew at each apply."""


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    list_display = ("name", "scope", "color")
    list_filter = ("scope",)
    search_fields = ("name",)


@admin.register(Release)
class ReleaseAdmin(ModelAdmin):
    list_display = ("applied", "business", "migration", "hash")
    readonly_fields = ("applied", "business", "migration", "hash", "plan")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Release | None = None) -> bool:
        return False
