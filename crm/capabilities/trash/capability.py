"""What trash adds to every entity that asks for it, and to those whose records go along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.blueprint.language import Report
from crm.blueprint.nodes import Entity
from crm.capabilities.trash import pages
from crm.capabilities.trash.section import TrashSection, reached, restore_for
from crm.capabilities.trash.soft_delete import FOR_GOOD, RESTORE, put_in_trash
from crm.fields import columns
from crm.fields.moments import read_duration
from crm.kernel.capability import Button, Capability, Page
from crm.kernel.contributions import Contributions, Kind
from crm.kernel.guard import WayIn, WayOut
from crm.records.identity import UniqueByKeys
from crm.records.soft_delete import DELETED_AT, DELETED_IN, UniqueUnlessDeleted


class Trash(Capability):
    name = "trash"
    summary = "Deleted records lie in the trash for a while, and can be brought back with all that went along."
    Section = TrashSection
    actions = {"put_in_trash": put_in_trash}
    ways_in = (
        WayIn(RESTORE, "What comes back from the trash, with what went along.", verb="delete", is_restoring=True),
    )
    ways_out = (WayOut(FOR_GOOD, "What lies in the trash, deleted for good before its time is over."),)

    def check(self, entity: Entity, section: Any, report: Report) -> None:
        if self.name not in entity.document.data:
            return
        try:
            if not section.restore_for or read_duration(section.restore_for) <= timedelta():
                report("'restore_for' says how long deleted records can be brought back: 30d", key=True)
        except ValueError as error:
            report(f"'restore_for': {error}", "restore_for")

    def contribute_to_model(self, entity: Entity, contributions: Contributions) -> None:
        cause = reached(entity.business).get(entity.name)
        if cause is None:
            return
        origin = cause.origin(self.name)
        contributions.add(Kind.CLASS_ATTRIBUTE, "keeps_deleted", True, origin)
        if cause is entity:
            contributions.add(Kind.CLASS_ATTRIBUTE, "into_trash", True, origin)
        _unique_unless_deleted(entity, contributions, origin)
        contributions.add(
            Kind.COLUMN, DELETED_AT, columns.DateTime("Deleted", null=True, blank=True, editable=False), origin
        )
        contributions.add(
            Kind.COLUMN, DELETED_IN, columns.Uuid("Deleted in", null=True, blank=True, editable=False), origin
        )
        name = f"{entity.business.label}_{entity.name}"[:22] + "_trash"
        deleted = models.Q(**{f"{DELETED_AT}__isnull": False})
        contributions.add(Kind.INDEX, "trash", models.Index(fields=[DELETED_AT], name=name, condition=deleted), origin)

    def contribute_to_admin(self, entity: Entity, contributions: Contributions) -> None:
        if restore_for(entity) is None:
            return
        contributions.add(Kind.PAGE, "trash", Page("trash/", pages.trash_page, "delete"), self.name)
        contributions.add(Kind.LIST_BUTTON, "trash", Button(_("Trash"), "delete", "trash", "delete"), self.name)
        contributions.add(Kind.MISSING_RECORD_PAGE, "trash", pages.gone_page, self.name)
        contributions.add(
            Kind.DELETE_WARNING, "trash", pages.can_be_restored(entity), entity.origin(self.name, "restore_for")
        )


def _unique_unless_deleted(entity: Entity, contributions: Contributions, origin: object) -> None:
    """Let what must be unique be so among the records that are not in the trash."""
    for group in contributions.by_kind(Kind.CONSTRAINT).values():
        if type(group) is UniqueByKeys:
            group.__class__ = UniqueUnlessDeleted
            group.condition = UniqueUnlessDeleted(fields=group.fields, name=group.name).condition
    for name, column in contributions.by_kind(Kind.COLUMN).items():
        if getattr(column, "_unique", False):
            column._unique = False
            label = f"{entity.business.label}_{entity.name}_{name}"[:58] + "_kept"
            contributions.add(
                "constraint", f"{name} outside the trash", UniqueUnlessDeleted(fields=[name], name=label), origin, name
            )
