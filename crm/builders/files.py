"""Hands out uploaded files, to those who may see the record that holds them."""

from __future__ import annotations

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


@login_required
def serve_file(request: HttpRequest, name: str) -> HttpResponse:
    """Send the file `<business>/<entity>/<field>/<key>/<name>`; 404 for whoever may not see its record."""
    parts = name.split("/")
    business = apps.get_app_config(settings.BUSINESS_LOCATION.label).business
    entity = business.entities.get(parts[1]) if len(parts) == 5 and parts[0] == business.label else None
    field = entity.find(parts[2]) if entity else None
    is_upload = field is not None and field.type.input in UPLOADS
    if not is_upload or ".." in parts or "\x00" in name or not access.can_view_field(request.user, field):
        raise Http404
    model = apps.get_model(business.label, entity.class_name)
    shown = access.visible_rows(request.user, model).filter(**{field.name: name})
    if not shown.exists() or not default_storage.exists(name):
        raise Http404
    ending = parts[-1].rsplit(".", 1)[-1].lower() if "." in parts[-1] else ""
    kind = SHOWN.get(ending, "application/octet-stream")
    response = FileResponse(default_storage.open(name), as_attachment=ending not in PICTURES, content_type=kind)
    response.csp_policy = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=300"
    return response
