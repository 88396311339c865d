"""`was:` turned into operations, before anything else is compared: data and history move along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from crm.blueprint.names import camel
from crm.blueprint.nodes import Business, Entity, Field
from crm.fields.comparison import key_name
from crm.release import data_migrations
from crm.release.plan_context import Renames
from crm.release.steps import REFUSED, SAFE, Step, data_migration
from crm.wiring import CAPABILITIES


def rename_steps(business: Business, state: ProjectState, in_force: Business) -> tuple[list[Step], Renames]:
    """Return the renames that `was:` asks for and that are still to be done; brings `state` up to them.

    What cannot be renamed since its new name is taken is refused, and so are names that are exchanged: a `was:` may
    stay, so nothing would tell whether they were exchanged already.
    """
    entities = [entity for entity in business.entities.values() if entity.section.was]
    leaves = [leaf for entity in business.entities.values() for leaf in entity.leaves if leaf.options.was]
    steps, renames = [], Renames()
    for make, items in ((_entity_step, entities), (_field_step, leaves)):
        pending = [item for item in items if _is_pending(item, state, in_force)]
        waiting = [item for item in pending if not _cycle(item, pending)]
        # A name may be taken until what has it is renamed itself, so the rest is tried again after each.
        while made := next(((item, step) for item in waiting if (step := make(item, state, pending))), None):
            item, step = made
            waiting.remove(item)
            for operation in step.pre_operations:
                operation.state_forwards(business.label, state)
            renames.note(step.pre_operations)
            steps.append(step)
        steps += _exchanges(pending)
        steps += [_taken_step(item) for item in waiting if _is_there(item, _former(item), state)]
    return steps, renames


def _former(item: Entity | Field) -> str:
    """Return the name that `was:` gives, or an empty text."""
    return (item.section.was if isinstance(item, Entity) else item.options.was) or ""


def _is_pending(item: Entity | Field, state: ProjectState, in_force: Business) -> bool:
    """Say whether a `was:` names something that is there, and is not one that was in force already."""
    return _is_there(item, _former(item), state) and _former(item) != _former_in_force(item, in_force)


def _is_there(item: Entity | Field, name: str, state: ProjectState) -> bool:
    """Say whether the tables have an entity of that name, or a field of it in the same entity."""
    entity = item if isinstance(item, Entity) else item.entity
    model = state.models.get((entity.business.label, camel(name if item is entity else entity.name).lower()))
    return model is not None and (item is entity or name in model.fields)


def _former_in_force(item: Entity | Field, in_force: Business) -> str:
    """Return the `was:` that an entity or a field has in the definitions in force.

    A link that a table adds has that of the entity with the table, whether the table was there then or not.
    """
    if isinstance(item, Entity):
        entity = in_force.entities.get(item.name)
        return _former(entity) if entity is not None else ""
    if item.target is not None and item.document is not item.entity.document:
        return _former_in_force(item.target, in_force)
    entity = in_force.entities.get(item.entity.name)
    if item.entity.section.was and item.entity.section.was != _former_in_force(item.entity, in_force):
        entity = in_force.entities.get(item.entity.section.was) or entity
    leaf = entity.find(item.name) if entity is not None else None
    return _former(leaf) if leaf is not None else ""


def _beside(item: Entity | Field, name: str) -> Entity | Field | None:
    """Return the entity, or the field of the same entity, that the definitions call so."""
    return item.business.entities.get(name) if isinstance(item, Entity) else item.entity.find(name)


def _cycle(item: Entity | Field, pending: list[Any]) -> list[Any]:
    """Return those that exchange their names with this one, itself first; nothing where none do."""
    cycle = [item]
    while (following := _beside(item, _former(cycle[-1]))) in pending and following not in cycle:
        cycle.append(following)
    return cycle if following is item and len(cycle) > 1 else []


def _exchanges(pending: list[Any]) -> Iterator[Step]:
    """Yield a refusal for each circle of names that are exchanged."""
    seen: list[Any] = []
    for item in pending:
        cycle = _cycle(item, pending) if item not in seen else []
        seen += cycle
        if cycle:
            names, last = " and ".join(other.name for other in cycle), f"{item.name}_new"
            kind = "entities" if isinstance(item, Entity) else f"fields of {item.entity.name}:"
            cure = (
                f"This takes two releases. In the first, call what was {_former(item)} '{last}' for now, with "
                f"'was: {_former(item)}', and apply; in the second, '{item.name}' with 'was: {last}'."
            )
            yield Step(f"exchange the names of the {kind} {names}", REFUSED, item.place("was"), [cure])


def _taken_step(item: Entity | Field) -> Step:
    """Return the refusal of a rename to a name that something else has, and keeps or gives up only later."""
    kind = "entity" if isinstance(item, Entity) else "field"
    cure = (
        f"There is {'an' if kind == 'entity' else 'a'} {kind} {item.name} already. If {_former(item)} is to take its "
        "place, remove or rename that first, in a release of its own; else leave 'was' out."
    )
    return Step(_sentence(item), REFUSED, item.place("was"), [cure])


def _sentence(item: Entity | Field) -> str:
    """Return what is renamed, in words."""
    if isinstance(item, Entity):
        return f"rename the entity {_former(item)} to {item.name}, with its history"
    return f"rename the field {item.entity.name}.{_former(item)} to {item.name}, with its history"


def _entity_step(entity: Entity, state: ProjectState, pending: list[Any]) -> Step | None:
    former = _former(entity)
    if not _is_there(entity, former, state) or _is_there(entity, entity.name, state):
        return None
    there = entity.business.entities.get(former)
    stays = there is not None and there not in pending
    notes = [f"{there.document.file} is still there: delete it, or leave 'was' out."] if stays else []
    notes += _twice(entity, pending)
    first = list(_entity(entity, former, state))
    return Step(_sentence(entity), REFUSED if notes else SAFE, entity.place("was"), notes, pre_operations=first)


def _field_step(leaf: Field, state: ProjectState, pending: list[Any]) -> Step | None:
    operations = list(_field(leaf.entity, leaf, state))
    there = leaf.entity.find(leaf.options.was)
    stays = there is not None and there not in pending
    notes = [f"{there} is still there, too: remove it, or leave 'was' out."] if stays else []
    notes += _twice(leaf, [other for other in pending if other.entity is leaf.entity])
    risk = REFUSED if notes else SAFE
    return Step(_sentence(leaf), risk, leaf.place("was"), notes, pre_operations=operations) if operations else None


def _twice(item: Entity | Field, others: Iterable[Any]) -> list[str]:
    """Say which others are to take the place of the same one."""
    former = _former(item)
    return [
        f"{other.name} is to take the place of {former}, too ({other.place('was')}): only one can, so leave 'was' out "
        "of the other."
        for other in others
        if other is not item and _former(other) == former
    ]


def _followers(entity: Entity, old: str) -> dict[str, str]:
    return {
        before: after
        for capability in CAPABILITIES
        for before, after in capability.models_renamed_with(entity, old).items()
    }


def _entity(entity: Entity, former: str, state: ProjectState) -> Iterator[Operation]:
    label, before, after = entity.business.label, camel(former), entity.class_name
    yield migrations.RenameModel(before, after)
    followers = {old: new for old, new in _followers(entity, former).items() if (label, old.lower()) in state.models}
    for old, new in followers.items():
        yield migrations.RenameModel(old, new)
    for (app, _), model in state.models.items():
        if app == label and "_" in model.name:
            yield from _link_columns(model, followers.get(model.name, model.name), before.lower(), after.lower())
    renamed = {old.lower(): new.lower() for old, new in {before: after, **followers}.items()}
    yield data_migration(data_migrations.rename_entity, label, before=former, after=entity.name, models=renamed)


def _link_columns(model: ModelState, name: str, before: str, after: str) -> Iterator[Operation]:
    """Yield the renames of a many-to-many twin's columns, which are called after the models that it links."""
    for prefix in ("", "from_", "to_"):
        if f"{prefix}{before}" in model.fields:
            yield migrations.RenameField(name, f"{prefix}{before}", f"{prefix}{after}")


def _field(entity: Entity, leaf: Field, state: ProjectState) -> Iterator[Operation]:
    label, former = entity.business.label, leaf.options.was
    followers = _followers(entity, entity.name)
    for name in (entity.class_name, *(name for name in followers.values() if "_" not in name)):
        model = state.models.get((label, name.lower()))
        if model and former in model.fields and leaf.name not in model.fields:
            yield from _free(model, former)
            yield migrations.RenameField(name, former, leaf.name)
            if key_name(former) in model.fields and key_name(leaf.name) not in model.fields:
                yield from _free(model, key_name(former))
                yield migrations.RenameField(name, key_name(former), key_name(leaf.name))
            if name == entity.class_name:
                names = {"entity": entity.name, "before": former, "after": leaf.name}
                yield data_migration(data_migrations.rename_field, label, **names)
        old, new = f"{name}_{former}", f"{name}_{leaf.name}"
        if (label, old.lower()) in state.models and (label, new.lower()) not in state.models:
            yield migrations.RenameModel(old, new)


def _free(model: ModelState, name: str) -> Iterator[Operation]:
    """Yield what drops the constraints and indexes that name a column: they come back under its new name."""
    for constraint in model.options.get("constraints", ()):
        if name in getattr(constraint, "fields", ()):
            yield migrations.RemoveConstraint(model.name, constraint.name)
    for index in model.options.get("indexes", ()):
        if name in index.fields:
            yield migrations.RemoveIndex(model.name, index.name)
