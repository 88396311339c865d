"""manage.py purge: removes from the trash what can no longer be restored."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from crm.capabilities.trash.purging import purge
from crm.management.entities import RecordsCommand, business_here


class Command(RecordsCommand):
    help = "Removes for good what lies in the trash for longer than `restore_for`; the history stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many records would be removed")

    def handle(self, *args: Any, **options: Any) -> None:
        gone, kept = purge(business_here(), options["dry_run"])
        word = "would be removed" if options["dry_run"] else "removed"
        for name, count in gone.items():
            still = f", {kept[name]} still needed by other records" if name in kept else ""
            self.stdout.write(f"{name}: {count} {word}{still}")
        if not gone:
            self.stdout.write("No entity has a trash.")
