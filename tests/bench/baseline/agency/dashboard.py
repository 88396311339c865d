"""The home page: counts, weeks and the newest records, as an Unfold project writes them (`DASHBOARD_CALLBACK`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncWeek
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from agency.models import Booking, Customer, Invoice, Task, Trip

MODELS = (Customer, Booking, Trip, Invoice, Task)
WEEKS, NEWEST = 12, 10


def fill_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the cards and the newest records to the context of the admin's first page."""
    now = timezone.localtime()
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    return {**context, "cards": [_card(model, monday) for model in MODELS], "newest": _newest()}


def _card(model: Any, monday: Any) -> dict[str, Any]:
    rows = model.objects.filter(created__gte=monday - timedelta(weeks=WEEKS - 1))
    by_week = rows.annotate(week=TruncWeek("created")).values("week").annotate(count=Count("pk"))
    counts = {row["week"].date(): row["count"] for row in by_week}
    weeks = [counts.get((monday - timedelta(weeks=back)).date(), 0) for back in reversed(range(WEEKS))]
    name = f"admin:agency_{model._meta.model_name}"
    return {
        "title": model._meta.verbose_name_plural,
        "url": reverse(f"{name}_changelist"),
        "add_url": reverse(f"{name}_add"),
        "count": model.objects.count(),
        "weeks": [{"count": count, "height": round(100 * count / max([*weeks, 1]))} for count in weeks],
    }


def _newest() -> list[dict[str, Any]]:
    links = {Booking: ("customer",), Invoice: ("customer",)}
    rows = [
        row
        for model in MODELS
        for row in model.objects.select_related(*links.get(model, (None,))).order_by("-created")[:NEWEST]
    ]
    rows.sort(key=lambda row: row.created, reverse=True)
    return [
        {
            "title": str(row),
            "date": row.created,
            "url": reverse(f"admin:agency_{row._meta.model_name}_change", args=[row.pk]),
        }
        for row in rows[:NEWEST]
    ]
