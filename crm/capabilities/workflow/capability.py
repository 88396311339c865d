"""What workflow adds to the entities that have one."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.blueprint.language import Report
from crm.blueprint.nodes import Business, Entity
from crm.capabilities.workflow.beginning import BEGINNING
from crm.capabilities.workflow.bulk_action import perform_selected
from crm.capabilities.workflow.compiler import NAME, Action, Workflow, read_workflow, workflow_of
from crm.capabilities.workflow.help import states_help
from crm.capabilities.workflow.models import Transition
from crm.capabilities.workflow.pages import act_page
from crm.capabilities.workflow.section import WorkflowSection
from crm.capabilities.workflow.steps_panel import steps_panel
from crm.capabilities.workflow.transitions import STEP, allows, not_allowed, unmet_condition
from crm.kernel.capability import BulkAction, Button, Capability, Page, Panel
from crm.kernel.contributions import Contributions, Kind
from crm.kernel.guard import WayIn


class WorkflowCapability(Capability):
    name = NAME
    summary = "States that only named actions change, each with its roles, conditions and comment, and who did it when."
    Section = WorkflowSection
    panels = {"steps": "Steps"}
    ways_in = (WayIn(STEP, "An action that changes a record's state, and what else it sets."),)
    guards = (BEGINNING,)

    def check(self, entity: Entity, section: Any, report: Report) -> None:
        read_workflow(entity, section, report)

    def contribute_to_admin(self, entity: Entity, contributions: Contributions) -> None:
        workflow = workflow_of(entity)
        if workflow is None:
            return
        state, origin = workflow.field.name, entity.origin(self.name, "field")
        contributions.add(Kind.GUARDED_BY, self.name, f"{len(workflow.actions)} actions", origin, state)
        contributions.add(Kind.PAGE, "act", Page("<path:object_id>/act/<str:action>/", act_page, "change"), self.name)
        contributions.add(Kind.PANEL, "steps", Panel(_("Steps"), steps_panel, fields=(workflow.field,)), self.name)
        contributions.add(Kind.HELP, "states", states_help, self.name)
        for action in workflow.actions.values():
            self._plan_action(entity, contributions, workflow, action)

    def _plan_action(self, entity: Entity, contributions: Contributions, workflow: Workflow, action: Action) -> None:
        name, origin = f"act_{action.name}", entity.origin(self.name, "actions", action.name)
        asked = {"words": (action.name,), "post": not action.is_asked}
        button = Button(
            action.label, action.icon, "act", "change", state=partial(button_state, workflow, action), **asked
        )
        contributions.add(Kind.RECORD_BUTTON, name, button, origin, workflow.field.name)
        allowed = partial(may_do, entity.business, action)
        bulk = BulkAction(f"{action.label} (selected rows)", partial(perform_selected, action), "change", allowed)
        contributions.add(Kind.BULK_ACTION, name, bulk, origin, workflow.field.name)


def button_state(workflow: Workflow, action: Action, record: models.Model, user: Any) -> str | None:
    """Return None to hide the button, "" to enable it, or the reason why it is disabled."""
    if getattr(record, workflow.field.name) not in action.sources or not_allowed(record, action, user):
        return None
    return unmet_condition(record, action, user)


def may_do(business: Business, action: Action, user: Any) -> bool:
    """Say whether the action on ticked rows is for a user's roles."""
    return allows(action, user, business)


__all__ = ["Transition", "WorkflowCapability"]
