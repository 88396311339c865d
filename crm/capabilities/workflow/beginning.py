"""The guard of beginnings: a new record begins in the first state, or where the steps from there would let it go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from crm.capabilities.workflow.compiler import Action, Workflow, workflow_of
from crm.capabilities.workflow.transitions import allows, unmet_condition
from crm.kernel.guard import Guard
from crm.records.computed import compute, set_generated_values
from crm.records.dependencies import computing_order
from crm.records.intended_write import Batch, IntendedWrite, Refusal, as_before


def refuse_states_out_of_reach(batch: Batch) -> Iterator[Refusal]:
    """Refuse that a user's new record begins in a state which no row of steps leads to, with what the record holds.

    The system begins records in any state: so an owner brings in what another program has led.
    """
    workflow, user = workflow_of(batch.entity), batch.writes[0].user
    if workflow is None or user is None:
        return
    name = workflow.field.name
    for write in batch.writes:
        if write.before is None and name not in write.unlocked:
            why = _why_not(write, workflow, getattr(write.record, name))
            if why:
                yield Refusal(write, why, name)


def _why_not(write: IntendedWrite, workflow: Workflow, state: str) -> str:
    """Say why a record cannot begin in a state; nothing where it can."""
    start = workflow.start
    if state == start:
        return ""
    words = {"state": workflow.label(state).lower(), "start": workflow.label(start).lower()}
    text = _("You may not begin as %(state)s: a new record is %(start)s, and goes on by its actions.") % words
    leading, business = _leading(workflow, state), write.record.definition.business
    if not leading or not all(allows(one, write.user, business) for one in leading):
        return text
    reason = _Way(write, workflow).blocked_at(state)
    return "" if reason is None else f"{text} {reason}".strip()


def _leading(workflow: Workflow, state: str) -> list[Action]:
    return [one for one in workflow.actions.values() if one.target == state]


class _Way:
    """Looks for steps that lead from the first state to another, each of them possible with what a record holds."""

    def __init__(self, write: IntendedWrite, workflow: Workflow):
        self.write, self.workflow = write, workflow
        self.start = workflow.start
        self.draft: Any = as_before(write.record)
        for leaf in computing_order(self.draft.definition):
            if leaf.stored:
                setattr(self.draft, leaf.name, compute(self.draft, leaf))

    def blocked_at(self, state: str, seen: frozenset[str] = frozenset()) -> str | None:
        """Return why no row of steps leads to a state; None where one does."""
        if state == self.start:
            return None
        reasons = []
        for action in _leading(self.workflow, state):
            for source in (one for one in action.sources if one not in seen and one != state):
                reason = self._blocked(action, source)
                if reason is None:
                    reason = self.blocked_at(source, seen | {state})
                if reason is None:
                    return None
                reasons.append(reason)
        return next(filter(None, reasons), "")

    def _blocked(self, action: Action, source: str) -> str | None:
        """Return why the step is not possible for a record in a state; None where it is."""
        if not allows(action, self.write.user, self.draft.definition.business):
            return ""
        setattr(self.draft, self.workflow.field.name, source)
        set_generated_values(self.draft)
        why = unmet_condition(self.draft, action, self.write.user, self.write.links)
        return f"{action.label}: {why}" if why else None


BEGINNING = Guard(
    "initial state", "A new record begins where the steps of its workflow would let it go.", refuse_states_out_of_reach
)
