"""The panels of a record's page, each read when its tab is opened."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse

from crm.kernel.capability import Panel
from crm.kernel.contributions import Kind
from crm.records import access


def panel_page(admin: Any, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
    """Return the HTML of a panel, for the record's page to show when its tab is opened."""
    record = admin.get_object(request, unquote(object_id))
    panel = admin.contributions.by_kind(Kind.PANEL).get(name)
    if record is None or not isinstance(panel, Panel):
        raise Http404
    if not is_panel_open(panel, request.user, record):
        raise PermissionDenied
    return HttpResponse(panel.render(admin, request, record))


def is_panel_open(panel: Panel | None, user: Any, record: models.Model) -> bool:
    """Say whether a panel is there for a user: with its verb, and with all fields that it would tell of."""
    if panel is None or not access.has_perm(user, panel.verb, type(record), record):
        return False
    return all(access.can_view_field(user, field) for field in panel.fields)
