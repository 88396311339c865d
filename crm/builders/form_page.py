"""The form of a record: what it asks for, what fills it in, and what happens when it is saved."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from crm.blueprint.nodes import Entity
from crm.builders.buttons import plain_buttons, stateful_buttons
from crm.builders.live import has_live_parts, live_state
from crm.builders.record_form import showing_rule_error
from crm.builders.tabs import shown_tabs
from crm.fields.reading import Reading
from crm.kernel.contributions import Kind
from crm.records import access
from crm.records.computed_updates import defer_recompute
from crm.records.rules import RuleBroken

QUICK = "_quick"
"""The parameter that asks an add page for its short form."""


class FormPage:
    """The add and change pages of an entity, and the short form that a picker opens."""

    definition: Entity

    def layout(self, request: HttpRequest, obj: Any) -> Any:
        quick = self.definition.section.layout.quick
        if QUICK in request.GET and quick and obj is None:
            return ((None, {"fields": quick}),)
        return self.fieldsets

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        inlines = () if QUICK in request.GET else super().get_inlines(request, obj)
        return [inline for inline in inlines if access.can_view_field(request.user, inline.table)]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if QUICK in request.GET:
            kwargs["form"] = type("QuickForm", (self.form,), {"way_in": "quick form"})
        return super().get_form(request, obj, change, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Read what the address fills in as a file's cells are read; what cannot be read is left out."""
        initial = super().get_changeform_initial_data(request)
        for leaf in (leaf for leaf in self.definition.leaves if leaf.name in initial):
            if leaf.type.reference(leaf) is not None or leaf.type.many:
                continue
            try:
                initial[leaf.name] = leaf.type.validate(leaf.type.parse(initial[leaf.name], leaf, Reading()), leaf)
            except ValueError:
                del initial[leaf.name]
        return initial

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with defer_recompute():
                response = super().changeform_view(request, *args, **kwargs)
        except RuleBroken as broken:
            response = self._shown_again(broken, request, *args, **kwargs)
        if QUICK in request.GET:
            response["X-Frame-Options"] = "SAMEORIGIN"
        return response

    def _shown_again(self, broken: RuleBroken, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show a form once more whose saving broke a rule: nothing of it was saved, and nothing typed is lost."""
        get_messages(request)._queued_messages.clear()
        for upload in request.FILES.values():
            upload.seek(0)
        with showing_rule_error(broken):
            return super().changeform_view(request, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: models.Model, post_url_continue: Any = None) -> HttpResponse:
        if QUICK in request.GET:
            return TemplateResponse(request, "crm/quick_done.html", {"title": str(obj)})
        return super().response_add(request, obj, post_url_continue)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], add: bool = False, change: bool = False, **kwargs: Any
    ) -> HttpResponse:
        record = kwargs.get("obj")
        may = self.has_change_permission(request, record) if change else self.has_add_permission(request)
        if may and has_live_parts(self.definition):
            context["crm_live"] = live_state(context["adminform"].form.instance)
            context["crm_live_url"] = self.url("live", record.pk) if record else self.url("live_new")
        context["crm_tabs"] = list(shown_tabs(self, request, context, record))
        context["actions_detail"] = plain_buttons(self, request, Kind.RECORD_BUTTON, record) if record else []
        context["crm_buttons"] = list(stateful_buttons(self, request, record)) if record else []
        return super().render_change_form(request, context, add=add, change=change, **kwargs)
