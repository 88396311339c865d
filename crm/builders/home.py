"""The home page: how many there are of everything, how many came in each of the last weeks, and what is newest.

Everything is counted up to a limit, by the index of `created`, so that the page costs as much with millions of rows as
with some thousands: one query for the counts of all cards, one that finds the newest, and one for each kind of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from crm.blueprint.nodes import Business, Entity
from crm.builders.rows import shown_rows
from crm.records import access
from crm.records.chunks import chunks
from crm.records.display import title_of

WEEKS = 12
LOWEST = 6
"""The height in percent of a bar for nothing, so that it is seen."""
NEWEST = 10
COUNTED = 10_000
"""Above this many, a count says `10,000+` instead of counting on."""
AT_ONCE = 50
"""So many cards are counted by one query; databases take some 1,600 columns of a result."""


@dataclass
class Card:
    """An entity on the home page: how many there are, how many came this week, and the weeks before as bars."""

    entity: Entity
    url: str
    add_url: str
    count: str
    new: str
    new_url: str
    weeks: list[dict[str, Any]] = field(default_factory=list)


def home_context(business: Business, request: HttpRequest) -> dict[str, Any]:
    """Return the cards of the entities on the menu, and the newest records of all these."""
    shown = [entity for entity in _on_menu(business) if access.has_perm(request.user, "view", _model(entity))]
    return {
        "cards": _cards(shown, request),
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


class CappedCount(models.Subquery):
    """Counts the rows of a sliced query in a subquery: the database stops at the slice's end."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) capped)"
    output_field = models.IntegerField()

    def __init__(self, rows: models.QuerySet):
        super().__init__(rows.order_by().values("pk")[: COUNTED + 1])


def _cards(entities: list[Entity], request: HttpRequest) -> list[Card]:
    now = timezone.localtime()
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [_local(monday - timedelta(weeks=back)) for back in reversed(range(WEEKS))]
    counts = _counts(entities, starts, request.user)
    return [_card(entity, monday, counts[entity], request) for entity in entities]


def _local(moment: datetime) -> datetime:
    """Return midnight of a day whatever the clock's offset was then."""
    return timezone.make_aware(moment.replace(tzinfo=None))


def _counts(entities: list[Entity], starts: list[datetime], user: Any) -> dict[Entity, list[int]]:
    """Return for each entity how many records there are, and how many since each of the starts up to the next."""
    counts: dict[Entity, list[int]] = {}
    me = get_user_model()._default_manager.filter(pk=user.pk)  # a table of one row, for subqueries to stand beside
    for batch in chunks(entities, AT_ONCE):
        asked = [count for entity in batch for count in _counts_of(access.visible_rows(user, _model(entity)), starts)]
        row = me.values_list(*asked).get()
        size = len(starts) + 1
        counts |= {entity: list(row[index * size : (index + 1) * size]) for index, entity in enumerate(batch)}
    return counts


def _counts_of(rows: models.QuerySet, starts: list[datetime]) -> list[CappedCount]:
    ends = [*starts[1:], None]
    since = [(rows.filter(created__gte=start), end) for start, end in zip(starts, ends, strict=True)]
    return [CappedCount(rows), *(CappedCount(new.filter(created__lt=end) if end else new) for new, end in since)]


def _card(entity: Entity, monday: datetime, counts: list[int], request: HttpRequest) -> Card:
    model = _model(entity)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    count, *weeks = counts
    most = max([*weeks, 1])
    url = reverse(f"{name}_changelist")
    return Card(
        entity,
        url,
        reverse(f"{name}_add") if access.has_perm(request.user, "add", model) else "",
        said(count),
        said(weeks[-1]) if weeks[-1] else "",
        f"{url}?created_after={monday.date().isoformat()}" if "created" in _filters(entity) else url,
        [
            {"count": said(number), "height": max(round(100 * number / most), LOWEST), "back": WEEKS - 1 - index}
            for index, number in enumerate(weeks)
        ],
    )


def said(count: int) -> str:
    """Return a count as people read it, up to the limit."""
    return f"{count:,}" if count <= COUNTED else f"{COUNTED:,}+"


def _filters(entity: Entity) -> list[str]:
    return entity.section.listing.filters or []


def _newest(entities: list[Entity], request: HttpRequest) -> list[dict[str, Any]]:
    """Return the newest records of all entities: first which ones, by the index, then these alone with their titles."""
    newest = sorted(_newest_keys(entities, request), key=lambda row: row[0], reverse=True)[:NEWEST]
    records: dict[tuple[int, Any], models.Model] = {}
    for number in {number for _, _, number in newest}:
        entity = entities[number]
        keys = [key for _, key, of in newest if of == number]
        rows = shown_rows(
            access.visible_rows(request.user, _model(entity)).filter(pk__in=keys), entity, [], also=("created",)
        )
        records |= {(number, record.pk): record for record in rows}
    return [
        {
            "entity": entities[number],
            "title": title_of(records[number, key]),
            "date": created,
            "url": reverse(f"admin:{records[number, key]._meta.label_lower.replace('.', '_')}_change", args=[key]),
        }
        for created, key, number in newest
        if (number, key) in records
    ]


def _newest_keys(entities: list[Entity], request: HttpRequest) -> list[tuple[datetime, Any, int]]:
    """Return when, the key of, and the number of the entity of, the newest records of each entity; in one query."""
    parts = []
    for number, entity in enumerate(entities):
        rows = access.visible_rows(request.user, _model(entity))
        # A part of a UNION cannot have a LIMIT of its own on SQLite, but a subquery of the part can.
        keys = rows.order_by("-created").values("pk")[:NEWEST]
        part = _model(entity)._base_manager.filter(pk__in=keys).order_by()
        parts.append(part.values_list("created", "pk", models.Value(number, models.IntegerField())))
    return list(parts[0].union(*parts[1:], all=True)) if parts else []
