"""A workflow action as a bulk action of the list: each row for itself, and those that were skipped are named."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.capabilities.workflow.batches import perform_all
from crm.capabilities.workflow.compiler import Action, workflow_of
from crm.capabilities.workflow.pages import ask, comment_form

MAX_NAMED = 10


def perform_selected(action: Action, admin: Any, request: HttpRequest, rows: models.QuerySet) -> HttpResponse | None:
    """Ask what there is to ask, and then do the action with each of the rows."""
    is_answer = "workflow_go" in request.POST
    form = comment_form(action, request.POST if is_answer else None)
    if action.is_asked and not (is_answer and (form is None or form.is_valid())):
        return _ask(action, admin, request, rows, form)
    _perform_all(action, admin, request, rows, form.cleaned_data["comment"] if form else "")
    return None


def _ask(action: Action, admin: Any, request: HttpRequest, rows: models.QuerySet, form: Any) -> HttpResponse:
    count = rows.count()
    more = {
        "title": f"{action.label}: {count} {admin.definition.noun(count)}",
        "rows": list(rows[:MAX_NAMED]),
        "left": max(0, count - MAX_NAMED),
        "chosen": request.POST.getlist("_selected_action"),
        "across": request.POST.get("select_across", "0"),
        "bulk": f"act_{action.name}",
        "back": request.get_full_path(),
    }
    return ask(admin, request, action, workflow_of(admin.definition), form, **more)


def _perform_all(action: Action, admin: Any, request: HttpRequest, rows: models.QuerySet, comment: str) -> None:
    outcome = perform_all(rows, action, request.user, comment)
    done, skipped = outcome.done, outcome.skipped
    if done:
        state = workflow_of(admin.definition).label(action.target).lower()
        messages.success(request, f"{done} {admin.definition.noun(done)}: {state}.")
    if skipped:
        count, reasons = len(skipped), [_skipped(record, why) for record, why in skipped[:MAX_NAMED]]
        if count > MAX_NAMED:
            reasons.append(_("and %(count)s more") % {"count": count - MAX_NAMED})
        text = ngettext(
            "%(count)s was left as it is: %(reasons)s", "%(count)s were left as they are: %(reasons)s", count
        )
        messages.warning(request, text % {"count": count, "reasons": "; ".join(reasons)})


def _skipped(record: Any, why: str) -> str:
    """Name a record with its reason, which may name it already."""
    return why.rstrip(".") if why.startswith(str(record)) else f"{record}: {why.rstrip('.')}"
