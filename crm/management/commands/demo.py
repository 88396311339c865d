"""manage.py demo: people and believable data to try a business out with."""

from __future__ import annotations

import os
import secrets
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import CommandError
from django.utils import timezone

from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.reader import read_file
from crm.capabilities.transfer.runs import import_file
from crm.management.entities import RecordsCommand, business_here
from crm.records.access import group_name


class Command(RecordsCommand):
    help = "Makes an account for each role, and loads the business's fixtures where there are no records yet."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo makes accounts with known passwords: it runs with DEBUG=1 only.")
        business = business_here()
        password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(9)
        names = [self._user(business, name, password) for name in ("admin", *business.roles)]
        folder = settings.BASE_DIR / "fixtures" / business.label
        if (folder / "demo.yaml").is_file():
            self._load(business, folder)
        for name in names:
            self.stdout.write(f"{name} / {password}")

    def _user(self, business: Business, role: str, password: str) -> str:
        is_admin = role == "admin"
        user, _ = get_user_model().objects.get_or_create(
            username=role, defaults={"is_staff": True, "is_superuser": is_admin, "email": f"{role}@example.com"}
        )
        user.set_password(password)
        user.save()
        if not is_admin:
            user.groups.set(Group.objects.filter(name=group_name(business, role)))
        return role

    def _load(self, business: Business, folder: Path) -> None:
        plan = read_file(folder / "demo.yaml", "demo.yaml").data
        shift = timezone.localdate() - date.fromisoformat(plan["as_of"])
        for name in plan["order"]:
            model = apps.get_model(business.label, business.entities[name].class_name)
            if model._default_manager.exists():
                continue
            data, started = (folder / f"{name}.csv").read_bytes(), timezone.now()
            _, import_plan = import_file(business.entities[name], f"{name}.csv", data, adjust=_shifted_by(shift))
            if not import_plan.is_sound:
                raise CommandError(f"{name}.csv: {[*import_plan.refusals, *import_plan.errors][:5]}")
            _date_versions(business, business.entities[name], started)
            self.stdout.write(f"{import_plan.counts['new']:>6} {business.entities[name].plural.lower()}")


def _date_versions(business: Business, entity: Entity, since: datetime) -> None:
    """Let the history tell that each record was entered when it was created, and changed its sums in others then."""
    model = apps.get_model(business.label, entity.class_name)
    dates = {model: dict(model._default_manager.values_list("pk", "created"))}
    waiting = [model]
    while waiting:
        holder = waiting.pop(0)
        for link in (column for column in holder._meta.concrete_fields if hasattr(column.related_model, "definition")):
            if link.related_model not in dates:
                dates[link.related_model] = {}
                waiting.append(link.related_model)
            known, holder_dates = dates[link.related_model], dates[holder]
            for key, target in holder._default_manager.filter(pk__in=holder_dates).values_list("pk", link.attname):
                known[target] = max(known.get(target, holder_dates[key]), holder_dates[key])
    for touched, known in dates.items():
        versions = list(touched.history.filter(history_date__gte=since))
        for version in versions:
            version.history_date = max(version.created, known.get(version.id, version.created))
        touched.history.bulk_update(versions, ["history_date"], batch_size=200)


def _shifted_by(shift: timedelta) -> Any:
    """Return the function that moves the fixtures' dates, so that they are as fresh as on the day of writing."""
    now = timezone.now()

    def adjust(leaf: Field, value: Any) -> Any:
        if isinstance(value, datetime):
            moved = value + shift
            return min(moved, now) if leaf.record else moved
        return value + shift if isinstance(value, date) else value

    return adjust
