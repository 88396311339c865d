"""The addresses of an entity's pages, each guarded by its verb."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path as url_path
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.builders.live import live_page
from crm.builders.panel_page import panel_page
from crm.kernel.capability import Page
from crm.kernel.contributions import Contributions, Kind
from crm.records import access


class PageUrls:
    """The pages of an entity and of the capabilities, each at its address."""

    contributions: Contributions

    def url(self, name: str, *args: Any) -> str:
        """Return the address of one of the entity's pages."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def get_urls(self) -> list:
        info = self.opts.app_label, self.opts.model_name
        pages = {
            "panel": Page("<path:object_id>/panel/<str:name>/", panel_page),
            "live_new": Page("add/live/", live_page, "add"),
            "live": Page("<path:object_id>/live/", live_page, "change"),
            **self.contributions.by_kind(Kind.PAGE),
        }
        mine = [
            url_path(page.path, self.admin_site.admin_view(self.guarded(page)), name=f"{info[0]}_{info[1]}_{name}")
            for name, page in pages.items()
        ]
        return mine + [page for page in super().get_urls() if page.name != f"{info[0]}_{info[1]}_history"]

    def guarded(self, page: Page) -> Callable[..., HttpResponse]:
        """Return a page's view, which asks for the page's verb before anything else."""

        def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not access.has_perm(request.user, page.verb, self.model):
                raise PermissionDenied
            if "object_id" in kwargs and page.verb != "view":
                self._check_verb(request, page.verb, kwargs["object_id"])
            return page.view(self, request, **kwargs)

        return update_wrapper(view, page.view, assigned=("__name__", "__doc__"), updated=())

    def _check_verb(self, request: HttpRequest, verb: str, object_id: str) -> None:
        record = self.get_object(request, unquote(object_id))
        if record is None:
            raise Http404
        if not access.has_perm(request.user, verb, self.model, record):
            raise PermissionDenied

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Answer 404 for what is not there, and just the same for what the user may not see.

        A capability may say where the record is gone.
        """
        responses = filter(
            None,
            (
                page(self, request, unquote(object_id))
                for page in self.contributions.by_kind(Kind.MISSING_RECORD_PAGE).values()
            ),
        )
        response = next(responses, None)
        if response is not None:
            return response
        title = _("No such %(record)s") % {"record": opts.verbose_name}
        context = {**self.admin_site.each_context(request), "title": title, "opts": opts}
        context["list_url"] = self.url("changelist")
        return TemplateResponse(request, "crm/not_there.html", context, status=404)
