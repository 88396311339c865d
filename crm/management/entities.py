"""What the commands share: a database that is up to date, and finding an entity and a user by name."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from crm.blueprint.nodes import Business, Entity
from crm.blueprint.problems import did_you_mean
from crm.records.missing_columns import describe_missing_column
from crm.release.errors import NotApplied
from crm.release.migration_files import load_migrations


class RecordsCommand(BaseCommand):
    """A command that reads or writes records: refused, by CommandError, in a database that lags behind."""

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            executor = load_migrations(settings.BUSINESS_LOCATION)
        except NotApplied as error:
            raise CommandError(str(error)) from error
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            many = f"{len(pending)} migrations" if len(pending) > 1 else "1 migration"
            raise CommandError(f"This database has {many} to run first. Run: manage.py apply")
        trouble = describe_missing_column(settings.BUSINESS_LOCATION.label)
        if trouble:
            raise CommandError(trouble)
        return super().execute(*args, **options)


def business_here() -> Business:
    """Return the business that this process serves."""
    return apps.get_app_config(settings.BUSINESS_LOCATION.label).business


def find_entity(name: str) -> Entity:
    """Return an entity by name. Raises CommandError with a suggestion."""
    entities = business_here().entities
    if name in entities:
        return entities[name]
    if not entities:
        raise CommandError("No definitions are in force yet. Run: manage.py apply")
    raise CommandError(f"There is no entity {name!r}. {did_you_mean(name, entities)}")


def find_user(name: str | None) -> Any:
    """Return a user by name, or None where none is named. Raises CommandError for an unknown one."""
    if name is None:
        return None
    users = get_user_model()._default_manager
    user = users.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}. {did_you_mean(name, users.values_list('username', flat=True))}")
    return user
