"""The pages of transfer: export, upload, preview, and the record of imports with its undoing."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from crm.builders.list_query import narrowing
from crm.capabilities.transfer.columns import file_fields
from crm.capabilities.transfer.file_reader import FileRefused, check_size
from crm.capabilities.transfer.formula_injection import ExportRefused
from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.keys import key_fields, named_by
from crm.capabilities.transfer.models import PREVIEWED, ImportRun
from crm.capabilities.transfer.preparation import FAILED, NEW, UPDATED
from crm.capabilities.transfer.preview import ERRORS_SHOWN, ROWS_SHOWN
from crm.capabilities.transfer.runs import discard_run, finish_run, imported_before, renew_run, start_run, undo_run
from crm.fields.notation import SAMPLES
from crm.records import access

logger = logging.getLogger(__name__)

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": gettext_lazy("Western European (Windows, cp1252)"),
    "cp1250": gettext_lazy("Central European (Windows, cp1250)"),
    "cp1251": gettext_lazy("Cyrillic (Windows, cp1251)"),
    "mac_roman": gettext_lazy("Western European (Macintosh)"),
    "utf-16": "UTF-16",
}
PER_PAGE = 100


class UploadForm(forms.Form):
    """Asks for a file."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV (UTF-8), Excel (.xlsx) or JSON. Nothing is written before you have seen what would change."
        ),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.xlsx,.json"}),
    )
    numbers = forms.ChoiceField(
        label=gettext_lazy("Numbers"),
        required=False,
        choices=[("", gettext_lazy("As the business writes them")), *((one, one) for one in SAMPLES.values())],
        widget=UnfoldAdminSelectWidget,
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding of a CSV file"),
        required=False,
        choices=[("", gettext_lazy("UTF-8, or as the definitions say")), *ENCODINGS.items()],
        widget=UnfoldAdminSelectWidget,
    )


def _context(admin: Any, request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
    shared = admin.admin_site.each_context(request)
    return {**shared, "title": title, "opts": admin.opts, "entity": admin.definition, "model_admin": admin, **more}


def _file_response(admin: Any, rows: models.QuerySet, format: str) -> HttpResponse:
    # Not at the top: django-import-export loads 200 modules for spreadsheets, a sixth of every start.
    from crm.capabilities.transfer.resource import export_rows

    data = export_rows(admin.definition, rows, format)
    response = HttpResponse(data, content_type=CONTENT_TYPES[format])
    day = timezone.localdate().isoformat()
    response["Content-Disposition"] = f'attachment; filename="{admin.definition.name}-{day}.{format}"'
    return response


def export_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Send the rows of the list as it is filtered and searched, in the format that was asked for."""
    format = request.GET.get("format", "")
    listed = narrowing(request.GET, "format")
    request.GET = listed
    if not access.has_perm(request.user, "view", admin.model):
        raise PermissionDenied
    rows = admin.get_changelist_instance(request).get_queryset(request)
    if format in CONTENT_TYPES:
        try:
            return _file_response(admin, rows, format)
        except ExportRefused as error:
            messages.error(request, str(error))
    title = f"Export {admin.definition.plural.lower()}"
    context = _context(admin, request, title, count=rows.count(), query=listed.urlencode(), formats=CONTENT_TYPES)
    return TemplateResponse(request, "transfer/export.html", {**context, "fields": file_fields(admin.definition)})


def export_selected(admin: Any, request: HttpRequest, rows: models.QuerySet) -> HttpResponse:
    """Send the ticked rows as CSV."""
    return _file_response(admin, rows, "csv")


def import_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Take a file, and show what is wrong with it as a whole, or go on to the preview."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            check_size(upload.size)
            written = {name: form.cleaned_data[name] for name in ("numbers", "encoding")}
            run = start_run(admin.definition, upload.name, upload.read(), request.user, **written)
        except FileRefused as error:
            logger.warning("A file for %s was refused: user %s", admin.definition.name, request.user.pk)
            for line in str(error).splitlines():
                form.add_error("file", line)
        else:
            return HttpResponseRedirect(admin.url("import_run", run.pk))
    recent = _runs(admin, request)
    context = _context(
        admin,
        request,
        f"Import {admin.definition.plural.lower()}",
        form=form,
        fields=[(field, named_by(field.target) if field.target else "") for field in file_fields(admin.definition)],
        keys=key_fields(admin.definition),
        recent=[(run, admin.url("import_run", run.pk)) for run in recent[:10]],
    )
    return TemplateResponse(request, "transfer/import.html", context)


def _runs(admin: Any, request: HttpRequest) -> models.QuerySet:
    """Return the imports that the user may look at: all, or the own where not everything is for these eyes."""
    people = ImportRun.objects.select_related("user", "imported_by", "closed_by")
    runs = people.filter(business=admin.definition.business.label, entity=admin.definition.name)
    entity, user = admin.definition, request.user
    sees_all = not access.may_hide_rows(user, entity) and access.can_view_all_fields(user, entity, "view")
    return runs if sees_all else runs.filter(user=user)


def run_page(admin: Any, request: HttpRequest, run: int) -> HttpResponse:
    """Show an import: before it is done, every row's change; then what came of it; and the buttons for both."""
    import_run = _runs(admin, request).filter(pk=run).first()
    if import_run is None:
        raise Http404
    if request.method == "POST":
        return _act(admin, request, import_run)
    title = _("Import of %(file)s") % {"file": import_run.filename}
    if import_run.status != PREVIEWED:
        return TemplateResponse(request, "transfer/run.html", _context(admin, request, title, run=import_run))
    preview = import_run.read_preview()
    shown = request.GET.get("show", "failed" if import_run.failed else "")
    rows = [row for row in preview["rows"] if not shown or row["status"] == shown]
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
    context = _context(admin, request, title, run=import_run, preview=preview, page=page, shown=shown)
    context["doubled"] = imported_before(admin.definition, import_run.sha256)
    kept = Counter(row["status"] for row in preview["rows"])
    counts = {status: getattr(import_run, status) for status in (NEW, UPDATED, FAILED)}
    context["most"] = ROWS_SHOWN
    context["rows_left"] = sum(count - kept[name] for name, count in counts.items() if not shown or name == shown)
    context["errors"] = preview["errors"][:ERRORS_SHOWN]
    context["error_count"] = preview.get("error_count", len(preview["errors"]))
    context["errors_left"] = context["error_count"] - len(context["errors"])
    return TemplateResponse(request, "transfer/preview.html", context)


def _act(admin: Any, request: HttpRequest, run: ImportRun) -> HttpResponse:
    back = HttpResponseRedirect(admin.url("import_run", run.pk))
    try:
        if "import" in request.POST:
            reason, seen = request.POST.get("change_reason", "").strip(), request.POST.get("preview", "")
            finish_run(run, admin.definition, request.user, reason, seen)
            words = {"new": run.new, "updated": run.updated, "unchanged": run.unchanged}
            messages.success(request, _("%(new)s added, %(updated)s updated, %(unchanged)s unchanged.") % words)
        elif "discard" in request.POST:
            discard_run(run, request.user)
            return HttpResponseRedirect(admin.url("import"))
        elif "renew" in request.POST:
            renew_run(run, admin.definition, request.user)
        elif "undo" in request.POST:
            messages.success(request, undo_run(run, request.user))
    except (ImportRefused, FileRefused) as error:
        logger.warning("Import %s of %s was refused: user %s", run.pk, admin.definition.name, request.user.pk)
        messages.error(request, str(error))
    return back
