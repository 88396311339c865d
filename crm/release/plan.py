"""The plan: everything between the definitions as they are written and those in force, in words and in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from crm.blueprint.nodes import Business
from crm.blueprint.problems import Place
from crm.business import Location
from crm.release.batched import BatchedMigration
from crm.release.choice_changes import choice_steps
from crm.release.operations_to_steps import build_steps
from crm.release.plan_context import PlanContext
from crm.release.renames import rename_steps
from crm.release.roles import role_steps
from crm.release.rule_violations import RuleCheck, can_be_counted, describe_violations, new_rules
from crm.release.snapshot import Snapshot, business_in_force, snapshot_in_force, take_snapshot
from crm.release.states import detect, wanted_state
from crm.release.steps import BACKFILL, CONVERTS, LOSES, REFUSED, SAFE, Step, format_value, pluralize

SIGNS = {SAFE: "+", BACKFILL: "~", CONVERTS: "~", LOSES: "!", REFUSED: "x"}
RISKS = {SAFE: "safe", BACKFILL: "filling rows", CONVERTS: "converting", LOSES: "losing data", REFUSED: "refused"}
"""The risks as the last line of a plan counts them."""


@dataclass
class ReleasePlan:
    """What applying would do. `pending` are migrations of the folder that this database has not run."""

    business: Business
    snapshot: Snapshot
    name: str
    previous: str | None
    steps: list[Step] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    """What the records there say to the rules that are new or changed."""
    rules_to_count: list[RuleCheck] = field(default_factory=list)
    """The rules that can be counted only when the plan is carried out."""

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
    def is_empty(self) -> bool:
        return not (self.steps or self.edits or self.pending)

    def with_risk(self, risk: str) -> list[Step]:
        return [step for step in self.steps if step.risk == risk]

    def migration(self) -> BatchedMigration:
        """Return the migration that the steps make, as it is written to the business's folder."""
        made = type("Migration", (BatchedMigration,), {})(self.name, self.business.label)
        made.operations = self.operations
        made.dependencies = [("crm", _engine_migration())]
        if self.previous:
            made.dependencies.insert(0, (self.business.label, self.previous))
        made.initial = self.previous is None or None
        return made


def _state(loader: MigrationLoader, label: str) -> ProjectState:
    """Return the state that the migrations lead to; without migrations, the business has no models yet."""
    state = loader.project_state()
    state.real_apps = state.real_apps - {label}
    return state


def _engine_migration() -> str:
    return max(name for app, name in MigrationLoader(None).disk_migrations if app == "crm")


def make_plan(business: Business, location: Location) -> ReleasePlan:
    """Compare the definitions with what is in force, and with what the database has."""
    label = business.label
    executor = MigrationExecutor(connection)
    loader = executor.loader
    names = sorted(name for app, name in loader.disk_migrations if app == label)
    snapshot, applied = take_snapshot(business), snapshot_in_force(location)
    before = business_in_force(applied, location, releasing=True)
    number = int(names[-1][:4]) + 1 if names else 1
    name = f"{number:04}_{'initial' if number == 1 else 'release'}"
    plan = ReleasePlan(business, snapshot, name, names[-1] if names else None)
    targets = loader.graph.leaf_nodes()
    plan.pending = [f"{one.app_label}.{one.name}" for one, _ in executor.migration_plan(targets)]
    plan.edits = list(_edits(applied, snapshot, business))
    now = _state(loader, label)
    state = now.clone()
    plan.steps, renames = rename_steps(business, state)
    wanted = wanted_state(business, state)
    context = PlanContext(before, business, now, wanted, renames, f"{label}.{name}", counts=not plan.lags)
    plan.steps += [*build_steps(detect(state, wanted, label), context), *choice_steps(context)]
    _check_new_rules(plan, context)
    if not plan.pending:
        plan.steps += role_steps(business, before, edited=not plan.is_empty)
    return plan


def _check_new_rules(plan: ReleasePlan, context: PlanContext) -> None:
    """Ask the records that are there of the rules that are new or changed."""
    former = {
        one.name: context.entity(context.old_business, context.renames.model(one.class_name))
        for one in plan.business.entities.values()
    }
    for one in new_rules(plan.business, {name: entity for name, entity in former.items() if entity}):
        if plan.lags or not can_be_counted(one, plan.operations):
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
    if plan.is_empty:
        return f"{plan.business.label}: nothing to do; the definitions are in force."
    lines = [f"{plan.business.label}: what applying would do", *_step_lines(plan)]
    if plan.pending:
        names = ", ".join(plan.pending[-4:])
        lines += ["", f"  This database has {pluralize(len(plan.pending), 'migration')} to run: {names}"]
    if plan.lags and plan.steps:
        lines.append("  So its rows were not looked at; apply runs them first, and plans again.")
    lines += _rule_lines(plan)
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
    state = _state(MigrationLoader(None), plan.business.label)
    with connection.schema_editor(collect_sql=True, atomic=True) as editor:
        plan.migration().apply(state, editor, collect_sql=True)
    return editor.collected_sql
