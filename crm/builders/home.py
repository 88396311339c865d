"""The home page: what there is of everything, what is new, and what is waiting for the one who looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import TruncWeek
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from crm.blueprint.nodes import Business, Entity
from crm.builders.rows import list_rows
from crm.records import access
from crm.records.display import title_of

WEEKS = 12
NEWEST = 10
COUNTED = 100_000
"""Above this many, the count says so instead of counting on."""


@dataclass
class Card:
    """An entity on the home page: how many there are, how many came this week, and the weeks before as bars."""

    entity: Entity
    url: str
    add_url: str
    count: str
    new: int
    new_url: str
    weeks: list[dict[str, Any]] = field(default_factory=list)


def home_context(business: Business, request: HttpRequest) -> dict[str, Any]:
    """Return the cards, the newest records of all entities, and the ones assigned to the user."""
    shown = [entity for entity in _on_menu(business) if access.has_perm(request.user, "view", _model(entity))]
    return {
        "cards": [_card(entity, request) for entity in shown],
        "newest": _newest(shown, request),
        "is_empty": not business.entities,
        "is_behind": request.user.is_superuser and _is_behind(business),
    }


def _is_behind(business: Business) -> bool:
    """Say whether the database was brought to other definitions than this process serves."""
    served = apps.get_app_config(business.label).snapshot_hash
    release = apps.get_model("crm", "Release").objects.filter(business=business.label).first()
    return bool(served) and (release is None or release.hash != served)


def _on_menu(business: Business) -> list[Entity]:
    names = [name for group in business.app.menu.values() for name in group] or list(business.entities)
    return [business.entities[name] for name in dict.fromkeys(names)]


def _model(entity: Entity) -> Any:
    return apps.get_model(entity.business.label, entity.class_name)


def _card(entity: Entity, request: HttpRequest) -> Card:
    model = _model(entity)
    rows = access.visible_rows(request.user, model).order_by()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    now = timezone.localtime()
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = _weekly(rows, monday - timedelta(weeks=WEEKS - 1))
    weeks = [counts.get((monday - timedelta(weeks=back)).date(), 0) for back in reversed(range(WEEKS))]
    count = rows[: COUNTED + 1].count()
    most = max([*weeks, 1])
    url = reverse(f"{name}_changelist")
    return Card(
        entity,
        url,
        reverse(f"{name}_add") if access.has_perm(request.user, "add", model) else "",
        f"{count:,}" if count <= COUNTED else f"over {COUNTED:,}",
        weeks[-1],
        f"{url}?created_after={monday.date().isoformat()}" if "created" in _filters(entity) else url,
        [{"count": n, "height": round(100 * n / most), "back": WEEKS - 1 - i} for i, n in enumerate(weeks)],
    )


def _filters(entity: Entity) -> list[str]:
    return entity.section.listing.filters or []


def _weekly(rows: models.QuerySet, since: datetime) -> dict[Any, int]:
    by_week = rows.filter(created__gte=since).annotate(week=TruncWeek("created")).values("week")
    return {one["week"].date(): one["n"] for one in by_week.annotate(n=models.Count("pk"))}


def _newest(entities: list[Entity], request: HttpRequest) -> list[dict[str, Any]]:
    found = []
    for entity in entities:
        model = _model(entity)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        rows = list_rows(access.visible_rows(request.user, model), entity, []).order_by("-created", "-pk")[:NEWEST]
        found += [
            {"entity": entity, "title": title_of(one), "date": one.created, "url": reverse(name, args=[one.pk])}
            for one in rows
        ]
    return sorted(found, key=lambda one: one["date"], reverse=True)[:NEWEST]
