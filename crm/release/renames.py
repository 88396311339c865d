"""`was:` turned into operations, before anything else is compared: data and history move along."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import migrations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from crm.blueprint.names import camel
from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.problems import Place
from crm.fields.comparison import key_name
from crm.release import data_migrations
from crm.release.plan_context import Renames
from crm.release.steps import REFUSED, SAFE, Step, data_migration
from crm.wiring import CAPABILITIES


def rename_steps(business: Business, state: ProjectState) -> tuple[list[Step], Renames]:
    """Return the renames that `was:` asks for and that are still to be done; brings `state` up to them."""
    entities = list(business.entities.values())
    leaves = [leaf for entity in entities for leaf in entity.leaves if leaf.options.was]
    steps, renames = [], Renames()
    for make, waiting in ((_entity_step, entities), (_field_step, leaves)):
        # A name may be taken until what has it is renamed itself, so the rest is tried again after each.
        while step := next(filter(None, (make(renamed, state) for renamed in waiting)), None):
            for operation in step.pre_operations:
                operation.state_forwards(business.label, state)
            renames.note(step.pre_operations)
            steps.append(step)
    return steps, renames


def _entity_step(entity: Entity, state: ProjectState) -> Step | None:
    former, label = entity.section.was, entity.business.label
    if not former or (label, camel(former).lower()) not in state.models:
        return None
    if (label, entity.class_name.lower()) in state.models:
        return None
    text = f"rename the entity {former} to {entity.name}, with its history"
    there = entity.business.entities.get(former)
    notes = [f"{there.document.file} is still there: delete it, or leave 'was' out."] if _stays(there) else []
    others = [other for other in entity.business.entities.values() if other.section.was == former]
    notes += [_twice(other.name, former, other.place("was")) for other in others if other is not entity]
    first = list(_entity(entity, former, state))
    return Step(text, REFUSED if notes else SAFE, entity.place("was"), notes, pre_operations=first)


def _field_step(leaf: Field, state: ProjectState) -> Step | None:
    operations = list(_field(leaf.entity, leaf, state))
    text = f"rename the field {leaf.entity.name}.{leaf.options.was} to {leaf.name}, with its history"
    there = leaf.entity.find(leaf.options.was)
    notes = [f"{there} is still there, too: remove it, or leave 'was' out."] if _stays(there) else []
    others = [other for other in leaf.entity.leaves if other.options.was == leaf.options.was]
    notes += [_twice(other.name, leaf.options.was, other.place("was")) for other in others if other is not leaf]
    risk = REFUSED if notes else SAFE
    return Step(text, risk, leaf.place("was"), notes, pre_operations=operations) if operations else None


def _twice(other: str, former: str, place: Place) -> str:
    return f"{other} is to take the place of {former}, too ({place}): only one can, so leave 'was' out of the other."


def _stays(other: Entity | Field | None) -> bool:
    """Say whether what has the former name keeps it, and is not renamed itself."""
    return other is not None and not (other.section.was if isinstance(other, Entity) else other.options.was)


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
    for name in (entity.class_name, *followers.values()):
        model = state.models.get((label, name.lower()))
        if model and "_" not in name and former in model.fields and leaf.name not in model.fields:
            yield from _free(model, former)
            yield migrations.RenameField(name, former, leaf.name)
            if key_name(former) in model.fields and key_name(leaf.name) not in model.fields:
                yield from _free(model, key_name(former))
                yield migrations.RenameField(name, key_name(former), key_name(leaf.name))
            if name == entity.class_name:
                names = {"entity": entity.name, "before": former, "after": leaf.name}
                yield data_migration(data_migrations.rename_field, label, **names)
    for old, new in followers.items():
        if old != new and (label, old.lower()) in state.models and (label, new.lower()) not in state.models:
            yield migrations.RenameModel(old, new)


def _free(model: ModelState, name: str) -> Iterator[Operation]:
    """Yield what drops the constraints and indexes that name a column: they come back under its new name."""
    for constraint in model.options.get("constraints", ()):
        if name in getattr(constraint, "fields", ()):
            yield migrations.RemoveConstraint(model.name, constraint.name)
    for index in model.options.get("indexes", ()):
        if name in index.fields:
            yield migrations.RemoveIndex(model.name, index.name)
