"""The workflow on an entity's help page: a drawing of its states, and a table that says the same."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from crm.capabilities.workflow.compiler import Action, Workflow, workflow_of
from crm.capabilities.workflow.diagram import draw
from crm.capabilities.workflow.steps_panel import label
from crm.capabilities.workflow.transitions import roles_in_words
from crm.records import access


def states_help(admin: Any, request: HttpRequest) -> str:
    """Show the states and the actions that lead from one to another."""
    workflow = workflow_of(admin.definition)
    if not access.can_view_field(request.user, workflow.field):
        return ""
    rows = [_row(workflow, one, admin.definition.business) for one in workflow.actions.values()]
    context = {
        "entity": admin.definition,
        "field": workflow.field,
        "start": label(workflow, workflow.start),
        "drawing": draw(workflow),
        "rows": rows,
    }
    return render_to_string("workflow/help.html", context, request)


def _row(workflow: Workflow, action: Action, business: Any) -> dict[str, Any]:
    conditions = []
    if action.require:
        fields = ", ".join(field.label for field in action.require)
        conditions.append(_("Filled: %(fields)s.") % {"fields": fields})
    if action.condition is not None:
        conditions.append(action.condition.source)
    if action.comment:
        is_required = action.comment == "required"
        conditions.append(_("A comment.") if is_required else _("A comment, if there is something to say."))
    return {
        "label": action.label,
        "sources": [label(workflow, one) for one in action.sources],
        "target": label(workflow, action.target),
        "roles": roles_in_words(action, business) if action.roles else _("Whoever may change it"),
        "conditions": conditions,
    }
