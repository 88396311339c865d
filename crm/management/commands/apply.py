"""manage.py apply: brings the definitions into force."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm.blueprint.compiler import read_folder
from crm.blueprint.nodes import Business
from crm.blueprint.problems import DefinitionError
from crm.release.applying import NotApplied, apply_lock, apply_plan, catch_up, refuse_risks
from crm.release.plan import ReleasePlan, make_plan, plan_text
from crm.wiring import LANGUAGE


class Command(BaseCommand):
    help = "Shows the plan, asks, and brings the definitions into force."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="go ahead without asking")
        parser.add_argument("--allow-data-loss", action="store_true", help="take steps that lose data, archived first")
        parser.add_argument("--sql", action="store_true", help="show the SQL as well")

    def handle(self, *args: Any, **options: Any) -> None:
        location = settings.BUSINESS_LOCATION
        try:
            with apply_lock(location):
                business = read_folder(location.folder, LANGUAGE)
                plan = self._planned(business, options)
                if plan.lags and plan.steps:
                    self._agree("Run these migrations first?", options)
                    catch_up(plan)
                    self.stdout.write("Ran them. Now its rows can be looked at.\n")
                    plan = self._planned(business, options)
                if plan.is_empty:
                    return
                refuse_risks(plan, options["allow_data_loss"])
                self._agree("Apply this?", options)
                apply_plan(plan, location, self.stdout.write)
        except DefinitionError as error:
            self.stderr.write(f"{error}\n\n{error.summary}. Nothing was changed.")
            sys.exit(1)
        except NotApplied as error:
            raise CommandError(str(error)) from error.__cause__
        self.stdout.write(self.style.SUCCESS("Applied."))

    def _planned(self, business: Business, options: dict[str, Any]) -> ReleasePlan:
        plan = make_plan(business, settings.BUSINESS_LOCATION)
        self.stdout.write(plan_text(plan, sql=None if options["sql"] else 0))
        return plan

    def _agree(self, question: str, options: dict[str, Any]) -> None:
        """Ask whether to go on. Raises NotApplied where the answer is no, or nobody is there."""
        if options["yes"]:
            return
        if not sys.stdin.isatty():
            raise NotApplied("There is nobody to ask: use --yes. Nothing was changed.")
        if input(f"\n{question} Type yes: ").strip().lower() not in {"yes", "y"}:
            raise NotApplied("Nothing was changed.")
