"""The pages of history: the whole story, its panel on the record's page, and going back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.capabilities.history.revert import revert_record
from crm.capabilities.history.timeline import changes_since, newest_version, read_timeline
from crm.kernel.contributions import Kind
from crm.records import access
from crm.records.changes import REASON, change_scope
from crm.records.locks import lock_record
from crm.records.record import Record
from crm.records.soft_delete import DELETED_AT

MAX_PANEL_ENTRIES = 60
SEEN = "seen"
"""The input that holds which versions were the newest when the page was shown: an optimistic lock."""


def _record(admin: Any, request: HttpRequest, object_id: str) -> Record:
    record = admin.get_object(request, object_id)
    if record is None:
        raise Http404
    return record


def history_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the whole story of a record."""
    record = _record(admin, request, object_id)
    context = {
        **admin.admin_site.each_context(request),
        **_context(admin, request, record, read_timeline(record)),
        "title": _("History of %(record)s") % {"record": record},
        "opts": admin.opts,
        "original": record,
        "as_of_url": admin.url("record_as_of", record.pk),
        "today": timezone.localdate().isoformat(),
    }
    return TemplateResponse(request, "history/page.html", context)


def timeline_panel(admin: Any, request: HttpRequest, record: Record) -> str:
    """Show the newest part of the story on the record's page."""
    entries = read_timeline(record, MAX_PANEL_ENTRIES)
    return render_to_string("history/timeline.html", _context(admin, request, record, entries), request)


def _may_revert(user: Any, record: Record) -> bool:
    """Going back writes every field: it is for those who may change them all."""
    return access.has_perm(user, "change", type(record), record) and access.can_view_all_fields(
        user, record.definition, "change"
    )


def _context(admin: Any, request: HttpRequest, record: Record, entries: list) -> dict[str, Any]:
    names = admin.opts.app_label, admin.opts.model_name
    return {
        "entries": entries,
        "record": record,
        "may_revert": _may_revert(request.user, record),
        "revert_name": "admin:{}_{}_revert".format(*names),
    }


def revert_page(admin: Any, request: HttpRequest, object_id: str, version: int) -> HttpResponse:
    """Ask, and then bring a version back."""
    record = _record(admin, request, object_id)
    if not _may_revert(request.user, record):
        raise PermissionDenied
    chosen = type(record).history.filter(id=record.pk, history_id=version).first()
    if chosen is None or getattr(chosen, DELETED_AT, None):
        raise Http404
    page = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_change", args=[record.pk])
    needs_reason = bool(admin.contributions.by_kind(Kind.REASON))
    reason = request.POST.get(REASON, "").replace("\x00", "").strip()
    is_stale = False
    if request.method == "POST" and (reason or not needs_reason):
        is_stale = not _revert(request, record, chosen, reason)
        if not is_stale:
            return HttpResponseRedirect(page)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Bring back %(record)s?") % {"record": record},
        "opts": admin.opts,
        "original": record,
        "version": chosen,
        "back": page,
        "needs_reason": needs_reason,
        "reason": reason,
        "lacks_reason": request.method == "POST" and needs_reason and not reason,
        "is_stale": is_stale,
        "seen": newest_version(record),
        "changes": changes_since(record, chosen),
    }
    return TemplateResponse(request, "history/revert.html", context)


def _revert(request: HttpRequest, record: Record, version: Any, reason: str) -> bool:
    """Bring a version back; return False, with nothing done, where the page did not show every change since."""
    then = date_format(timezone.localtime(version.history_date), "j M Y, H:i")
    try:
        with transaction.atomic(), change_scope(request.user, reason or f"Back to the version of {then}", "revert"):
            lock_record(record)
            if request.POST.get(SEEN) != newest_version(record):
                return False
            left_out = revert_record(record, version)
    except models.ProtectedError as error:
        names = ", ".join(str(record) for record in list(error.protected_objects)[:5])
        text = _("Nothing was changed: rows of now are still needed by %(names)s.") % {"names": names}
        messages.error(request, text)
    except ValidationError as error:
        messages.error(request, _("Nothing was changed: %(why)s") % {"why": " ".join(error.messages)})
    except IntegrityError:
        messages.error(request, _("Nothing was changed: a value of that version now belongs to another record."))
    else:
        text = _("%(record)s is as it was then, but %(left_out)s.") if left_out else _("%(record)s is as it was then.")
        messages.success(request, text % {"record": record, "left_out": "; ".join(left_out)})
    return True
