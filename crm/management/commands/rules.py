"""manage.py rules: which records break a rule."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError

from crm.blueprint.problems import did_you_mean
from crm.management.entities import RecordsCommand
from crm.release.rule_violations import describe_violations, rules_of


class Command(RecordsCommand):
    help = "Says which records break a rule: they were there before it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("rules", nargs="*", help="booking.rules.0 or booking.show.reason; all where left out")

    def handle(self, *args: Any, **options: Any) -> None:
        business = apps.get_app_config(settings.BUSINESS_LOCATION.label).business
        known = [rule_check.key for rule_check in rules_of(business)]
        for key in options["rules"]:
            if key not in known:
                raise CommandError(f"There is no rule {key!r}. {did_you_mean(key, known)}")
        for rule_check in rules_of(business, options["rules"]):
            for line in describe_violations(rule_check):
                self.stdout.write(line)
