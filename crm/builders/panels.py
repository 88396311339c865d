"""The records that point to a record, shown on its page."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.apps import apps
from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from crm.blueprint.layout import list_columns, list_order
from crm.blueprint.nodes import Entity, Field
from crm.builders.cells import make_cell
from crm.builders.ordering import order_by
from crm.builders.rows import shown_rows
from crm.kernel.capability import Panel
from crm.records import access

MAX_PANEL_ROWS = 10
COLUMNS = 7


def links_from(entity: Entity, other: str) -> list[Field]:
    """Return the links of another entity that lead here."""
    return [one for one in entity.pointing_here() if one.entity.name == other and one.stored]


def related_panel(entity: Entity, other: str) -> Panel:
    """Return the panel of another entity's records that lead here."""
    links = links_from(entity, other)
    return Panel(links[0].entity.plural, partial(_render, links[0]), fields=(links[0],))


def _render(link: Field, admin: Any, request: HttpRequest, record: models.Model) -> str:
    entity = link.entity
    model = apps.get_model(entity.business.label, entity.class_name)
    others = [path for path in list_columns(entity) if path.split(".")[0] != link.name]
    paths = [path for path in others if access.can_view_path(request.user, entity.chain(path))][:COLUMNS]
    cells = [make_cell(entity, path) for path in paths]
    ordered = [path for path in list_order(entity) if access.can_filter_by_path(request.user, entity.chain(path))]
    order = [order_by(entity, path) for path in ordered]
    rows = shown_rows(access.visible_rows(request.user, model).filter(**{link.name: record.pk}), entity, paths)
    related = list(rows.order_by(*order)[: MAX_PANEL_ROWS + 1])
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    filtered = f"{reverse(f'{name}_changelist')}?{link.name}={record.pk}"
    context = {
        "entity": entity,
        "headings": [cell.heading for cell in cells],
        "rows": [
            (reverse(f"{name}_change", args=[other.pk]), [cell(other) for cell in cells])
            for other in related[:MAX_PANEL_ROWS]
        ],
        "more": len(related) > MAX_PANEL_ROWS,
        "all_url": filtered,
        "add_url": f"{reverse(f'{name}_add')}?{link.name}={record.pk}" if _may_add(request, model) else "",
    }
    return render_to_string("crm/related.html", context, request)


def _may_add(request: HttpRequest, model: type[models.Model]) -> bool:
    return access.has_perm(request.user, "add", model)
