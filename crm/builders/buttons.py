"""The buttons above a list and above a record, for those who may open the pages that they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from unfold.enums import ActionVariant

from crm.builders.list_query import narrowing
from crm.kernel.capability import Button
from crm.kernel.contributions import Kind
from crm.records import access


def plain_buttons(admin: Any, request: HttpRequest, kind: Kind, record: Any = None) -> list[dict[str, Any]]:
    """Return the buttons that are there whatever the record holds, as Unfold shows them."""
    entries = []
    for button in admin.contributions.by_kind(kind).values():
        may = isinstance(button, Button) and access.has_perm(request.user, button.verb, admin.model, record)
        if may and button.state is None:
            address = admin.url(button.page, *([record.pk] if record else []), *button.words)
            entries.append(
                {"title": button.label, "icon": button.icon, "path": address, "variant": ActionVariant.DEFAULT}
            )
    query = narrowing(request.GET).urlencode() if kind == Kind.LIST_BUTTON else ""
    if query:
        for entry in entries:
            entry["path"] += f"?{query}"
    return entries


def stateful_buttons(admin: Any, request: HttpRequest, record: Any) -> Iterator[dict[str, Any]]:
    """Yield the buttons that depend on the record, with the reason why one is of no use now."""
    for button in admin.contributions.by_kind(Kind.RECORD_BUTTON).values():
        if button.state is None or not access.has_perm(request.user, button.verb, admin.model, record):
            continue
        why = button.state(record, request.user)
        if why is not None:
            yield {"button": button, "why": why, "url": admin.url(button.page, record.pk, *button.words)}
