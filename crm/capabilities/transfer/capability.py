"""What transfer adds to every entity."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.blueprint.language import Report
from crm.blueprint.names import a_field
from crm.blueprint.nodes import Entity
from crm.blueprint.problems import did_you_mean
from crm.capabilities.transfer import models, pages
from crm.capabilities.transfer.checks import IMPORT
from crm.capabilities.transfer.columns import combined_of, file_fields
from crm.capabilities.transfer.dates import clashing_dates
from crm.capabilities.transfer.keys import key_fields, leads_back
from crm.capabilities.transfer.section import TransferSection
from crm.kernel.capability import BulkAction, Button, Capability, Page
from crm.kernel.contributions import Contributions, Kind
from crm.kernel.guard import WayIn
from crm.records.identity import needs_key, plan_key_column


class Transfer(Capability):
    name = "transfer"
    summary = "Import and export of CSV, XLSX and JSON, with a preview of every change, all errors told, and undo."
    Section = TransferSection
    ways_in = (WayIn(IMPORT, "The rows of a file, new and changed.", is_from_file=True),)

    def check(self, entity: Entity, section: Any, report: Report) -> None:
        known = {leaf.name for leaf in file_fields(entity)}
        named = [(name, ("match_on", index)) for index, name in enumerate(section.match_on)]
        named += [(name, ("columns", heading)) for heading, name in section.columns.items()]
        named += [(name, ("combine", name)) for name in section.combine]
        for name, path in named:
            if name not in known:
                report(f"{entity.label!r} has no field {name!r} that files hold", *path, hint=did_you_mean(name, known))
        for index, name in enumerate(section.match_on):
            field = entity.find(name)
            if field is not None and field.type.many:
                report(f"{name!r} holds several records and cannot tell rows apart", "match_on", index)
            elif field is not None and not field.type.usable_as_key:
                report(f"{a_field(field.type.name)} cannot tell rows apart", "match_on", index)
            elif field is not None and leads_back(entity, field):
                report(f"{name!r} leads to records that are named by this one again", "match_on", index)
        for index, message in clashing_dates(section.dates):
            report(message, "dates", index)
        for name, source in section.combine.items():
            try:
                combined_of(source)
            except ValueError as error:
                report(f"{name!r}: {error}", "combine", name)

    def contribute_to_model(self, entity: Entity, contributions: Contributions) -> None:
        for verb in ("import", "export"):
            contributions.add(Kind.PERMISSION, verb, f"Can {verb} {entity.name}", self.name)
        for leaf in key_fields(entity):
            if leaf is not None and leaf.stored and needs_key(leaf):
                plan_key_column(leaf, contributions)

    def contribute_to_admin(self, entity: Entity, contributions: Contributions) -> None:
        contributions.add(Kind.PAGE, "export", Page("export/", pages.export_page, "export"), self.name)
        contributions.add(Kind.PAGE, "import", Page("import/", pages.import_page, "import"), self.name)
        contributions.add(Kind.PAGE, "import_run", Page("import/<int:run>/", pages.run_page, "import"), self.name)
        contributions.add(Kind.LIST_BUTTON, "import", Button(_("Import"), "upload", "import", "import"), self.name)
        contributions.add(Kind.LIST_BUTTON, "export", Button(_("Export"), "download", "export", "export"), self.name)
        contributions.add(
            Kind.BULK_ACTION,
            "export",
            BulkAction(_("Export the selected rows"), pages.export_selected, "export"),
            self.name,
        )
        for leaf in file_fields(entity):
            whole = (leaf.whole.name,) if leaf.whole else ()
            contributions.add(Kind.FILE_COLUMN, leaf.name, leaf.type.name, self.name, leaf.name, *whole)


__all__ = ["Transfer", "models"]
