"""manage.py reference: the reference of the language, for people."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from crm.release.reference.page import PATH, is_stale, reference_text


class Command(BaseCommand):
    help = "Writes docs/reference.md: every key, option, field type, capability and command, from their own schemas."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where the page is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            PATH.write_text(reference_text(), encoding="utf-8")
            self.stdout.write(f"Wrote {PATH.parent.name}/{PATH.name}.")
        elif is_stale(PATH):
            self.stderr.write(f"{PATH.parent.name}/{PATH.name} is stale. Run: manage.py reference")
            sys.exit(1)
