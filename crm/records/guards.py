"""The guards of the kernel: what must hold of every intended write, each with its name in `gate.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.records import access
from crm.records.intended_write import Batch, IntendedWrite, Refusal, own_leaves
from crm.records.rules import NOT_ASKED_MESSAGE, READ_ONLY_MESSAGE, broken_rules, is_shown, locked_fields
from crm.records.soft_delete import DELETED_AT, DELETED_IN, is_deleted

VERBS = {
    "add": gettext_lazy("add"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
}


# Access


def refuse_records_of_others(batch: Batch) -> Iterator[Refusal]:
    """Refuse what the user may not do at all, or not with the record as it was; nobody saves what was deleted.

    Saving would bring a record back that was deleted since it was read, without what went along.
    """
    for write in batch.writes if not batch.way_in.is_restoring else ():
        is_gone = write.before is None or (is_deleted(write.before) and not is_deleted(write.record))
        if is_gone and not write.record._state.adding:
            yield Refusal(write, _("It was deleted meanwhile."))
    for write in batch.writes if batch.user is not None else ():
        verb = batch.verb_of(write)
        is_theirs = write.before is None or access.can_access_record(batch.user, write.before, verb)
        if not (is_theirs and access.has_perm(batch.user, verb, batch.model)):
            yield _refused_record(batch, write, verb)


def _refused_record(batch: Batch, write: IntendedWrite, verb: str) -> Refusal:
    """Say that the user may not do this at all, or not with this record."""
    words = _words(batch, verb)
    if not access.has_perm(batch.user, verb, batch.model):
        return Refusal(write, _("You may not %(verb)s %(rows)s.") % words, lacks=verb)
    return Refusal(write, _("This is not one of the %(rows)s that are yours to %(verb)s.") % words)


def refuse_removing_records_of_others(batch: Batch) -> Iterator[Refusal]:
    """Refuse to remove what the user may not delete.

    What users take back of what they added themselves must be theirs to change; to add, where they may change none.
    """
    if batch.user is None:
        return
    can_change = access.has_perm(batch.user, "change", batch.model)
    verb = ("change" if can_change else "add") if batch.way_in.is_taking_back else "delete"
    for write in batch.writes:
        if can_delete(batch.user, write.record) or access.has_perm(batch.user, verb, batch.model, write.record):
            continue
        yield _refused_record(batch, write, verb)


def can_delete(user: Any, record: Any) -> bool:
    return access.has_perm(user, "delete", type(record), record)


def refuse_giving_away(batch: Batch) -> Iterator[Refusal]:
    """Refuse what would lead out of the rows that the user may write; an action may lead out of them."""
    for write in batch.writes if batch.user is not None else ():
        if not write.unlocked and not access.can_access_record(batch.user, write.record, batch.verb_of(write)):
            text = _("With these values, it is not one of the %(rows)s that are yours to %(verb)s.")
            yield Refusal(write, text % _words(batch, batch.verb_of(write)))


def _words(batch: Batch, verb: str) -> dict[str, Any]:
    return {"verb": VERBS.get(verb, verb), "rows": batch.entity.plural.lower()}


def refuse_fields_of_others(batch: Batch) -> Iterator[Refusal]:
    """Refuse changes of fields that the user may not see, or not give a value to by this verb."""
    if batch.user is None:
        return
    asked: dict[str, set[str]] = {}
    for write in batch.writes:
        verb = write.verb
        if verb not in asked:
            asked[verb] = access.editable_fields(batch.user, batch.entity, verb)
        for name in sorted(write.changes - write.unlocked - asked[verb]):
            yield Refusal(write, _("is not yours to %(verb)s.") % {"verb": VERBS.get(verb, verb)}, name)


# What is closed


def refuse_locked_fields(batch: Batch) -> Iterator[Refusal]:
    """Refuse changes of fields that `read_only_if` closes: it is asked of the record as it was."""
    for write in batch.writes if batch.entity.rules.showing else ():
        if write.before is not None:
            for name in sorted((locked_fields(write.before) & write.changes) - write.unlocked):
                yield Refusal(write, READ_ONLY_MESSAGE, name)


def refuse_removing_locked_records(batch: Batch) -> Iterator[Refusal]:
    """Refuse to take back a record with a field that `read_only_if` closes; whoever may delete it may do so."""
    for write in batch.writes if batch.way_in.is_taking_back and batch.user is not None else ():
        if not can_delete(batch.user, write.record):
            for name in sorted(locked_fields(write.record)):
                yield Refusal(write, READ_ONLY_MESSAGE, name)


def refuse_states_by_hand(batch: Batch) -> Iterator[Refusal]:
    """Refuse changes of guarded fields, such as a state: only an action changes them once a record is there."""
    for write in batch.writes if batch.entity.guarded else ():
        if write.before is not None:
            for name in sorted((batch.entity.guarded & write.changes) - write.unlocked):
                yield Refusal(write, READ_ONLY_MESSAGE, name)


def refuse_unasked_values(batch: Batch) -> Iterator[Refusal]:
    """Refuse a file's values of fields that are not asked for (`visible_if`); other ways in keep what was there."""
    for write in batch.writes if batch.way_in.is_from_file else ():
        for name, showing in batch.entity.rules.showing.items():
            if name in write.changes and not is_shown(write.record, showing):
                yield Refusal(write, NOT_ASKED_MESSAGE, name)


# Values


def refuse_values_beyond_limits(batch: Batch) -> Iterator[Refusal]:
    """Refuse new values that their fields do not take: limits, choices, what is required, how a thing is written."""
    leaves = own_leaves(batch.entity)
    columns = {one.name for one in batch.model._meta.concrete_fields} - {DELETED_AT, DELETED_IN}
    links = [leaf.name for leaf in leaves if leaf.type.reference(leaf) is not None]
    others = columns - {leaf.name for leaf in leaves} | set(links)
    for write in batch.writes if not batch.way_in.is_from_file else ():
        asked = (columns if write.appears else write.changes) - write.skipped
        try:
            write.record.clean_fields(exclude=(columns - asked) | others)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                yield from (Refusal(write, text, name) for text in messages)
        for name in (one for one in links if one in asked):
            column = batch.model._meta.get_field(name)
            if _leads_nowhere(write.record, column) and not column.null:
                yield Refusal(write, str(column.error_messages["null"]), name)


def _leads_nowhere(record: Any, column: Any) -> bool:
    """Say whether a link has no target; one to a record that is saved along with this one has."""
    waiting = column.is_cached(record) and column.get_cached_value(record) is not None
    return getattr(record, column.attname) is None and not waiting


def refuse_broken_rules(batch: Batch) -> Iterator[Refusal]:
    """Refuse what a rule says no to that reads no other records than those linked to; the others hold after it."""
    for write in batch.writes:
        for rule, message in broken_rules(write.record):
            yield Refusal(write, message, rule.field)
