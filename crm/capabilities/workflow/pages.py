"""An action on a record's page: done at once, or asked about on a page of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextareaWidget

from crm.capabilities.workflow.compiler import Action, Workflow, workflow_of
from crm.capabilities.workflow.transitions import (
    TransitionNotAllowed,
    not_allowed,
    perform,
    unmet_condition,
    wrong_state,
)
from crm.records.changes import MAX_REASON
from crm.records.display import render_template


def comment_form(action: Action, data: Any = None) -> forms.Form | None:
    """Return the form that asks for a comment, or None where the action has none."""
    if not action.comment:
        return None
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    comment = forms.CharField(
        required=action.comment == "required",
        max_length=MAX_REASON,
        widget=widget,
        help_text=_("Kept with the step, and in the history."),
    )
    return type("CommentForm", (forms.Form,), {"comment": comment})(data)


def act_page(admin: Any, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
    """Do an action with a record when it is posted; before that, ask what there is to ask."""
    record, workflow = admin.get_object(request, unquote(object_id)), workflow_of(admin.definition)
    if record is None or action not in workflow.actions:
        raise Http404
    wanted = workflow.actions[action]
    form = comment_form(wanted, request.POST if request.method == "POST" else None)
    if request.method == "POST" and (form is None or form.is_valid()):
        return _act(admin, request, record, wanted, form.cleaned_data["comment"] if form else "")
    why = not_allowed(record, wanted, request.user) or wrong_state(record, workflow, wanted)
    why = why or unmet_condition(record, wanted, request.user)
    if why:
        messages.error(request, why)
        return HttpResponseRedirect(admin.url("change", record.pk))
    return ask(admin, request, wanted, workflow, form, record=record, back=admin.url("change", record.pk))


def _act(admin: Any, request: HttpRequest, record: Any, action: Action, comment: str) -> HttpResponse:
    try:
        done = perform(record, action.name, request.user, comment)
    except TransitionNotAllowed as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, f"{done}: {workflow_of(done.definition).label(action.target).lower()}.")
    return HttpResponseRedirect(admin.url("change", record.pk))


def ask(
    admin: Any,
    request: HttpRequest,
    action: Action,
    workflow: Workflow,
    form: forms.Form | None,
    record: Any = None,
    **more: Any,
) -> HttpResponse:
    """Show the page that asks before an action."""
    context = {
        **admin.admin_site.each_context(request),
        "title": f"{action.label}: {record}" if record else action.label,
        "opts": admin.opts,
        "original": record,
        "action": action,
        "question": render_template(action.question, record) if action.question and record else "",
        "target": workflow.label(action.target),
        "form": form,
        **more,
    }
    return TemplateResponse(request, "workflow/ask.html", context)
