"""The admin site: sidebar and home page of a business, made of its definitions."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.paginator import InvalidPage
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from crm.blueprint.nodes import Business, Entity
from crm.builders.home import home_context
from crm.builders.palettes import PALETTES
from crm.builders.rows import search_words
from crm.builders.sign_in import SignInForm
from crm.records import access


class Site(UnfoldAdminSite):
    """The admin of one business."""

    index_template = "crm/home.html"
    login_form = SignInForm
    enable_nav_sidebar = True

    @cached_property
    def business(self) -> Business:
        return apps.get_app_config(settings.BUSINESS_LOCATION.label).business

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        name = self.business.app.name
        theme = reverse("admin:theme")
        return {
            **context,
            "colors": None,  # Unfold would write them into a <style> of each page, which no policy of ours allows.
            "styles": [*context["styles"], f"{theme}?v={sha256(self.theme.encode()).hexdigest()[:12]}"],
            "site_title": name,
            "site_header": name,
            "business": self.business,
            "quick_adds": self._quick_adds(request),
        }

    def _quick_adds(self, request: HttpRequest) -> list[dict[str, str]]:
        """Return the entities with a short form that the user may add, with the address of that form."""
        quick = [entity for entity in self.business.entities.values() if entity.section.layout.quick]
        pairs = [(entity, self._model(entity)) for entity in quick]
        return [
            {
                "label": entity.label,
                "icon": entity.icon,
                "url": reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"),
                "links": {self._model(one.target)._meta.model_name: one.name for one in _links(entity)},
            }
            for entity, model in pairs
            if access.has_perm(request.user, "add", model)
        ]

    def extra_urls(self) -> list[URLPattern]:
        return [path("theme.css", self.theme_view, name="theme")]

    @cached_property
    def theme(self) -> str:
        """The colours of Unfold and of the business as CSS variables."""
        colors = self._get_colors("COLORS", HttpRequest())
        lines = [
            f"--color-{name}-{weight}: {value};"
            for name, weights in colors.items()
            for weight, value in weights.items()
        ]
        radius = self._get_config("BORDER_RADIUS", HttpRequest())
        return "\n".join([":root {", *([f"--border-radius: {radius};"] if radius else []), *lines, "}", ""])

    def theme_view(self, request: HttpRequest) -> HttpResponse:
        """Send the colours as a style sheet of its own; the page of signing in has it too."""
        response = HttpResponse(self.theme, content_type="text/css; charset=utf-8")
        response["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    def _get_colors(self, key: str, *args: Any) -> dict[str, dict[str, str]]:
        """Return Unfold's colours, with those of the business for buttons and links."""
        colors = super()._get_colors(key, *args)
        return {**colors, "primary": PALETTES[self.business.app.color]}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"title": _("Home"), **home_context(self.business, request), **(extra_context or {})}
        return super().index(request, context)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Search the names of the pages; another page of results than there is, is the first."""
        asked = request.GET.copy()
        asked["s"] = " ".join(search_words(asked.get("s", "")))
        request.GET = asked
        try:
            return super().search(request, extra_context)
        except (InvalidPage, ValueError):
            asked["page"] = "1"
            return super().search(request, extra_context)

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the sidebar: the headings of `menu:`, with the entities that the user may see."""
        groups = self.business.app.menu or {self.business.app.name: list(self.business.entities)}
        shown = [
            {"title": heading, "items": [self._item(request, name) for name in names if self._seen(request, name)]}
            for heading, names in groups.items()
        ]
        if request.user.is_superuser:
            shown.append({"title": _("Administration"), "items": self._office(request)})
        home = {"title": "", "items": [self._link(request, _("Home"), "home", reverse("admin:index"), exact=True)]}
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
        models = [model for model in self._registry if model._meta.app_label in {"crm", "auth"}]
        icons = {"user": "person", "group": "badge", "tag": "sell", "release": "rocket_launch"}
        return [
            self._link(
                request,
                str(model._meta.verbose_name_plural).capitalize(),
                icons.get(model._meta.model_name, "settings"),
                reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
            )
            for model in models
        ]

    @staticmethod
    def _link(request: HttpRequest, title: str, icon: str, address: str, exact: bool = False) -> dict[str, Any]:
        """Return an entry of the sidebar, whose template takes titles for HTML."""
        active = request.path == address if exact else request.path.startswith(address)
        return {"title": escape(title), "icon": icon, "link": address, "active": active, "has_permission": True}


def _links(entity: Entity) -> list[Any]:
    quick = [entity.fields[name] for name in entity.section.layout.quick or () if name in entity.fields]
    return [one for one in quick if one.target is not None and not one.type.many]
