"""The page that shows a list as of a day, with the columns, the filters and the search of the list."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from crm.blueprint.layout import list_order
from crm.builders.cells import Heading
from crm.builders.list_query import narrowing
from crm.builders.ordering import order_by
from crm.builders.rows import search_words
from crm.capabilities.history.day import DayForm, context_of, day_of
from crm.capabilities.history.past import Past, is_kept
from crm.kernel.contributions import Kind
from crm.records import access
from crm.records.display import lookup_path, title_of


def list_as_of(admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the records that there were on a day.

    Filters and words that reach into linked records go by what these are now, as the page says.
    """
    form, plural = day_of(request), admin.definition.plural
    filters = narrowing(request.GET, "on", "q")
    context = {
        **context_of(admin, request, form, _("%(records)s as of a day") % {"records": plural}),
        "text": request.GET.get("q", ""),
        "kept": [(key, one) for key, values in filters.lists() for one in values],
        "here": narrowing(request.GET).urlencode(),
        "back": narrowing(request.GET, "on").urlencode(),
    }
    if form.is_valid():
        title = _("%(records)s as of %(day)s") % {"records": plural, "day": form.words}
        context |= {"title": title, **_shown(admin, request, form)}
    return TemplateResponse(request, "history/list_as_of.html", context)


def _shown(admin: Any, request: HttpRequest, form: DayForm) -> dict[str, Any]:
    model, entity, past = admin.model, admin.definition, Past(form.moment)
    pairs = [(cell, entity.chain(path)) for cell, path in zip(admin.list_display, admin.column_paths, strict=True)]
    seen = [(cell, chain) for cell, chain in pairs if access.can_view_path(request.user, chain)]
    shown = [(cell, chain) for cell, chain in seen if is_kept(model, chain)]
    everyone = past.versions(request.user, model)
    versions, ignored = _narrowed(admin, request, everyone)
    versions = _searched(admin, request, versions)
    page = Paginator(versions.order_by(*_order(admin, request)), admin.list_per_page).get_page(request.GET.get("p"))
    records = [record for record in past.records(page, [chain for _, chain in shown]) if not access.is_hidden(record)]
    return {
        "headings": [cell.heading for cell, _ in shown] or [Heading(entity.label)],
        "rows": [
            (
                admin.url("record_as_of", record.pk) + form.query,
                [cell(record) for cell, _ in shown] or [title_of(record)],
            )
            for record in records
        ],
        "page": page,
        "narrowed": versions is not everyone,
        "hidden": len(page) - len(records),
        "not_kept": [cell.short_description for cell, chain in seen if not is_kept(model, chain)],
        "ignored": ignored,
    }


def _narrowed(admin: Any, request: HttpRequest, versions: models.QuerySet) -> tuple[models.QuerySet, list[str]]:
    """Return the versions that the list's filters leave, and the labels of the filters that the past cannot answer."""
    answered, ignored = _answered(admin, admin.contributions.by_kind(Kind.FILTER)), []
    for panel in admin.get_list_filter(request):
        if not any(request.GET.get(key) for key in panel.expected_parameters()):
            continue
        if panel.name in answered:
            made = panel(request, dict(request.GET.lists()), admin.model, admin)
            versions = made.queryset(request, versions)
        else:
            ignored.append(panel.title)
    return versions, ignored


def _answered(admin: Any, paths: Any) -> set[str]:
    """Return the lookups of those paths that versions have columns for."""
    chains = [admin.definition.chain(path) for path in paths]
    kept = [chain for chain in chains if chain and is_kept(admin.model, chain) and not chain[-1].type.many]
    return {lookup_path([*chain[:-1], leaf]) for chain in kept for leaf in chain[-1].leaves}


def _searched(admin: Any, request: HttpRequest, versions: models.QuerySet) -> models.QuerySet:
    names = sorted(set(admin.get_search_fields(request)) & _answered(admin, admin.contributions.by_kind(Kind.SEARCH)))
    for word in search_words(request.GET.get("q", "")) if names else ():
        versions = versions.filter(reduce(or_, (Q(**{f"{name}__icontains": word}) for name in names)))
    return versions


def _order(admin: Any, request: HttpRequest) -> list[Any]:
    ordering = []
    for path in list_order(admin.definition):
        chain = admin.definition.chain(path)
        if chain and is_kept(admin.model, chain) and access.can_filter_by_path(request.user, chain):
            ordering.append(order_by(admin.definition, path))
    return [*ordering, "-id"]
