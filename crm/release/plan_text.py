"""A plan as an owner reads it: steps, differences, edits and SQL."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from crm.release.key_columns import describe_tags
from crm.release.migration_files import state_of
from crm.release.picker_warnings import picker_warnings
from crm.release.plan import ReleasePlan
from crm.release.steps import BACKFILL, CONVERTS, LOSES, REFUSED, SAFE, pluralize

SIGNS = {SAFE: "+", BACKFILL: "~", CONVERTS: "~", LOSES: "!", REFUSED: "x"}
RISKS = {SAFE: "safe", BACKFILL: "filling rows", CONVERTS: "converting", LOSES: "losing data", REFUSED: "refused"}
"""The risks as the last line of a plan counts them."""
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
    lines += [f"    {line}" for line in describe_tags(plan.pending)]
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
    for way_out, differences in groupby(plan.differences, key=lambda difference: difference.way_out):
        yield from (f"    {'x' if difference.blocks else '?'} {difference.sentence}" for difference in differences)
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
        f"? the rule at {rule_check.place} reads what this plan changes: apply counts who breaks it"
        for rule_check in plan.rules_to_count
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
