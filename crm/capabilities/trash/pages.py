"""The pages of the trash: what lies there, restoring and deleting for good, and the page of a record that is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.blueprint.nodes import Entity
from crm.builders.inputs import is_key
from crm.capabilities.trash.section import restore_for
from crm.capabilities.trash.soft_delete import GONE, delete_from_trash, restore, went_along
from crm.kernel.contributions import Kind
from crm.records import access
from crm.records.changes import REASON, change_scope
from crm.records.display import title_joins, title_of

PAGE = 50
DELETION = "deletion"
"""The input beside each record that says which deletion the page showed: another one since is not taken back unseen."""


def can_be_restored(entity: Entity) -> str:
    """Return what the confirmation of a deletion says."""
    days = restore_for(entity).days
    text = ngettext(
        "It goes into the trash, and can be restored for %(count)s day.",
        "It goes into the trash, and can be restored for %(count)s days.",
        days,
    )
    return text % {"count": days}


def deleted_rows(admin: Any, request: HttpRequest) -> models.QuerySet:
    """Return the deleted records that the user may deal with, the newest first."""
    seen = access.visible_rows(request.user, admin.model, among=admin.model._base_manager.filter(GONE))
    rows = access.visible_rows(request.user, admin.model, "delete", among=seen)
    return rows.select_related(*title_joins(admin.definition)).order_by("-deleted_at", "-pk")


def trash_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Show what lies in the trash; restore what was ticked, or ask and then delete it for good."""
    rows = deleted_rows(admin, request)
    ticked = {key for key in request.POST.getlist("record")[:500] if is_key(key)}
    chosen = list(rows.filter(pk__in=ticked))
    act = request.POST.get("act", "") if request.method == "POST" else ""
    if act and len(chosen) < len(ticked):
        text = "%(count)s of those that you ticked is not in the trash any more."
        texts = ngettext(
            text, "%(count)s of those that you ticked are not in the trash any more.", len(ticked) - len(chosen)
        )
        messages.error(request, texts % {"count": len(ticked) - len(chosen)})
    reason = request.POST.get(REASON, "").replace("\x00", "").strip()
    is_done = bool(chosen) and (act == "restore" or (act == "delete" and "sure" in request.POST))
    needs_reason = bool(admin.contributions.by_kind(Kind.REASON))
    if is_done and (reason or not needs_reason):
        return _restore(admin, request, chosen, reason) if act == "restore" else _delete(admin, request, chosen)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        **admin.admin_site.each_context(request),
        "title": _("%(records)s in the trash") % {"records": admin.definition.plural},
        "opts": admin.opts,
        "page": page,
        "rows": _rows(admin, chosen if act == "delete" and chosen else list(page)),
        "asks": act == "delete" and bool(chosen),
        "asks_reason": needs_reason and (act != "delete" or bool(chosen)),
        "lacks_reason": is_done,
        "ticked": {one.pk for one in chosen},
        "days": restore_for(admin.definition).days,
        "list_url": admin.url("changelist"),
    }
    return TemplateResponse(request, "trash/trash.html", context)


def gone_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse | None:
    """Say that a record is in the trash, to whoever may bring it back; nothing for one that is not there."""
    record = deleted_rows(admin, request).filter(pk=object_id).first() if is_key(object_id) else None
    if record is None:
        return None
    context = {
        **admin.admin_site.each_context(request),
        "title": _("%(record)s is in the trash") % {"record": title_of(record)},
        "opts": admin.opts,
        "row": _rows(admin, [record])[0],
        "along": _counted({model: len(keys) for model, keys in went_along(record).cascades.items()}, but=record),
        "url": admin.url("trash"),
        "list_url": admin.url("changelist"),
        "asks_reason": bool(admin.contributions.by_kind(Kind.REASON)),
    }
    return TemplateResponse(request, "trash/gone.html", context)


def _rows(admin: Any, records: list[Any]) -> list[dict[str, Any]]:
    """Return what the trash says of records, in a number of queries that does not grow with them."""
    users, together = _deleters(admin.model, records), _together(admin.model, records)
    return [
        {
            "pk": record.pk,
            "title": title_of(record),
            "who": users.get(record.pk, _("The system")),
            "when": record.deleted_at,
            "deletion": record.deleted_in,
            "days_left": _days_left(record, admin.definition),
            "together": _counted(together.get(record.deleted_in, {}), but=record),
        }
        for record in records
    ]


def _days_left(record: Any, entity: Entity) -> int:
    """Return for how many more days, the one that has begun included, a record can be restored."""
    left = record.deleted_at + restore_for(entity) - timezone.now()
    return max(0, ceil(left / timedelta(days=1)))


def _deleters(model: Any, records: list[Any]) -> dict[Any, str]:
    """Return the names of the people who deleted records, by the records' keys."""
    changes = {"history_change__in": {one.deleted_in for one in records}, "id__in": [one.pk for one in records]}
    versions = model.history.filter(history_user__isnull=False, **changes).select_related("history_user")
    users = {one.id: one.history_user for one in versions}
    return {key: user.get_full_name() or user.get_username() for key, user in users.items()}


def _together(model: Any, records: list[Any]) -> dict[Any, dict[Any, int]]:
    """Return how much lies in the trash by the same deletions: change → model → number."""
    counts: dict[Any, dict[Any, int]] = {}
    for kept_model in (one for one in model._meta.apps.get_models() if getattr(one, "keeps_deleted", False)):
        rows = kept_model._base_manager.filter(GONE, deleted_in__in={record.deleted_in for record in records})
        for change, count in rows.order_by().values_list("deleted_in").annotate(count=Count("pk")):
            counts.setdefault(change, {})[kept_model] = count
    return counts


def _counted(counts: Mapping[Any, int], but: Any) -> str:
    """Return how many records of each entity there are besides one."""
    others = {model.definition: count - (model is type(but)) for model, count in counts.items()}
    return ", ".join(f"{count} {one.noun(count)}" for one, count in others.items() if count)


def _restore(admin: Any, request: HttpRequest, chosen: list[Any], reason: str) -> HttpResponse:
    done = []
    for record in chosen:
        try:
            _check_seen(request, record)
            with change_scope(request.user, reason or "Restored from the trash", "trash"):
                restore(record)
        except ValidationError as error:
            words = {"record": title_of(record), "why": " ".join(error.messages)}
            messages.error(request, _("%(record)s was not restored. %(why)s") % words)
        else:
            done.append(record)
    if done:
        names = title_of(done[0]) if len(done) == 1 else f"{len(done)} {admin.definition.noun(len(done))}"
        messages.success(request, _("%(names)s restored.") % {"names": names})
    only = done[0] if len(done) == len(chosen) == 1 else None
    return HttpResponseRedirect(admin.url("change", only.pk) if only else admin.url("trash"))


def _check_seen(request: HttpRequest, record: Any) -> None:
    """Raise ValidationError where the page showed another deletion of the record than the one that is there now."""
    seen = request.POST.get(f"{DELETION}_{record.pk}")
    if seen is not None and seen != str(record.deleted_in):
        raise ValidationError(_("It was restored and deleted again meanwhile. Look at the trash again."))


def _delete(admin: Any, request: HttpRequest, chosen: list[Any]) -> HttpResponse:
    count = 0
    for record in chosen:
        try:
            _check_seen(request, record)
            delete_from_trash(record)
        except models.ProtectedError as error:
            names = ", ".join(str(holder) for holder in _seen(request, error.protected_objects)) or _("other records")
            words = {"record": title_of(record), "names": names}
            messages.error(request, _("%(record)s was not deleted: %(names)s still point to it.") % words)
        except ValidationError as error:
            words = {"record": title_of(record), "why": " ".join(error.messages)}
            messages.error(request, _("%(record)s was not deleted. %(why)s") % words)
        else:
            count += 1
    if count:
        messages.success(request, _("%(count)s deleted for good.") % {"count": count})
    return HttpResponseRedirect(admin.url("trash"))


def _seen(request: HttpRequest, records: Any) -> list[Any]:
    return [one for one in list(records)[:5] if access.visible_rows(request.user, type(one)).filter(pk=one.pk).exists()]
