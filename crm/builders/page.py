"""The admin of a record: one class, the same for every entity; what differs comes from the entity's plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import update_wrapper
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import flatten, unquote
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path as url_path
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant
from unfold.views import ChangeList

from crm.blueprint.layout import Tab, picker_search
from crm.blueprint.nodes import Entity
from crm.builders.cells import make_cell
from crm.builders.delete_confirmation import deletion_preview
from crm.builders.forms import showing_rule_error
from crm.builders.inputs import PICKER_SCRIPTS, PICKER_STYLES
from crm.builders.live import has_live_parts, live_page, live_state
from crm.builders.mixins import Access, ShownFields, TypedFormFields
from crm.builders.ordering import order_by
from crm.builders.refusals import wrong_keys
from crm.builders.rows import list_rows, search_words, shown_rows
from crm.fields.base import Reading
from crm.kernel.capability import BulkAction, Button, Page, Panel
from crm.kernel.contributions import Contributions, Kind
from crm.records import access
from crm.records.computed_updates import defer_recompute
from crm.records.deletion import collect_deletion
from crm.records.display import lookup_path
from crm.records.gate import DELETION, check_removals, raise_all
from crm.records.rules import RuleBroken

QUICK = "_quick"
"""The parameter that asks an add page for its short form."""


class RecordAdmin(TypedFormFields, ShownFields, Access, ModelAdmin):
    """The admin of one entity."""

    contributions: Contributions
    tabs: list[Tab]
    filterset_class: type
    column_paths: list[str]
    change_form_template = "crm/change_form.html"
    delete_confirmation_template = "crm/delete.html"
    delete_selected_confirmation_template = "crm/delete_selected.html"
    list_filter_submit = True
    list_filter_sheet = True
    show_full_result_count = False
    warn_unsaved_form = True
    compressed_fields = False
    save_as = False
    list_fullwidth = True
    list_max_show_all = 200

    show_facets = ShowFacets.NEVER

    @property
    def media(self) -> Media:
        """Return the scripts of the pickers too, which the list's filters need as well as the forms."""
        return super().media + Media(css=PICKER_STYLES, js=PICKER_SCRIPTS)

    # Lists

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        ordering = self.get_ordering(request)
        rows = list_rows(access.visible_rows(request.user, self.model), self.definition, [])
        return rows.order_by(*ordering) if ordering else rows

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        if isinstance(changelist.result_list, models.QuerySet):  # not read yet
            paths = [path for _, path in self._shown_columns(request)]
            changelist.result_list = shown_rows(changelist.result_list, self.definition, paths)
        if not changelist.query and not changelist.has_active_filters:
            changelist.full_result_count = changelist.result_count  # All are shown: the page offers no "Show all".
        return changelist

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [cell for cell, _ in self._shown_columns(request)] or [make_cell(self.definition, "id")]

    def _shown_columns(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """Return the columns that the user may see: the function that makes the cells of each, and its path."""
        return [
            (cell, path)
            for cell, path in zip(self.list_display, self.column_paths, strict=True)
            if access.can_view_path(request.user, self.definition.chain(path))
        ]

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """Let columns be sorted by that hide nothing: an order tells of what it orders by."""
        pairs = zip(self.list_display, self.column_paths, strict=True)
        return [cell for cell, path in pairs if self._sees(request, path)]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        seen = [
            self.definition.follow(path)
            for path in self.contributions.by_kind(Kind.FILTER)
            if self._sees(request, path)
        ]
        names = {lookup_path([*chain[:-1], leaf]) for chain in seen for leaf in chain[-1].leaves}
        return [panel for panel in self.list_filter if panel.name in names]

    def get_search_results(self, request: HttpRequest, queryset: models.QuerySet, search_term: str) -> tuple:
        return super().get_search_results(request, queryset, " ".join(search_words(search_term)))

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        paths = self.contributions.by_kind(Kind.SEARCH) or (
            picker_search(self.definition) if _is_picker(request) else ()
        )
        return [search_lookup(self.definition, path) for path in paths if path == "id" or self._sees(request, path)]

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [
            order_by(self.definition, path)
            for path in self.contributions.by_kind(Kind.ORDER)
            if self._sees(request, path)
        ]

    def _sees(self, request: HttpRequest, path: str) -> bool:
        return access.can_filter_by_path(request.user, self.definition.chain(path))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the list's own filters and nothing else: any lookup would tell values that are not shown."""
        panels = self.get_list_filter(request) if request is not None else self.list_filter
        return any(lookup in panel.expected_parameters() for panel in panels)

    def get_actions(self, request: HttpRequest) -> dict[str, tuple]:
        actions = super().get_actions(request)
        for name, action in self.contributions.by_kind(Kind.BULK_ACTION).items():
            allowed = action.allowed is None or action.allowed(request.user)
            if allowed and access.has_perm(request.user, action.verb, self.model):
                actions[name] = (_runner(action), name, action.label)
        return actions

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        refused = wrong_keys(request)
        if refused is not None:
            return refused
        buttons = self._buttons(request, Kind.LIST_BUTTON)
        context = {"title": self.definition.plural, **(extra_context or {})}
        try:
            response = super().changelist_view(request, context)
        except RuleBroken as broken:
            messages.error(request, f"Nothing was done. {broken.record}: {broken.messages[0]}")
            return HttpResponseRedirect(request.get_full_path())
        except ValidationError as error:
            messages.error(request, _("Nothing was done. %(why)s") % {"why": " ".join(error.messages)})
            return HttpResponseRedirect(request.get_full_path())
        if hasattr(response, "context_data") and buttons:
            response.context_data["actions_list"] = buttons
        if hasattr(response, "context_data"):
            response.context_data["crm_warnings"] = list(self.contributions.by_kind(Kind.DELETE_WARNING).values())
        return response

    # Records

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
        for leaf in (one for one in self.definition.leaves if one.name in initial):
            if leaf.type.reference(leaf) is not None or leaf.type.many:
                continue
            try:
                initial[leaf.name] = leaf.type.validate(leaf.type.parse(initial[leaf.name], leaf, Reading()), leaf)
            except ValueError:
                del initial[leaf.name]
        return initial

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
        context = {**self.admin_site.each_context(request), "title": f"No such {opts.verbose_name}", "opts": opts}
        context["list_url"] = self.url("changelist")
        return TemplateResponse(request, "crm/not_there.html", context, status=404)

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

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        context = {
            "crm_warnings": list(self.contributions.by_kind(Kind.DELETE_WARNING).values()),
            **(extra_context or {}),
        }
        try:
            return super().delete_view(request, object_id, context)
        except RuleBroken as broken:
            messages.error(request, f"Nothing was deleted. {broken.record}: {broken.messages[0]}")
        except models.ProtectedError:
            messages.error(request, "Nothing was deleted: other records still point to it.")
        except ValidationError as error:
            messages.error(request, _("Nothing was deleted. %(why)s") % {"why": " ".join(error.messages)})
        return HttpResponseRedirect(self.url("change", object_id))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        with transaction.atomic():
            self._check_deletion(request, [obj.pk])
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        with transaction.atomic():
            self._check_deletion(request, list(queryset.order_by().values_list("pk", flat=True)))
            super().delete_queryset(request, queryset)

    def _check_deletion(self, request: HttpRequest, keys: list[Any]) -> None:
        """Lock what goes. Raises ValidationError where something goes along by now that is not the user's to delete."""
        raise_all(check_removals(collect_deletion(self.model, keys).cascades, request.user, DELETION))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list, dict, set, list]:
        return deletion_preview(self, request, list(objs))

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
        context["crm_tabs"] = list(self._shown_tabs(request, context, record))
        context["actions_detail"] = self._buttons(request, Kind.RECORD_BUTTON, record) if record else []
        context["crm_buttons"] = list(self._stateful_buttons(request, record)) if record else []
        return super().render_change_form(request, context, add=add, change=change, **kwargs)

    def _shown_tabs(self, request: HttpRequest, context: dict[str, Any], record: Any) -> Any:
        by_name = {one.name: one for one in context["adminform"]}
        if QUICK in request.GET and None in by_name:
            parts = [{"heading": "", "fieldset": by_name[None]}]
            yield {"name": self.definition.label, "id": "quick", "parts": parts, "errors": 0}
            return
        inlines = {one.opts.table.name: one for one in context["inline_admin_formsets"]}
        panels = self.contributions.by_kind(Kind.PANEL)
        taken: set[str] = set()
        for number, tab in enumerate(self.tabs, 1):
            word = slugify(tab.name)
            word = word if word and word not in taken else f"tab-{number}"
            taken.add(word)
            shown: dict[str, Any] = {"name": tab.name, "id": word, "parts": [], "errors": 0}
            for part, heading, rows in tab.parts:
                fieldset = by_name.get(part)
                if fieldset is not None:
                    shown["parts"].append({"heading": heading, "fieldset": fieldset})
                    shown["errors"] += sum(name in fieldset.form.errors for name in flatten(fieldset.fields))
                for name in (name for row in rows for name in row if name in inlines):
                    shown["parts"].append({"heading": heading, "inline": inlines[name]})
                    shown["errors"] += _errors(inlines[name].formset)
            panel = panels.get(tab.related or tab.panel)
            if record is not None and _is_open(panel, request.user, record):
                shown["panel_url"] = self.url("panel", record.pk, tab.related or tab.panel)
            if shown["parts"] or "panel_url" in shown:
                yield shown

    def url(self, name: str, *args: Any) -> str:
        """Return the address of one of the entity's pages."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def _buttons(self, request: HttpRequest, kind: str, record: Any = None) -> list[dict[str, Any]]:
        entries = []
        for button in self.contributions.by_kind(kind).values():
            may = isinstance(button, Button) and access.has_perm(request.user, button.verb, self.model, record)
            if may and button.state is None:
                address = self.url(button.page, *([record.pk] if record else []), *button.words)
                entries.append(
                    {"title": button.label, "icon": button.icon, "path": address, "variant": ActionVariant.DEFAULT}
                )
        if kind == "list button" and request.GET:
            for entry in entries:
                entry["path"] += f"?{request.GET.urlencode()}"
        return entries

    def _stateful_buttons(self, request: HttpRequest, record: Any) -> Iterator[dict[str, Any]]:
        """Yield the buttons that depend on the record, with the reason why one is of no use now."""
        for button in self.contributions.by_kind(Kind.RECORD_BUTTON).values():
            if button.state is None or not access.has_perm(request.user, button.verb, self.model, record):
                continue
            why = button.state(record, request.user)
            if why is not None:
                yield {"button": button, "why": why, "url": self.url(button.page, record.pk, *button.words)}

    # Pages

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
        return mine + [one for one in super().get_urls() if one.name != f"{info[0]}_{info[1]}_history"]

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


def panel_page(admin: RecordAdmin, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
    """Return the HTML of a panel, for the record's page to show when its tab is opened."""
    record = admin.get_object(request, unquote(object_id))
    panel = admin.contributions.by_kind(Kind.PANEL).get(name)
    if record is None or not isinstance(panel, Panel):
        raise Http404
    if not _is_open(panel, request.user, record):
        raise PermissionDenied
    return HttpResponse(panel.render(admin, request, record))


def _is_open(panel: Panel | None, user: Any, record: models.Model) -> bool:
    if panel is None or not access.has_perm(user, panel.verb, type(record), record):
        return False
    return all(access.can_view_field(user, field) for field in panel.fields)


def _runner(action: BulkAction) -> Callable[..., HttpResponse | None]:
    def run(admin: RecordAdmin, request: HttpRequest, rows: models.QuerySet) -> HttpResponse | None:
        allowed = rows
        if access.has_row_rules(request.user, admin.definition, action.verb):
            allowed = rows.filter(pk__in=access.visible_rows(request.user, admin.model, action.verb).values("pk"))
            left = rows.count() - allowed.count()
            if left:
                messages.warning(request, f"{left} of them are left out: they are not yours to {action.verb}.")
        return action.run(admin, request, allowed)

    return run


def search_lookup(entity: Entity, path: str) -> str:
    """Return a path of the search as Django's lookup."""
    return "id" if path == "id" else lookup_path(entity.follow(path))


def _is_picker(request: HttpRequest) -> bool:
    """Say whether a picker asks: it finds records by their titles where their list has no search."""
    match = request.resolver_match
    return match is not None and match.url_name == "autocomplete"


def _errors(formset: Any) -> int:
    return sum(len(errors) for errors in formset.errors) + len(formset.non_form_errors()) if formset.is_bound else 0
