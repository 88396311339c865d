"""manage.py apply: brings the definitions into force."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from crm.blueprint.compiler import read_folder
from crm.blueprint.nodes import Business
from crm.blueprint.problems import DefinitionError
from crm.release.applying import (
    apply_lock,
    apply_plan,
    catch_up,
    give_up_left_over,
    refuse_differences,
    refuse_risks,
)
from crm.release.errors import NotApplied, NotFinished
from crm.release.finishing import finish_release
from crm.release.plan import ReleasePlan, make_plan
from crm.release.plan_text import plan_text
from crm.release.releases import add_renames
from crm.wiring import LANGUAGE


class Command(BaseCommand):
    help = "Shows the plan, asks, and brings the definitions into force."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="go ahead without asking")
        parser.add_argument("--allow-data-loss", action="store_true", help="take steps that lose data, archived first")
        parser.add_argument(
            "--drop-left-over",
            nargs="*",
            metavar="NAME",
            help="first drop what another branch has left in the database, archived: all, or customer.nick",
        )
        parser.add_argument("--sql", action="store_true", help="show the SQL as well")

    def handle(self, *args: Any, **options: Any) -> None:
        location = settings.BUSINESS_LOCATION
        try:
            with apply_lock(location):
                business = read_folder(location.folder, LANGUAGE)
                is_changed = self._bring_into_force(business, options)
        except DefinitionError as error:
            self.stderr.write(f"{error}\n\n{error.summary}. Nothing was changed.")
            sys.exit(1)
        except NotFinished as error:
            words = _(
                "The database serves the new definitions, but their release is not finished; apply again finishes it."
            )
            raise CommandError(f"{error}\n{words}") from error
        except NotApplied as error:
            raise CommandError(str(error)) from error.__cause__
        if is_changed:
            self.stdout.write(self.style.SUCCESS(_("Applied.")))

    def _bring_into_force(self, business: Business, options: dict[str, Any]) -> bool:
        """Carry out all that there is to do, and say whether there was anything."""
        location = settings.BUSINESS_LOCATION
        plan = self._planned(business, options)
        if options["drop_left_over"] is not None:
            self._agree(_("Drop what is left over?"), options)
            give_up_left_over(plan, options["drop_left_over"], self.stdout.write)
            plan = self._planned(business, options)
        refuse_differences(plan)
        if not plan.sees_rows and (plan.steps or plan.merges):
            self._agree(_("Run these migrations first?"), options)
            catch_up(plan, location, self.stdout.write)
            self.stdout.write("Ran them. Now its rows can be looked at.\n")
            plan = self._planned(business, options)
        if plan.is_empty:
            if plan.unnoted_renames and plan.release is not None:
                add_renames(plan.release, plan.unnoted_renames)
            return False
        refuse_risks(plan, options["allow_data_loss"])
        self._agree(_("Apply this?"), options)
        if plan.is_only_unfinished and plan.release is not None:
            finish_release(plan, plan.release, location, self.stdout.write)
        else:
            apply_plan(plan, location, self.stdout.write)
        return True

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
