"""Removed choices: rows that hold one get its replacement (`was`), or the plan is refused."""

from __future__ import annotations

from collections.abc import Iterator

from crm.blueprint.nodes import Field
from crm.release import data_migrations
from crm.release.plan_context import VERSIONS, PlanContext
from crm.release.steps import CONVERTS, REFUSED, Step, data_migration, format_value, pluralize


def choice_steps(context: PlanContext) -> Iterator[Step]:
    """Return a step for each field some of whose values are no longer among those that it takes."""
    for entity in context.new_business.entities.values():
        for leaf in entity.leaves:
            old = context.leaf_before(entity.class_name, leaf.name)
            if old is None or old.type != leaf.type or leaf.type.many or not (leaf.stored and old.stored):
                continue
            gone = [choice for choice in _taken(old) if choice not in _taken(leaf)]
            heirs = {was: new for was, new in leaf.type.replaced_values(leaf).items() if was in gone}
            if heirs:
                yield _replaced(leaf, heirs, context)
            yield from _left(leaf, [choice for choice in gone if choice not in heirs], context)


def _taken(leaf: Field) -> list[str]:
    """Return the values that a field takes, where these are a list."""
    return leaf.type.value_schema(leaf).get("enum", [])


def _replaced(leaf: Field, heirs: dict[str, str], context: PlanContext) -> Step:
    words = ", ".join(f"{new!r} for {was!r}" for was, new in heirs.items())
    names = {"name": leaf.name, "values": heirs}
    model, versions = leaf.entity.class_name, f"{VERSIONS}{leaf.entity.class_name}"
    has_versions = context.wanted_column(versions, leaf.name) is not None
    return Step(
        f"exchange choices of {leaf}: {words}",
        CONVERTS,
        leaf.place("choices", key=True),
        operations=[data_migration(data_migrations.exchange, context.label, model=model, **names)],
        history_operations=[data_migration(data_migrations.exchange, context.label, model=versions, **names)]
        if has_versions
        else [],
    )


def _left(leaf: Field, gone: list[str], context: PlanContext) -> Iterator[Step]:
    rows = context.rows_with(leaf.entity.class_name, leaf.name)
    column = context.renames.column(leaf.entity.class_name, leaf.name)
    for choice in gone if rows is not None else ():
        count = rows.filter(**{column: choice}).count()
        if count:
            heir = f"name the one that takes its place, as in 'other: {{was: {format_value(choice)}}}'"
            notes = [
                f"{pluralize(count)} {'has' if count == 1 else 'have'} it. Give them another choice first, or {heir}."
            ]
            yield Step(f"take the choice {choice!r} from {leaf}", REFUSED, leaf.place(key=True), notes)
