"""manage.py explain: where a field comes from, and all that it became."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.management.entities import business_here
from crm.release.explain import Unknown, explain


class Command(BaseCommand):
    help = (
        "Explains an entity or a field, as in `explain booking.total`: its file and line, the rules that read it, "
        "who may see it, and all that it became."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="ENTITY[.FIELD]")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(explain(business_here(), options["name"]))
        except Unknown as error:
            raise CommandError(str(error)) from None
