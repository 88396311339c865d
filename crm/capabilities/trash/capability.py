"""What trash adds to every entity that asks for it, and to those whose records go along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models

from crm.blueprint.language import Report
from crm.blueprint.nodes import Entity
from crm.capabilities.trash import pages
from crm.capabilities.trash.moving import put_in_trash
from crm.capabilities.trash.section import TrashSection, reached, restore_for
from crm.fields import columns
from crm.fields.moments import read_duration
from crm.kernel.capability import Button, Capability, Page
from crm.kernel.plans import Plan
from crm.kernel.presence import DELETED_AT, DELETED_IN, OnceAmongPresent


class Trash(Capability):
    name = "trash"
    summary = "Deleted records lie in the trash for a while, and can be brought back with all that went along."
    Section = TrashSection
    actions = {"put_in_trash": put_in_trash}

    def check(self, entity: Entity, section: Any, report: Report) -> None:
        if self.name not in entity.document.data:
            return
        try:
            if not section.restore_for or read_duration(section.restore_for) <= timedelta():
                report("'restore_for' says how long deleted records can be brought back: 30d", key=True)
        except ValueError as error:
            report(f"'restore_for': {error}", "restore_for")
        for name in (DELETED_AT, DELETED_IN):
            if entity.find(name):
                report(f"the trash has a column {name!r} of its own: the field needs another name", key=True)

    def plan_model(self, entity: Entity, plan: Plan) -> None:
        cause = reached(entity.business).get(entity.name)
        if cause is None:
            return
        origin = cause.origin(self.name)
        plan.add("trait", "keeps_deleted", True, origin)
        if cause is entity:
            plan.add("trait", "into_trash", True, origin)
        _once_among_present(entity, plan, origin)
        plan.add("column", DELETED_AT, columns.DateTime("Deleted", null=True, blank=True, editable=False), origin)
        plan.add("column", DELETED_IN, columns.Uuid("Deleted in", null=True, blank=True, editable=False), origin)
        name = f"{entity.business.label}_{entity.name}"[:22] + "_trash"
        deleted = models.Q(**{f"{DELETED_AT}__isnull": False})
        plan.add("index", "trash", models.Index(fields=[DELETED_AT], name=name, condition=deleted), origin)

    def plan_admin(self, entity: Entity, plan: Plan) -> None:
        if restore_for(entity) is None:
            return
        plan.add("page", "trash", Page("trash/", pages.trash_page, "delete"), self.name)
        plan.add("list button", "trash", Button("Trash", "delete", "trash", "delete"), self.name)
        plan.add("gone", "trash", pages.gone_page, self.name)
        plan.add("warning", "trash", pages.can_be_restored(entity), entity.origin(self.name, "restore_for"))


def _once_among_present(entity: Entity, plan: Plan, origin: object) -> None:
    """Let what must be unique be so among the records that are not in the trash."""
    for group in plan.of("constraint").values():
        if type(group) is models.UniqueConstraint:
            group.__class__ = OnceAmongPresent
            group.condition = OnceAmongPresent(fields=group.fields, name=group.name).condition
    for name, column in plan.of("column").items():
        if getattr(column, "_unique", False):
            column._unique = False
            label = f"{entity.business.label}_{entity.name}_{name}"[:58] + "_kept"
            plan.add(
                "constraint", f"{name} outside the trash", OnceAmongPresent(fields=[name], name=label), origin, name
            )
