"""What history adds to every entity."""

from __future__ import annotations

from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from pydantic import Field as Key

from crm.blueprint.language import Report
from crm.blueprint.nodes import Business, Entity
from crm.blueprint.problems import did_you_mean
from crm.blueprint.sections import Flag, Name, Section
from crm.capabilities.history import pages
from crm.capabilities.history.list_as_of import list_as_of
from crm.capabilities.history.record_as_of import record_as_of
from crm.capabilities.history.revert import REVERT
from crm.capabilities.history.undo import UNDO, UNDO_OF_OWN, revert_change
from crm.capabilities.history.versions import follow_names, keep_bulk_versions, keep_computed, register
from crm.kernel.capability import Button, Capability, Finish, Page, Panel
from crm.kernel.contributions import Contributions, Kind
from crm.kernel.events import records_written, values_computed
from crm.kernel.guard import WayIn, WayOut

Names = list[Name]


class HistorySection(Section):
    """`history`: what is kept of every change."""

    track: Literal["all"] | Names = Key("all", description="`all`, or the only fields whose changes are kept.")
    reason: Flag = Key(False, description="Whether a change in the admin, a deletion included, must say why.")


class History(Capability):
    name = "history"
    summary = "Every change with its author, date, reason, old and new values. Any version comes back; any day is seen."
    Section = HistorySection
    panels = {"timeline": "History"}
    actions = {"revert_change": revert_change}
    ways_in = (
        WayIn(REVERT, "A record and its rows, brought back to a version.", is_restoring=True),
        WayIn(UNDO, "Everything that a change wrote, undone: the undo of an import.", is_restoring=True),
    )
    ways_out = (
        WayOut(REVERT, "Rows that were added since the version which is brought back."),
        WayOut(UNDO, "What a change of somebody else's added."),
        WayOut(
            UNDO_OF_OWN, "What a change of the user's own added, and nobody has changed since.", is_taking_back=True
        ),
    )

    def check(self, entity: Entity, section: Any, report: Report) -> None:
        if section.track != "all":
            for index, name in enumerate(section.track):
                if name not in entity.fields:
                    report(f"there is no field {name!r}", "track", index, hint=did_you_mean(name, entity.fields))

    def contribute_to_model(self, entity: Entity, contributions: Contributions) -> None:
        contributions.add(Kind.POST_BUILD, "history", Finish(register), self.name)

    def contribute_to_admin(self, entity: Entity, contributions: Contributions) -> None:
        contributions.add(Kind.PAGE, "history", Page("<path:object_id>/history/", pages.history_page), self.name)
        revert = Page("<path:object_id>/history/<int:version>/revert/", pages.revert_page, "change")
        contributions.add(Kind.PAGE, "revert", revert, self.name)
        contributions.add(Kind.PAGE, "list_as_of", Page("as-of/", list_as_of), self.name)
        contributions.add(Kind.PAGE, "record_as_of", Page("<path:object_id>/as-of/", record_as_of), self.name)
        contributions.add(
            Kind.LIST_BUTTON, "list_as_of", Button(_("As of a day"), "event_repeat", "list_as_of"), self.name
        )
        contributions.add(Kind.RECORD_BUTTON, "history", Button(_("History"), "history", "history"), self.name)
        contributions.add(Kind.PANEL, "timeline", Panel(_("History"), pages.timeline_panel), self.name)
        if entity.sections[self.name].reason:
            contributions.add(Kind.REASON, "required", True, entity.origin(self.name, "reason"))

    def models_renamed_with(self, entity: Entity, old: str) -> dict[str, str]:
        return follow_names(entity, old)

    def ready(self, business: Business) -> None:
        records_written.connect(keep_bulk_versions, dispatch_uid="history")
        values_computed.connect(keep_computed, dispatch_uid="history")
