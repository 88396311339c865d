"""Builds the model classes of a business."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType

from django.apps import apps as live_apps
from django.apps.registry import Apps
from django.db import models

from crm.blueprint.nodes import Business, Entity, Field
from crm.fields.comparison import key_name
from crm.kernel.capability import Capability, Finish
from crm.kernel.contributions import Contributions, Kind
from crm.records.computed import model_column, on_read_attributes
from crm.records.identity import UniqueByKeys, needs_key, plan_key_column
from crm.records.record import Record


def model_contributions(entity: Entity, capabilities: Iterable[Capability]) -> Contributions:
    """Plan an entity's model: its columns and constraints, and what the capabilities add."""
    contributions = Contributions(f"model {entity.business.label}.{entity.class_name}")
    for leaf in entity.leaves:
        column = model_column(leaf)
        if column is not None:
            contributions.add(Kind.COLUMN, leaf.name, column, leaf.origin, leaf.name, *_whole(leaf))
            _plan_key(leaf, column, contributions)
    for index, names in enumerate(entity.section.unique):
        name = f"{entity.name}_{'_'.join(names)}"[:55] + "_once"
        columns = [_column_in_group(entity.find(one), contributions) for one in names]
        constraint = UniqueByKeys(fields=columns, name=f"{entity.business.label}_{name}"[:63])
        contributions.add(Kind.CONSTRAINT, name, constraint, entity.origin("unique", index), *names)
    for capability in capabilities:
        capability.contribute_to_model(entity, contributions)
    return contributions


def _plan_key(leaf: Field, column: models.Field, contributions: Contributions) -> None:
    """Let the twin of a unique column be unique in its place, where values that are written differently are one."""
    if getattr(column, "_unique", False) and needs_key(leaf):
        column._unique = False
        plan_key_column(leaf, contributions, unique=True)


def _column_in_group(leaf: Field, contributions: Contributions) -> str:
    if leaf.stored and needs_key(leaf, in_group=True):
        plan_key_column(leaf, contributions)
        return key_name(leaf.name)
    return leaf.name


def _whole(leaf) -> list[str]:
    return [leaf.whole.name] if leaf.whole else []


def build_models(
    business: Business,
    capabilities: Iterable[Capability],
    module: ModuleType,
    registry: Apps = live_apps,
) -> dict[str, type[Record]]:
    """Build the classes of all entities, into `module` and the registry; entity name → class."""
    sys.modules.setdefault(module.__name__, module)
    capabilities = list(capabilities)
    plans = {name: model_contributions(entity, capabilities) for name, entity in business.entities.items()}
    built = {
        name: _build(business.entities[name], contributions, module, registry) for name, contributions in plans.items()
    }
    for name, contributions in plans.items():
        for step in contributions.by_kind(Kind.POST_BUILD).values():
            step.run(built[name])
    for name, entity in business.entities.items():
        built[name]._meta.verbose_name = entity.noun(1)
        built[name]._meta.verbose_name_plural = entity.plural
    return built


def _build(entity: Entity, contributions: Contributions, module: ModuleType, registry: Apps) -> type[Record]:
    meta = {
        "app_label": entity.business.label,
        "apps": registry,
        "permissions": [
            (f"{name}_{entity.class_name.lower()}", text)
            for name, text in contributions.by_kind(Kind.PERMISSION).items()
        ],
        "constraints": list(contributions.by_kind(Kind.CONSTRAINT).values()),
        "indexes": list(contributions.by_kind(Kind.INDEX).values()),
    }
    attributes = {
        **contributions.by_kind(Kind.COLUMN),
        **on_read_attributes(entity),
        **contributions.by_kind(Kind.CLASS_ATTRIBUTE),
        "__module__": module.__name__,
        "__doc__": f"{entity.label}, as defined in {entity.document.file}.",
        "definition": entity,
        "Meta": type("Meta", (), meta),
    }
    built = type(entity.class_name, (Record,), attributes)
    setattr(module, entity.class_name, built)
    return built


__all__ = ["Finish", "build_models", "model_contributions"]
