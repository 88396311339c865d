"""Hands out uploaded files, to those who may see the record that holds them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse

from crm.builders.content_security import SANDBOX
from crm.fields.files import PICTURES
from crm.records import access

UPLOADS = ("file", "image")
SHOWN = {**{ending: f"image/{format.lower()}" for ending, format in PICTURES.items()}, "pdf": "application/pdf"}
"""The types that files are sent as. No other: a script that was uploaded is none to a browser, whatever its name."""
DIGITS = 18
"""The most digits that a record's number has."""


@login_required
def serve_file(request: HttpRequest, name: str) -> HttpResponse:
    """Send the file `<entity>/<id>/<field>/<key>/<name>`; 404 for whoever may not see that field of that record."""
    parts = name.split("/")
    stored = _find_stored_name(request.user, *parts) if len(parts) == 5 and "\x00" not in name else None
    if not stored or not default_storage.exists(stored):
        raise Http404
    ending = parts[-1].rsplit(".", 1)[-1].lower() if "." in parts[-1] else ""
    kind = SHOWN.get(ending, "application/octet-stream")
    response = FileResponse(default_storage.open(stored), as_attachment=ending not in PICTURES, content_type=kind)
    response.csp_policy = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=300"
    return response


def _find_stored_name(user: Any, entity_name: str, pk: str, field_name: str, *key_and_name: str) -> str | None:
    """Return where a file is kept that a field of a record holds now, for a user who may see both; None otherwise."""
    business = apps.get_app_config(settings.BUSINESS_LOCATION.label).business
    entity = business.entities.get(entity_name)
    field = entity.find(field_name) if entity else None
    if field is None or field.type.input not in UPLOADS or not access.can_view_field(user, field):
        return None
    if not (pk.isascii() and pk.isdecimal() and len(pk) <= DIGITS):
        return None
    model = apps.get_model(business.label, entity.class_name)
    stored = access.visible_rows(user, model).filter(pk=int(pk)).values_list(field.name, flat=True).first()
    return stored if stored and PurePosixPath(stored).parts[-2:] == key_and_name else None
