"""Performs transitions of the state machine: permission, conditions, the write and its record, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.blueprint.names import humanize
from crm.blueprint.nodes import Field
from crm.capabilities.workflow.compiler import NAME, Action, Workflow, workflow_of
from crm.capabilities.workflow.models import Transition
from crm.expressions.evaluate import EvalContext, evaluate, holds
from crm.kernel import actions
from crm.records import access
from crm.records.changes import Change, change_scope
from crm.records.computed import coerce_to_column
from crm.records.display import field_value, is_empty, render_template
from crm.records.gate import check_writes, raise_refusals
from crm.records.intended_write import IntendedWrite, as_before
from crm.records.locks import select_for_write
from crm.records.record import Record
from crm.records.rules import RuleBroken

STEP = "step"
"""The way in of actions."""


class TransitionNotAllowed(ValidationError):
    """An action was not done, and nothing was changed; the message is what whoever wanted it reads."""


def perform(record: Record, name: str, user: Any = None, comment: str = "") -> Record:
    """Do an action with a record, and return the record as it is then; without a user, the system does it.

    Raises TransitionNotAllowed, with nothing changed, where it is not possible, and LookupError for an unknown action.
    """
    workflow = workflow_of(record.definition)
    if workflow is None or name not in workflow.actions:
        raise LookupError(f"{record.definition.label!r} has no action {name!r}")
    action, comment = workflow.actions[name], comment.strip()
    reason = f"{action.label}: {comment}" if comment else action.label
    try:
        with transaction.atomic(), change_scope(user, reason, NAME) as change:
            return _perform(_locked(record), workflow, action, comment, change)
    except TransitionNotAllowed:
        raise
    except ValidationError as error:
        raise TransitionNotAllowed(sentence_of(error, record, workflow)) from None


def _locked(record: Record) -> Record:
    """Read the record anew, and let everybody else wait who wants to do something with it."""
    stored = select_for_write(type(record)._base_manager.filter(pk=record.pk)).first()
    if stored is None:
        raise TransitionNotAllowed(_("%(record)s is not there any more.") % {"record": record})
    return stored


def _perform(record: Record, workflow: Workflow, action: Action, comment: str, change: Change) -> Record:
    user, source = change.user, getattr(record, workflow.field.name)
    why = not_allowed(record, action, user) or wrong_state(record, workflow, action)
    if not why and action.comment == "required" and not comment:
        why = lacks_comment(action)
    why = why or unmet_condition(record, action, user)
    if why:
        raise TransitionNotAllowed(why)
    _change(record, workflow, action, user)
    transition_of(ContentType.objects.get_for_model(record), record, source, action, comment, change).save()
    for name, parameters in action.then:
        actions.run(name, record=record, user=user, **parameters)
    return record


def transition_of(
    kind: ContentType, record: Record, source: str, action: Action, comment: str, change: Change
) -> Transition:
    """Return the step of a record as it is kept, unsaved."""
    return Transition(
        content_type=kind,
        object_id=record.pk,
        action=action.name,
        source=source,
        target=action.target,
        user=change.user,
        user_name=name_of(change.user),
        at=timezone.now(),
        comment=comment,
        change=change.id,
    )


def _change(record: Record, workflow: Workflow, action: Action, user: Any) -> None:
    raise_refusals(check_writes([intended_step(record, workflow, action, user)]))
    record.save()


def intended_step(record: Record, workflow: Workflow, action: Action, user: Any) -> IntendedWrite:
    """Give a record at hand what an action changes, and return that as a write for the gate."""
    before, scope = as_before(record), EvalContext(record, user)
    values = {leaf: coerce_to_column(evaluate(expression, scope), leaf) for leaf, expression in action.sets}
    for leaf, value in values.items():
        column = record._meta.get_field(leaf.name)
        empty = None if leaf.type.nullable(leaf) else leaf.type.empty(leaf)
        name = leaf.name if isinstance(value, models.Model) or value is None else column.attname
        setattr(record, name, empty if value is None else value)
    setattr(record, workflow.field.name, action.target)
    names = {workflow.field.name, *(leaf.name for leaf in values)}
    return IntendedWrite(record, before, user, STEP, unlocked=frozenset(names))


def name_of(user: Any) -> str:
    return (user.get_full_name() or user.get_username()) if user is not None else ""


# Why not


def allows(action: Action, user: Any, business: Any) -> bool:
    """Say whether the action is for a user's roles."""
    if user is None or action.roles is None or user.is_superuser:
        return True
    return bool(access.roles_of(user, business) & set(action.roles))


def not_allowed(record: Record, action: Action, user: Any) -> str:
    """Say why the action is not for this user; nothing where it is."""
    entity = record.definition
    if user is not None and not access.has_perm(user, "change", type(record), record):
        return _("You may not change %(record)s.") % {"record": record}
    if not allows(action, user, entity.business):
        words = {"action": action.label, "roles": roles_in_words(action, entity.business)}
        return _("“%(action)s” is for the roles %(roles)s.") % words
    return ""


def lacks_comment(action: Action) -> str:
    """Say that the action asks for a comment."""
    return _("%(action)s: say why in the comment.") % {"action": action.label}


def roles_in_words(action: Action, business: Any) -> str:
    return ", ".join(business.roles[role].label or humanize(role) for role in action.roles or ())


def wrong_state(record: Record, workflow: Workflow, action: Action) -> str:
    """Say why the action does not start from the record's state; nothing where it does."""
    state = getattr(record, workflow.field.name)
    if state in action.sources:
        return ""
    words = {"record": record, "state": workflow.label(state).lower(), "action": action.label}
    if state == action.target:
        return _("%(record)s is already %(state)s.") % words
    return _("%(record)s is %(state)s: “%(action)s” is not possible from there.") % words


def unmet_condition(
    record: Record,
    action: Action,
    user: Any,
    links: Mapping[str, Collection[Any]] | None = None,
    tables: Collection[Field] | None = None,
    is_unmet: bool | None = None,
) -> str:
    """Say why the action is not possible with the record as it is; nothing where it is.

    Of a record that is not saved yet, `links` holds the targets of its many-to-many fields. Of a batch, it is known
    already which required `tables` have no rows, and whether the condition does not hold.
    """
    known = tables is not None
    missing = [
        field.label
        for field in action.require
        if (field in tables if known and field.type.rows else _is_missing(record, field, links or {}))
    ]
    if missing:
        return _("Fill in first: %(fields)s.") % {"fields": ", ".join(missing)}
    if is_unmet is None:
        is_unmet = action.condition is not None and not holds(action.condition, EvalContext(record, user))
    if is_unmet:
        return render_template(action.otherwise, record)
    return ""


def _is_missing(record: Record, field: Field, links: Mapping[str, Collection[Any]]) -> bool:
    """Say whether a field has nothing in it, be it a value, records that it links to, or rows."""
    if field.type.many and record.pk is None:
        return not links.get(field.name)
    if not field.type.rows:
        return is_empty(field_value(record, field))
    child = apps.get_model(field.business.label, field.target.class_name)
    return not child._default_manager.filter(**{field.entity.name: record.pk}).exists()


def sentence_of(error: ValidationError, record: Record, workflow: Workflow) -> str:
    """Return what is wrong in one line; each message beside the label of the field that it is about."""
    about = isinstance(error, RuleBroken) and error.record
    if about and (type(about), about.pk) != (type(record), record.pk):
        return f"{about}: {' '.join(error.messages)}"
    told = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    if about:
        told = {error.field or NON_FIELD_ERRORS: error.messages}
    texts = []
    for name, messages in told.items():
        leaf = record.definition.find(name) if name not in (NON_FIELD_ERRORS, workflow.field.name) else None
        texts += [f"{leaf.label}: {text}" if leaf else text for text in messages]
    return " ".join(texts)
