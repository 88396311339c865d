"""The plan: everything between the definitions as they are written and those in force, in words and in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from textwrap import wrap
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Business
from crm.blueprint.problems import Place
from crm.business import Location
from crm.release.batched import BatchedMigration
from crm.release.choice_changes import choice_steps
from crm.release.differences import (
    Comparison,
    Difference,
    Missing,
    OtherDefinitions,
    UnfinishedRelease,
    release_differences,
    unknown_migrations,
)
from crm.release.migration_files import (
    engine_migration,
    leaves_of,
    load_migrations,
    merge_name,
    migration_name,
    next_number,
    state_of,
)
from crm.release.operations_to_steps import build_steps
from crm.release.picker_warnings import picker_warnings
from crm.release.plan_context import PlanContext
from crm.release.releases import LastRelease, last_release
from crm.release.renames import rename_steps
from crm.release.roles import role_steps
from crm.release.rule_violations import RuleCheck, can_be_counted, describe_violations, new_rules
from crm.release.snapshot import Snapshot, business_in_force, snapshot_in_force, take_snapshot
from crm.release.states import detect, wanted_state
from crm.release.steps import BACKFILL, CONVERTS, LOSES, REFUSED, SAFE, Step, format_value, pluralize
from crm.release.tables import Table, claimed_tables, read_tables

SIGNS = {SAFE: "+", BACKFILL: "~", CONVERTS: "~", LOSES: "!", REFUSED: "x"}
RISKS = {SAFE: "safe", BACKFILL: "filling rows", CONVERTS: "converting", LOSES: "losing data", REFUSED: "refused"}
"""The risks as the last line of a plan counts them."""


@dataclass
class ReleasePlan:
    """What applying would do. `pending` are migrations of the folder that this database has not run."""

    business: Business
    snapshot: Snapshot
    name: str
    previous: list[str]
    """The migrations that the plan's own builds on."""
    steps: list[Step] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    merges: list[str] = field(default_factory=list)
    """The newest migrations of several branches, where these were merged and are still to be brought together."""
    differences: list[Difference] = field(default_factory=list)
    """What the database is, against what the files say."""
    rules: list[str] = field(default_factory=list)
    """What the records there say to the rules that are new or changed."""
    rules_to_count: list[RuleCheck] = field(default_factory=list)
    """The rules that can be counted only when the plan is carried out."""
    release: LastRelease | None = None
    """The newest release that the database notes."""
    state: ProjectState = field(default_factory=ProjectState)
    """What the migrations that the database has run claim, with their tables."""
    claimed: dict[str, Table] = field(default_factory=dict)

    @property
    def operations(self) -> list[Any]:
        first = [one for step in self.steps for one in step.pre_operations]
        own = [one for step in self.steps for one in step.operations]
        return [*first, *own, *(one for step in self.steps for one in step.history_operations)]

    @property
    def lags(self) -> bool:
        """Whether the database has not run all migrations of the business, so that its rows cannot be looked at."""
        return any(name.startswith(f"{self.business.label}.") for name in self.pending)

    @property
    def missing(self) -> list[Missing]:
        """What the database has lost, and apply can add."""
        return [one for one in self.differences if isinstance(one, Missing) and one.is_settled_by_apply]

    @property
    def sees_rows(self) -> bool:
        """Whether the tables are as the migrations of the files claim, so that their rows can be asked."""
        return not self.lags and not any(isinstance(one, Missing) for one in self.differences)

    @property
    def is_empty(self) -> bool:
        """Whether applying would do nothing. The database may differ all the same."""
        settled = any(difference.is_settled_by_apply for difference in self.differences)
        return not (self.steps or self.edits or self.pending or self.merges or settled)

    @property
    def is_only_unfinished(self) -> bool:
        """Whether all that is left is the rest of a release that was not finished."""
        settled = [difference for difference in self.differences if difference.is_settled_by_apply]
        rest = self.steps or self.edits or self.pending or self.merges
        return not rest and bool(settled) and all(isinstance(one, UnfinishedRelease) for one in settled)

    def with_risk(self, risk: str) -> list[Step]:
        return [step for step in self.steps if step.risk == risk]

    def migration(self) -> BatchedMigration:
        """Return the migration that the steps make, as it is written to the business's folder."""
        made = type("Migration", (BatchedMigration,), {})(self.name, self.business.label)
        made.operations = self.operations
        made.dependencies = [(self.business.label, name) for name in self.previous]
        made.dependencies.append(engine_migration(MigrationLoader(None)))
        made.initial = not self.previous or None
        return made


def make_plan(business: Business, location: Location) -> ReleasePlan:
    """Compare the definitions with what is in force, and with what the database has."""
    label = business.label
    executor = load_migrations(location)
    loader = executor.loader
    snapshot, applied = take_snapshot(business), snapshot_in_force(location)
    before = business_in_force(applied, location, releasing=True)
    plan = _begin(business, snapshot, loader)
    plan.pending = [
        f"{one.app_label}.{one.name}" for one, _backwards in executor.migration_plan(loader.graph.leaf_nodes())
    ]
    plan.edits = list(_edits(applied, snapshot, business))

    now = state_of(loader, label)
    state = now.clone()
    plan.steps, renames = rename_steps(business, state)
    wanted = wanted_state(business, state)
    plan.state = state_of(loader, label, applied=True) if plan.lags else now
    _compare(plan, loader, applied, wanted)
    context = PlanContext(before, business, now, wanted, renames, f"{label}.{plan.name}", counts=plan.sees_rows)
    plan.steps += [*build_steps(detect(state, wanted, label), context), *choice_steps(context)]

    _check_new_rules(plan, context)
    if not plan.pending:
        plan.steps += role_steps(business, before, edited=not plan.is_empty)
    return plan


def _begin(business: Business, snapshot: Snapshot, loader: MigrationLoader) -> ReleasePlan:
    """Return the plan with nothing but its name, and what it builds on."""
    label = business.label
    names = [name for app, name in loader.disk_migrations if app == label]
    leaves = leaves_of(loader, label)
    merges = leaves if len(leaves) > 1 else []
    previous = [merge_name(merges)] if merges else leaves
    number = next_number([*names, *previous])
    name = migration_name(number, "release" if names else "initial", *previous, snapshot.hash)
    return ReleasePlan(business, snapshot, name, previous, merges=merges)


def _compare(plan: ReleasePlan, loader: MigrationLoader, applied: Snapshot | None, wanted: ProjectState) -> None:
    """Ask the database itself: its release, the migrations that it has run, and its tables."""
    label = plan.business.label
    plan.release = last_release(label)
    was_run = any(app == label for app, _name in loader.applied_migrations)
    for difference in release_differences(applied, plan.release) if was_run else ():
        if not (plan.lags and isinstance(difference, OtherDefinitions)):  # The migrations to run say it already.
            plan.differences.append(difference)
    plan.differences += unknown_migrations(label, loader.applied_migrations, loader.disk_migrations)
    plan.claimed = claimed_tables(plan.state, label)
    comparison = Comparison(plan.business, plan.claimed, read_tables(label), lambda: claimed_tables(wanted, label))
    plan.differences += comparison.differences()


def _check_new_rules(plan: ReleasePlan, context: PlanContext) -> None:
    """Ask the records that are there of the rules that are new or changed."""
    former = {
        one.name: context.entity(context.old_business, context.renames.model(one.class_name))
        for one in plan.business.entities.values()
    }
    for one in new_rules(plan.business, {name: entity for name, entity in former.items() if entity}):
        if not plan.sees_rows or not can_be_counted(one, plan.operations):
            plan.rules_to_count.append(one)
        else:
            plan.rules += describe_violations(one)


def _edits(before: Snapshot | None, after: Snapshot, business: Business) -> list[str]:
    found = []
    old = before.definitions if before else {}
    for name in sorted({*old, *after.definitions}):
        stem = name.rsplit(".", 1)[0]
        if name not in after.definitions:
            found.append(f"- {stem}: the file is gone")
        elif name not in old:
            found.append(f"+ {stem}: a new file")
        else:
            document = business.documents[name]
            for path, was, now in _differences(old[name], after.definitions[name], ()):
                place = document.place(path, key=True)
                found.append(_edit(place, stem, path, was, now))
    return found


MISSING = object()


def _differences(old: Any, new: Any, path: tuple) -> list[tuple[tuple, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        found = [one for key in old for one in _differences(old[key], new.get(key, MISSING), (*path, key))]
        found += [((*path, key), MISSING, new[key]) for key in new if key not in old]
        if not found and list(old) != list(new):
            found = [(path, "the order before", "another order")]
        return found
    return [] if old == new else [(path, old, new)]


def _edit(place: Place, stem: str, path: tuple, was: Any, now: Any) -> str:
    name = ".".join([stem, *map(str, path)])
    if was is MISSING:
        return f"+ {name}: {_short(now)}  ({place})"
    return f"- {name}" if now is MISSING else f"~ {name}: {_short(was)} → {_short(now)}  ({place})"


def _short(value: Any) -> str:
    text = format_value(value)
    return text if len(text) <= 70 else f"{text[:69]}…"


SQL_LINES = 30


def plan_text(plan: ReleasePlan, sql: int | None = SQL_LINES) -> str:
    """Return a plan as an owner reads it, with the first `sql` lines of its SQL (all for None)."""
    label = plan.business.label
    if plan.is_empty and not plan.differences:
        return f"{label}: nothing to do; the definitions are in force."
    if plan.is_empty:
        heading = _("%(label)s: the definitions are in force, but the database differs from its files")
        return "\n".join([heading % {"label": label}, *_difference_lines(plan)])
    lines = [f"{label}: what applying would do", *_step_lines(plan), *_difference_lines(plan)]
    if plan.merges:
        sentence = _("Branches were merged: apply brings their migrations together (%(names)s).")
        lines += ["", f"  {sentence % {'names': ', '.join(plan.merges)}}"]
    if plan.pending:
        names = ", ".join(plan.pending[-4:])
        lines += ["", f"  This database has {pluralize(len(plan.pending), 'migration')} to run: {names}"]
    if plan.lags and plan.steps:
        lines.append("  So its rows were not looked at; apply runs them first, and plans again.")
    lines += _rule_lines(plan)
    warnings = list(picker_warnings(plan.business))
    lines += ["", "  Pickers:", *(f"    {line}" for line in warnings)] if warnings else []
    if plan.edits:
        lines += ["", "  Definitions:", *(f"    {edit}" for edit in plan.edits)]
    if sql != 0 and plan.operations:
        lines += ["", "  SQL:", *_sql_lines(plan, sql)]
    counts = {risk: len(plan.with_risk(risk)) for risk in SIGNS}
    summary = ", ".join(f"{count} {RISKS[risk]}" for risk, count in counts.items() if count)
    lines += ["", f"Plan: {summary or 'no change of the database'}."]
    if counts[LOSES]:
        lines.append("Steps that lose data need --allow-data-loss; what is lost is archived first.")
    if counts[REFUSED]:
        lines.append("Refused steps must be mended first: the definitions or the rows that they name.")
    return "\n".join(lines)


def _difference_lines(plan: ReleasePlan) -> Iterator[str]:
    """Yield what differs, each way out once below those that share it."""
    if plan.differences:
        yield from ("", "  " + _("The database differs:"))
    for way_out, differences in groupby(plan.differences, key=lambda one: one.way_out):
        yield from (f"    {'x' if one.blocks else '?'} {one.sentence}" for one in differences)
        yield from (f"        {line}" for line in wrap(way_out, 104))


def _step_lines(plan: ReleasePlan) -> Iterator[str]:
    if plan.steps:
        yield ""
    for step in plan.steps:
        place = f"  ({step.place})" if step.place else ""
        yield f"  {SIGNS[step.risk]} {step.text} — {step.risk}{place}"
        yield from (f"      {note}" for note in step.notes)


def _rule_lines(plan: ReleasePlan) -> list[str]:
    later = [
        f"? the rule at {one.place} reads what this plan changes: apply counts who breaks it"
        for one in plan.rules_to_count
    ]
    lines = [*plan.rules, *later]
    return ["", "  Rules:", *(f"    {line}" for line in lines)] if lines else []


def _sql_lines(plan: ReleasePlan, most: int | None) -> list[str]:
    everything = [line for line in sql_of(plan) if line != "--"]
    lines = [f"    {line}" for line in everything[:most]]
    rest = len(everything) - len(lines)
    return [*lines, f"    … and {rest} more lines: manage.py plan --sql"] if rest else lines


def sql_of(plan: ReleasePlan) -> list[str]:
    """Return the SQL of a plan's steps, on this database."""
    state = state_of(MigrationLoader(None), plan.business.label)
    with connection.schema_editor(collect_sql=True, atomic=True) as editor:
        plan.migration().apply(state, editor, collect_sql=True)
    return editor.collected_sql
