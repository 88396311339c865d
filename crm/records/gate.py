"""The gate: the one function that every write of a user passes, whichever way in it takes; another for what goes.

A way in makes an `IntendedWrite` of each record that it is about to write, and hands all of one model to
`check_writes`. That asks every guard, and returns what each says. Guards and ways in are known by name, in one place
each; capabilities add theirs through their contract. A way out hands everything that would disappear, with what goes
along, to `check_removals`. `tests/contracts/test_gate.py` holds every way in and out against every guard, and fails for
one that it does not know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from crm.kernel.contributions import ConflictError
from crm.kernel.guard import Guard, WayIn, WayOut
from crm.records import guards, link_guards, row_limits, rules, uniqueness
from crm.records.access import current_viewer, joins_of
from crm.records.intended_write import CODE, Batch, IntendedWrite, Refusal
from crm.records.rules import hidden_fields, reset_hidden_fields
from crm.records.stored import as_stored, read_along

GUARDS: dict[str, Guard] = {}
"""Every guard by name, in the order in which they are asked."""
WAYS_IN: dict[str, WayIn] = {}
"""Every way in by name."""
WAYS_OUT: dict[str, WayOut] = {}
"""Every way out by name."""
DELETION, ROWS_OFF = "deletion", "rows"
"""The ways out of the builders."""
_origins: dict[tuple[str, str], str] = {}


def register(contribution: Guard | WayIn | WayOut, origin: str) -> None:
    """Make a guard, a way in or a way out known. Raises ConflictError where another origin has its name."""
    known: dict[str, Any] = {Guard: GUARDS, WayIn: WAYS_IN, WayOut: WAYS_OUT}[type(contribution)]
    first = _origins.setdefault((type(contribution).__name__, contribution.name), origin)
    if first != origin:
        raise ConflictError(
            f"two {type(contribution).__name__.lower()}s are called {contribution.name!r}: of {first} and of {origin}"
        )
    known[contribution.name] = contribution


for _guard in (
    Guard(
        "record as it was",
        "A user writes the records alone that are theirs to write.",
        guards.refuse_records_of_others,
        closes=True,
        removal=guards.refuse_removing_records_of_others,
    ),
    Guard("record as it will be", "No user writes a record out of, or into, other rows.", guards.refuse_giving_away),
    Guard("fields", "A user changes no field that is not theirs.", guards.refuse_fields_of_others),
    Guard(
        "locked",
        "What `read_only_if` closes stays as it is.",
        guards.refuse_locked_fields,
        removal=guards.refuse_removing_locked_records,
    ),
    Guard("state", "A state is changed by its actions alone.", guards.refuse_states_by_hand),
    Guard("not asked for", "A file gives no value to a hidden input.", guards.refuse_unasked_values),
    Guard("links", "A new link leads to a record that the user sees.", link_guards.refuse_hidden_targets),
    Guard("uploads", "A file's name is that of an upload that the user sees.", link_guards.refuse_hidden_uploads),
    Guard("limits", "A value is one that its field takes.", guards.refuse_values_beyond_limits),
    Guard("rules", "Every rule holds.", guards.refuse_broken_rules, rules.check_rules),
    Guard("uniqueness", "A unique value belongs to one record.", uniqueness.refuse_taken_values),
    Guard(
        "row limits",
        "A parent has as many rows as it allows.",
        row_limits.refuse_rows_beyond_limits,
        row_limits.check_row_limits,
    ),
):
    register(_guard, "engine")

for _way_in in (
    WayIn("form", "The form of a record.", has_rows_in_form=True),
    WayIn("quick form", "The short form of a record, in a window beside a link."),
    WayIn("rows", "Rows in the form of their parent.", is_row_in_form=True),
    WayIn("bulk edit", "One value for the ticked rows of a list."),
    WayIn(CODE, "Jobs, the shell and extensions: `full_clean()` and `save_as()`."),
):
    register(_way_in, "engine")

for _way_out in (
    WayOut(DELETION, "A record or the ticked rows of a list, deleted."),
    WayOut(ROWS_OFF, "Rows that the form of their parent takes off."),
):
    register(_way_out, "engine")


def check_writes(writes: Sequence[IntendedWrite]) -> list[Refusal]:
    """Return everything that stands against writes of one model, by one user and one way in.

    What would change nothing is not asked about. Fields that are not asked for (`visible_if`) are put back as they were
    in the records at hand. The number of queries does not grow with the writes, but by one a guard for each 500.
    """
    _check_are_alike(writes)
    for write in writes:
        way_in = WAYS_IN[write.way_in]
        if not (way_in.is_from_file or way_in.is_restoring):
            reset_hidden_fields(write.record, write.before)
            write.leave_links(hidden_fields(write.record))
    batch = Batch([write for write in writes if not write.is_idle], WAYS_IN[writes[0].way_in]) if writes else None
    refusals: list[Refusal] = []
    if batch and batch.writes:
        read_along(batch)
    for guard in GUARDS.values() if batch else ():
        if guard.before is not None and batch.writes:
            said = [replace(one, guard=guard.name) for one in guard.before(batch)]
            refusals += said
            batch = batch.without(said) if guard.closes else batch
    return refusals


def check_removals(going: Mapping[type[models.Model], Collection[Any]], user: Any, way_out: str) -> list[Refusal]:
    """Return everything that stands against the removal of records, by one user and one way out.

    `going` holds all that would go, model → primary keys: what is deleted, and what a cascade takes along (see
    `collect_deletion`). Within a transaction, all of it is locked until that ends.
    """
    if way_out not in WAYS_OUT:
        raise LookupError(f"there is no way out {way_out!r}; known: {', '.join(sorted(WAYS_OUT))}")
    refusals: list[Refusal] = []
    for model, keys in going.items():
        joins = joins_of(user, model.definition, "delete")  # type: ignore[attr-defined]
        records = as_stored(model, keys, user, joins).values()
        batch = Batch([IntendedWrite(record, record, user, way_out) for record in records], WAYS_OUT[way_out])
        for guard in GUARDS.values():
            if guard.removal is not None and batch.writes:
                said = [replace(refusal, guard=guard.name) for refusal in guard.removal(batch)]
                refusals += said
                batch = batch.without(said) if guard.closes else batch
    return refusals


def _check_are_alike(writes: Sequence[IntendedWrite]) -> None:
    kinds = {(type(write.record), getattr(write.user, "pk", None), write.way_in) for write in writes}
    if len(kinds) > 1:
        raise ValueError(f"one batch is of one model, one user and one way in, not of {kinds}")
    for _model, _user, name in kinds:
        if name not in WAYS_IN:
            raise LookupError(f"there is no way in {name!r}; known: {', '.join(sorted(WAYS_IN))}")


def check_written(model: type[models.Model], keys: Collection[Any], columns: Collection[str] | None = None) -> None:
    """Hold what was written against the guards that ask the database itself. Raises RuleBroken.

    That is asked of whatever is written, whoever does it and past the gate too: by `save()`, in bulk, by computing.
    """
    for guard in GUARDS.values() if keys else ():
        if guard.after is not None:
            guard.after(model, keys, columns)


def check_each(
    writes: Sequence[IntendedWrite],
) -> tuple[list[IntendedWrite], list[tuple[IntendedWrite, list[Refusal]]]]:
    """Sort writes of one model, by one user and one way in: those that may be done, and the refused ones.

    What would change nothing is in neither.
    """
    said: dict[int, list[Refusal]] = {}
    for refusal in check_writes(writes):
        said.setdefault(id(refusal.write), []).append(refusal)
    refused = [(write, said[id(write)]) for write in writes if id(write) in said]
    return [write for write in writes if id(write) not in said and not write.is_idle], refused


def error_of(refusals: Iterable[Refusal]) -> ValidationError:
    """Return what is said of a single write as a ValidationError, by field."""
    messages: dict[str, list[str]] = {}
    for refusal in refusals:
        messages.setdefault(refusal.field or NON_FIELD_ERRORS, []).append(refusal.message)
    return ValidationError(messages)


def raise_refusals(refusals: Iterable[Refusal]) -> None:
    """Raise ValidationError with what is said of a single write, by field, if anything is."""
    said = list(refusals)
    if said:
        raise error_of(said)


def raise_all(refusals: Iterable[Refusal]) -> None:
    """Raise ValidationError with what is said of several writes, each by its record, if anything is."""
    messages = []
    for refusal in refusals:
        leaf = refusal.write.record.definition.find(refusal.field) if refusal.field else None
        about = refusal.write.record if refusal.write.before is None else refusal.write.before
        messages.append(f"{about}: {f'{leaf.label}: ' if leaf else ''}{refusal.message}")
    if messages:
        raise ValidationError(list(dict.fromkeys(messages)))


def check_record(record: Any, way_in: str = CODE, user: Any = None, **more: Any) -> None:
    """Hold one record against the guards, by a way in. Raises ValidationError with everything, by field."""
    adds = record.pk is None or record._state.adding
    before = None if adds else as_stored(type(record), [record.pk], user).get(record.pk)
    raise_refusals(check_writes([IntendedWrite(record, before, user or current_viewer(), way_in, **more)]))
