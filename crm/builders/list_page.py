"""The list of an entity's records: columns, order, search, filters and bulk actions, as far as the user sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from unfold.views import ChangeList

from crm.blueprint.layout import picker_search
from crm.blueprint.nodes import Entity
from crm.builders.buttons import plain_buttons
from crm.builders.cells import make_cell
from crm.builders.ordering import order_by
from crm.builders.refusals import redirect_for_wrong_keys
from crm.builders.rows import list_rows, search_words, shown_rows
from crm.kernel.capability import BulkAction
from crm.kernel.contributions import Contributions, Kind
from crm.records import access
from crm.records.display import lookup_path
from crm.records.rules import RuleBroken


class ListPage:
    """The change list of an entity, with what the user may see of it and do with it."""

    definition: Entity
    contributions: Contributions
    column_paths: list[str]

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
        return [cell for cell, path in pairs if self._can_filter_by(request, path)]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        seen = [
            self.definition.follow(path)
            for path in self.contributions.by_kind(Kind.FILTER)
            if self._can_filter_by(request, path)
        ]
        names = {lookup_path([*chain[:-1], leaf]) for chain in seen for leaf in chain[-1].leaves}
        return [panel for panel in self.list_filter if panel.name in names]

    def get_search_results(self, request: HttpRequest, queryset: models.QuerySet, search_term: str) -> tuple:
        return super().get_search_results(request, queryset, " ".join(search_words(search_term)))

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        paths = self.contributions.by_kind(Kind.SEARCH) or (
            picker_search(self.definition) if _is_picker(request) else ()
        )
        allowed = (path for path in paths if path == "id" or self._can_filter_by(request, path))
        return [search_lookup(self.definition, path) for path in allowed]

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [
            order_by(self.definition, path)
            for path in self.contributions.by_kind(Kind.ORDER)
            if self._can_filter_by(request, path)
        ]

    def _can_filter_by(self, request: HttpRequest, path: str) -> bool:
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
        refused = redirect_for_wrong_keys(request)
        if refused is not None:
            return refused
        buttons = plain_buttons(self, request, Kind.LIST_BUTTON)
        context = {"title": self.definition.plural, **(extra_context or {})}
        try:
            response = super().changelist_view(request, context)
        except RuleBroken as broken:
            words = {"record": broken.record, "why": broken.messages[0]}
            messages.error(request, _("Nothing was done. %(record)s: %(why)s") % words)
            return HttpResponseRedirect(request.get_full_path())
        except ValidationError as error:
            messages.error(request, _("Nothing was done. %(why)s") % {"why": " ".join(error.messages)})
            return HttpResponseRedirect(request.get_full_path())
        if hasattr(response, "context_data") and buttons:
            response.context_data["actions_list"] = buttons
        if hasattr(response, "context_data"):
            response.context_data["crm_warnings"] = list(self.contributions.by_kind(Kind.DELETE_WARNING).values())
        return response


def search_lookup(entity: Entity, path: str) -> str:
    """Return a path of the search as Django's lookup."""
    return "id" if path == "id" else lookup_path(entity.follow(path))


def _is_picker(request: HttpRequest) -> bool:
    """Say whether a picker asks: it finds records by their titles where their list has no search."""
    match = request.resolver_match
    return match is not None and match.url_name == "autocomplete"


def _runner(action: BulkAction) -> Callable[..., HttpResponse | None]:
    def run(admin: Any, request: HttpRequest, rows: models.QuerySet) -> HttpResponse | None:
        allowed = rows
        if access.has_row_rules(request.user, admin.definition, action.verb):
            allowed = rows.filter(pk__in=access.visible_rows(request.user, admin.model, action.verb).values("pk"))
            left = rows.count() - allowed.count()
            if left:
                words = {"count": left, "verb": action.verb}
                text = _("%(count)s of them are left out: they are not yours to %(verb)s.") % words
                messages.warning(request, text)
        return action.run(admin, request, allowed)

    return run
