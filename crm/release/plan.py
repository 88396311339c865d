"""The plan: everything between the definitions as they are written and those in force, in words and in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import Field, GeneratedField

from crm.blueprint.nodes import Business
from crm.blueprint.problems import Place
from crm.business import Location
from crm.release.batched import BatchedMigration
from crm.release.choice_changes import choice_steps, stray_choices
from crm.release.differences import (
    Difference,
    LeftOver,
    Missing,
    OtherDefinitions,
    StrayChoice,
    UnfinishedRelease,
    UnknownMigration,
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
from crm.release.pending_rows import unfit_rows
from crm.release.plan_context import PlanContext
from crm.release.releases import LastRelease, last_release, noted_renames
from crm.release.renamed_columns import Rename, in_order, renames_of
from crm.release.renames import rename_steps
from crm.release.roles import role_steps
from crm.release.rule_violations import RuleCheck, can_be_counted, describe_violations, new_rules
from crm.release.snapshot import Snapshot, business_in_force, snapshot_in_force, take_snapshot
from crm.release.states import detect, wanted_state
from crm.release.steps import Step, format_value
from crm.release.table_comparison import TableComparison
from crm.release.tables import Table, claimed_tables, read_tables


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
    """What the migrations that the database has run claim, with their tables, and the tables that it has."""
    claimed: dict[str, Table] = field(default_factory=dict)
    actual: dict[str, Table] = field(default_factory=dict)
    generated: set[tuple[str, str]] = field(default_factory=set)
    """The columns, by table, that the database is to compute."""
    filed: set[tuple[str, str]] = field(default_factory=set)
    """The columns, by table, that the migrations of the folder make, also those that the database has not run."""
    pending_renames: list[Rename] = field(default_factory=list)
    """What the pending migrations rename."""
    noted_renames: list[Rename] = field(default_factory=list)
    """What releases have noted that was renamed in this database."""
    unnoted_renames: list[Rename] = field(default_factory=list)
    """What migrations of the folder have renamed in this database before releases noted it."""

    @property
    def operations(self) -> list[Any]:
        first = [operation for step in self.steps for operation in step.pre_operations]
        own = [operation for step in self.steps for operation in step.operations]
        return [*first, *own, *(operation for step in self.steps for operation in step.history_operations)]

    @property
    def lags(self) -> bool:
        """Whether the database has not run all migrations of the business, so that its rows cannot be looked at."""
        return any(name.startswith(f"{self.business.label}.") for name in self.pending)

    @property
    def missing(self) -> list[Missing]:
        """What the database has lost, and apply can add."""
        return [
            difference
            for difference in self.differences
            if isinstance(difference, Missing) and difference.is_settled_by_apply
        ]

    @property
    def adopted(self) -> list[LeftOver]:
        """The columns that are left over and that the definitions add just so."""
        return [each for each in self.differences if isinstance(each, LeftOver) and each.is_adopted]

    @property
    def namesakes(self) -> list[str]:
        """What the database has run by this plan's own name: the same definitions on the same migrations."""
        unknown = [each.name for each in self.differences if isinstance(each, UnknownMigration)]
        return [name for name in unknown if name == self.name]

    @property
    def exchanged(self) -> list[StrayChoice]:
        """The choices that apply exchanges back."""
        return [each for each in self.differences if isinstance(each, StrayChoice) and each.is_settled_by_apply]

    @property
    def sees_rows(self) -> bool:
        """Whether the tables are as the migrations of the files claim, so that their rows can be asked."""
        return not self.lags and not any(isinstance(difference, Missing) for difference in self.differences)

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
    pending = [migration for migration, _backwards in executor.migration_plan(loader.graph.leaf_nodes())]
    plan.pending = [f"{migration.app_label}.{migration.name}" for migration in pending]
    for migration in pending:
        if migration.app_label == label:
            plan.pending_renames += renames_of(migration.name, migration.operations)
    plan.edits = list(_edits(applied, snapshot, business))

    now = state_of(loader, label)
    state = now.clone()
    plan.steps, renames = rename_steps(business, state, before)
    wanted = wanted_state(business, state)
    plan.state = state_of(loader, label, applied=True) if plan.lags else now
    _compare(plan, loader, applied, wanted)
    if plan.lags and not any(isinstance(difference, Missing) for difference in plan.differences):
        own = [migration for migration in pending if migration.app_label == label]
        plan.differences += unfit_rows(label, own, plan.state)
    if plan.adopted:
        columns = [(table.name, each) for table in claimed_tables(wanted, label).values() for each in _columns(table)]
        plan.generated = {(name, each.column) for name, each in columns if isinstance(each, GeneratedField)}
        plan.filed = {(name, column) for name, table in claimed_tables(now, label).items() for column in table.columns}
    context = PlanContext(before, business, now, wanted, renames, f"{label}.{plan.name}", counts=plan.sees_rows)
    strays = list(stray_choices(context, in_order([*plan.noted_renames, *plan.unnoted_renames])))
    plan.steps += [*build_steps(detect(state, wanted, label), context), *choice_steps(context, strays)]
    plan.differences += strays

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
    noted = plan.noted_renames = noted_renames(label) if was_run else []
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        is_noted = any(rename.migration == name for rename in noted)
        if app == label and (app, name) in loader.applied_migrations and not is_noted:
            plan.unnoted_renames += renames_of(name, migration.operations)
    plan.claimed = claimed_tables(plan.state, label)
    plan.actual = read_tables(label)
    comparison = TableComparison(
        plan.business,
        plan.claimed,
        plan.actual,
        lambda: claimed_tables(wanted, label),
        in_order([*noted, *plan.unnoted_renames]),
        {name for app, name in loader.disk_migrations if app == label},
    )
    plan.differences += comparison.differences()


def _columns(table: Table) -> Sequence[Field]:
    return table.model._meta.local_concrete_fields if table.model else ()


def _check_new_rules(plan: ReleasePlan, context: PlanContext) -> None:
    """Ask the records that are there of the rules that are new or changed."""
    former = {
        entity.name: context.entity(context.old_business, context.renames.model(entity.class_name))
        for entity in plan.business.entities.values()
    }
    known = {name: entity for name, entity in former.items() if entity}
    for rule_check in new_rules(plan.business, known, context.former_field):
        if not plan.sees_rows or not can_be_counted(rule_check, plan.operations):
            plan.rules_to_count.append(rule_check)
        else:
            plan.rules += describe_violations(rule_check)


def _edits(before: Snapshot | None, after: Snapshot, business: Business) -> list[str]:
    edits = []
    old = before.definitions if before else {}
    for name in sorted({*old, *after.definitions}):
        stem = name.rsplit(".", 1)[0]
        if name not in after.definitions:
            edits.append(f"- {stem}: the file is gone")
        elif name not in old:
            edits.append(f"+ {stem}: a new file")
        else:
            document = business.documents[name]
            for path, was, now in _changed_values(old[name], after.definitions[name], ()):
                place = document.place(path, key=True)
                edits.append(_edit(place, stem, path, was, now))
    return edits


MISSING = object()


def _changed_values(old: Any, new: Any, path: tuple) -> list[tuple[tuple, Any, Any]]:
    """Return what differs between two definitions: path, former value, new value; MISSING where there is none."""
    if isinstance(old, dict) and isinstance(new, dict):
        differences = [
            difference for key in old for difference in _changed_values(old[key], new.get(key, MISSING), (*path, key))
        ]
        differences += [((*path, key), MISSING, new[key]) for key in new if key not in old]
        if not differences and list(old) != list(new):
            differences = [(path, "the order before", "another order")]
        return differences
    return [] if old == new else [(path, old, new)]


def _edit(place: Place, stem: str, path: tuple, was: Any, now: Any) -> str:
    name = ".".join([stem, *map(str, path)])
    if was is MISSING:
        return f"+ {name}: {_short(now)}  ({place})"
    return f"- {name}" if now is MISSING else f"~ {name}: {_short(was)} → {_short(now)}  ({place})"


def _short(value: Any) -> str:
    text = format_value(value)
    return text if len(text) <= 70 else f"{text[:69]}…"
