"""manage.py plan: what applying the definitions would do."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm.blueprint.compiler import read_folder
from crm.blueprint.problems import DefinitionError
from crm.release.errors import NotApplied
from crm.release.plan import make_plan
from crm.release.plan_text import plan_text
from crm.wiring import LANGUAGE


class Command(BaseCommand):
    help = (
        "Shows what `apply` would do. Ends with 0 when that is nothing, 2 when there are changes, 3 when there is "
        "nothing to apply but the database differs from its files, 1 on an error."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sql", action="store_true", help="show all of the SQL, not its first lines")

    def handle(self, *args: Any, **options: Any) -> None:
        location = settings.BUSINESS_LOCATION
        try:
            business = read_folder(location.folder, LANGUAGE)
            plan = make_plan(business, location)
        except DefinitionError as error:
            self.stderr.write(f"{error}\n\n{error.summary}.")
            sys.exit(1)
        except NotApplied as error:
            raise CommandError(str(error)) from error
        self.stdout.write(plan_text(plan, None) if options["sql"] else plan_text(plan))
        sys.exit(2 if not plan.is_empty else 3 if plan.differences else 0)
