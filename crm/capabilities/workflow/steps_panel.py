"""The panel of steps: how a record came to the state that it is in, and how long it stood in each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from crm.builders.cells import badge
from crm.capabilities.workflow.compiler import Workflow, workflow_of
from crm.capabilities.workflow.models import Transition, steps_of
from crm.capabilities.workflow.transitions import name_of, not_allowed, unmet_condition

UNITS = (
    (ngettext_lazy("%d day", "%d days"), 86400),
    (ngettext_lazy("%d hour", "%d hours"), 3600),
    (ngettext_lazy("%d minute", "%d minutes"), 60),
)
"""The units of a time with their seconds, the largest first."""


@dataclass
class Step:
    """A step as people read it."""

    source: SafeString
    target: SafeString
    action: str
    user: str
    at: datetime
    comment: str
    stood: str


def steps_panel(admin: Any, request: HttpRequest, record: models.Model) -> str:
    """Show the steps of a record, the newest first, and what may be done next."""
    workflow, now = workflow_of(record.definition), timezone.now()
    transitions = list(steps_of(record).select_related("user"))
    began = [record.created, *(one.at for one in transitions)]
    steps = [_step(workflow, one, one.at - before) for one, before in zip(transitions, began, strict=False)]
    context = {
        "steps": steps[::-1],
        "state": label(workflow, getattr(record, workflow.field.name)),
        "since": began[-1],
        "stands": in_words(now - began[-1]),
        "next": list(_next(workflow, record, request.user)),
    }
    return render_to_string("workflow/steps.html", context, request)


def _next(workflow: Workflow, record: models.Model, user: Any) -> Any:
    state = getattr(record, workflow.field.name)
    for action in workflow.actions.values():
        if state in action.sources and not not_allowed(record, action, user):
            yield action.label, label(workflow, action.target), unmet_condition(record, action, user)


def _step(workflow: Workflow, transition: Transition, stood: timedelta) -> Step:
    action = workflow.actions.get(transition.action)
    return Step(
        source=label(workflow, transition.source),
        target=label(workflow, transition.target),
        action=action.label if action else transition.action,
        user=name_of(transition.user) or transition.user_name,
        at=transition.at,
        comment=transition.comment,
        stood=in_words(stood),
    )


def label(workflow: Workflow, state: str) -> SafeString:
    """Return a state as a coloured label."""
    badges = workflow.field.type.badges(state, workflow.field) if state else []
    return badge(*badges[0]) if badges else badge(workflow.label(state), "gray")


def in_words(time: timedelta) -> str:
    """Return a time in the largest two units that fit: `3 days 4 hours`."""
    left, words = max(0, int(time.total_seconds())), []
    for unit, seconds in UNITS:
        count, left = divmod(left, seconds)
        if count:
            words.append(unit % count)
    return " ".join(words[:2]) or _("less than a minute")
