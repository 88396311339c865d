"""Removed choices: rows that hold one get its replacement (`was`), or the plan is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.blueprint.nodes import Field
from crm.release import data_migrations
from crm.release.differences import StrayChoice
from crm.release.plan_context import VERSIONS, PlanContext
from crm.release.renamed_columns import Rename, other_names
from crm.release.steps import CONVERTS, REFUSED, Step, data_migration, format_value, pluralize


def choice_steps(context: PlanContext, strays: Iterable[StrayChoice]) -> Iterator[Step]:
    """Return a step for each field some of whose values are no longer among those that it takes.

    `strays` are the values that rows hold beside those; of these, a `was:` exchanges what apply does not anyhow.
    """
    unknown = {(stray.entity, stray.field, stray.value) for stray in strays if not stray.is_settled_by_apply}
    for leaf, old in _kept_fields(context):
        gone = [choice for choice in _taken(old) if choice not in _taken(leaf)]
        heirs = {
            was: new
            for was, new in leaf.type.replaced_values(leaf).items()
            if was in gone or (leaf.entity.name, leaf.name, was) in unknown
        }
        if heirs:
            yield _replaced(leaf, heirs, context)
        yield from _left(leaf, [choice for choice in gone if choice not in heirs], context)


def _kept_fields(context: PlanContext) -> Iterator[tuple[Field, Field]]:
    """Yield the fields that hold one value in a column, now and after this plan, each with what it is in force."""
    for entity in context.new_business.entities.values():
        for leaf in entity.leaves:
            old = context.former_field(leaf)
            if old is not None and old.type == leaf.type and not leaf.type.many and leaf.stored and old.stored:
                yield leaf, old


def stray_choices(context: PlanContext, renames: Iterable[Rename]) -> Iterator[StrayChoice]:
    """Yield the values that rows hold, and that neither these definitions nor those in force know.

    Where a release has exchanged such a choice, and files of another time are here, it is exchanged back.
    """
    renames = list(renames)
    for leaf, old in _kept_fields(context):
        for value, count in _held_strays(leaf, context).items():
            if value not in _taken(old):
                yield _stray(leaf, value, count, context, renames)


def _stray(leaf: Field, value: str, count: int, context: PlanContext, renames: list[Rename]) -> StrayChoice:
    model = context.renames.model(leaf.entity.class_name)
    column = context.renames.column(leaf.entity.class_name, leaf.name)
    exchanges = [rename for rename in renames if rename.model == f"{model}.{column}"]
    heirs = ((name, rename) for name, rename in other_names(value, exchanges) if name in _taken(leaf))
    heir, rename = next(heirs, ("", None))
    values = {"count": f"{count:,}", "field": str(leaf), "value": repr(value)}
    sentence = ngettext(
        "%(count)s record holds %(value)s in %(field)s, which is none of its choices here.",
        "%(count)s records hold %(value)s in %(field)s, which is none of its choices here.",
        count,
    )
    if rename is None and value in leaf.type.replaced_values(leaf):
        told = _("apply exchanges it.")
    elif rename is None:
        choice = next(iter(_taken(leaf)))
        way_out = _("Name the choice that takes its place, as in '%(choice)s: {was: %(was)s}', and apply.")
        told = way_out % {"choice": choice, "was": format_value(value)}
    else:
        way_out = _("The migration %(name)s exchanged it with %(heir)s: apply exchanges it back, in the history too.")
        told = way_out % {"name": rename.migration, "heir": repr(heir)}
    facts = {
        "entity": leaf.entity.name,
        "field": leaf.name,
        "model": model,
        "column": column,
        "value": value,
        "heir": heir,
    }
    return StrayChoice(sentence % values, told, is_settled_by_apply=bool(heir), **facts)


def exchange_strays(strays: Iterable[StrayChoice], label: str, apps: Any) -> None:
    """Write the choices that these definitions know for those that a release had exchanged them for."""
    for stray in strays:
        for model in (stray.model, f"{VERSIONS}{stray.model}"):
            try:
                columns = {column.name for column in apps.get_model(label, model)._meta.concrete_fields}
            except LookupError:
                continue  # The entity keeps no history.
            if stray.column in columns:
                names = {"label": label, "model": model, "name": stray.column}
                data_migrations.exchange(apps, None, **names, values={stray.value: stray.heir})


def _held_strays(leaf: Field, context: PlanContext) -> dict[str, int]:
    """Return the values that rows hold and that are none of a field's choices, with how many rows hold each."""
    taken, rows = _taken(leaf), context.rows_with(leaf.entity.class_name, leaf.name)
    if not taken or rows is None:
        return {}
    column = context.renames.column(leaf.entity.class_name, leaf.name)
    if not isinstance(rows.model._meta.get_field(column), data_migrations.TEXTS):
        return {}
    strays = rows.exclude(**{f"{column}__in": ["", *taken]}).exclude(**{f"{column}__isnull": True})
    return dict(strays.order_by(column).values_list(column).annotate(models.Count("pk")))


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
