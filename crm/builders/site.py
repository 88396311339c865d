"""The admin site: sidebar and home page of a business, made of its definitions."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.sites import UnfoldAdminSite

from crm.blueprint.nodes import Business, Entity
from crm.builders.home import home_context
from crm.builders.palettes import PALETTES
from crm.records import access


class Site(UnfoldAdminSite):
    """The admin of one business."""

    index_template = "crm/home.html"
    enable_nav_sidebar = True

    @cached_property
    def business(self) -> Business:
        return apps.get_app_config(settings.BUSINESS_LOCATION.label).business

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        name = self.business.app.name
        return {
            **context,
            "site_title": name,
            "site_header": name,
            "business": self.business,
            "quick_adds": self._quick_adds(request),
        }

    def _quick_adds(self, request: HttpRequest) -> list[dict[str, str]]:
        """Return the entities with a short form that the user may add, with the address of that form."""
        quick = [entity for entity in self.business.entities.values() if entity.section.layout.quick]
        found = [(entity, self._model(entity)) for entity in quick]
        return [
            {
                "label": entity.label,
                "icon": entity.icon,
                "url": reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"),
                "links": {self._model(one.target)._meta.model_name: one.name for one in _links(entity)},
            }
            for entity, model in found
            if access.has_perm(request.user, "add", model)
        ]

    def _get_colors(self, key: str, *args: Any) -> dict[str, dict[str, str]]:
        """Return Unfold's colours, with those of the business for buttons and links."""
        colors = super()._get_colors(key, *args)
        return {**colors, "primary": PALETTES[self.business.app.color]}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"title": "Home", **home_context(self.business, request), **(extra_context or {})}
        return super().index(request, context)

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the sidebar: the headings of `menu:`, with the entities that the user may see."""
        groups = self.business.app.menu or {self.business.app.name: list(self.business.entities)}
        shown = [
            {"title": heading, "items": [self._item(request, name) for name in names if self._seen(request, name)]}
            for heading, names in groups.items()
        ]
        if request.user.is_superuser:
            shown.append({"title": "Administration", "items": self._office(request)})
        home = {"title": "", "items": [self._link(request, "Home", "home", reverse("admin:index"), exact=True)]}
        return [home, *(group for group in shown if group["items"])]

    def _seen(self, request: HttpRequest, name: str) -> bool:
        return access.has_perm(request.user, "view", self._model(self.business.entities[name]))

    def _model(self, entity: Entity) -> Any:
        return apps.get_model(entity.business.label, entity.class_name)

    def _item(self, request: HttpRequest, name: str) -> dict[str, Any]:
        entity = self.business.entities[name]
        meta = self._model(entity)._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        return self._link(request, entity.plural, entity.icon, address)

    def _office(self, request: HttpRequest) -> list[dict[str, Any]]:
        models = [one for one in self._registry if one._meta.app_label in {"crm", "auth"}]
        icons = {"user": "person", "group": "badge", "tag": "sell", "release": "rocket_launch"}
        return [
            self._link(
                request,
                str(one._meta.verbose_name_plural).capitalize(),
                icons.get(one._meta.model_name, "settings"),
                reverse(f"admin:{one._meta.app_label}_{one._meta.model_name}_changelist"),
            )
            for one in models
        ]

    @staticmethod
    def _link(request: HttpRequest, title: str, icon: str, address: str, exact: bool = False) -> dict[str, Any]:
        active = request.path == address if exact else request.path.startswith(address)
        return {"title": title, "icon": icon, "link": address, "active": active, "has_permission": True}


def _links(entity: Entity) -> list[Any]:
    quick = [entity.fields[name] for name in entity.section.layout.quick or () if name in entity.fields]
    return [one for one in quick if one.target is not None and not one.type.many]
