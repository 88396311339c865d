"""The apps: the engine with tables of its own, the business built from its definitions, and Django's admin."""

from __future__ import annotations

import gc
import sys
from types import ModuleType
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.utils.autoreload import BaseReloader, autoreload_started

from crm.blueprint.nodes import Business


class AdminConfig(DjangoAdminConfig):
    default_site = "crm.builders.site.Site"


class EngineConfig(AppConfig):
    name = "crm"
    verbose_name = "Office"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth import get_user_model
        from django.db.models.signals import pre_delete

        from crm import checks  # noqa: F401  (registers the checks; needs the app registry)
        from crm.records.accounts import keep_account

        pre_delete.connect(keep_account, sender=get_user_model(), dispatch_uid="accounts")
        autoreload_started.connect(_watch_snapshot, dispatch_uid="snapshot")


def _watch_snapshot(sender: BaseReloader, **_: Any) -> None:
    """Let the development server start anew when `apply` brings definitions into force."""
    sender.watch_dir(settings.BUSINESS_LOCATION.migrations, "applied.json")


class BusinessConfig(AppConfig):
    """The business of `BUSINESS`, built from the snapshot that is in force."""

    name = settings.BUSINESS_LOCATION.module
    label = settings.BUSINESS_LOCATION.label
    path = str(settings.BUSINESS_LOCATION.folder)
    default_auto_field = "django.db.models.BigAutoField"
    business: Business
    snapshot_hash: str

    def import_models(self) -> None:
        """Build the models instead of importing them; Django calls this when every app is known."""
        from crm.builders.models import build_models
        from crm.release.snapshot import business_in_force, snapshot_in_force
        from crm.wiring import CAPABILITIES

        self.models = self.apps.all_models[self.label]
        self.models_module = ModuleType(f"{self.name}.models")
        sys.modules[self.models_module.__name__] = self.models_module
        snapshot = snapshot_in_force(settings.BUSINESS_LOCATION, settings.SNAPSHOT)
        self.snapshot_hash = snapshot.hash if snapshot else ""
        self.business = business_in_force(snapshot, settings.BUSINESS_LOCATION, settings.RELEASING)
        self.verbose_name = self.business.app.name
        build_models(self.business, CAPABILITIES, self.models_module)

    def ready(self) -> None:
        from crm.kernel import actions
        from crm.records import gate
        from crm.records.queryset import connect_deletion_signals
        from crm.wiring import CAPABILITIES

        connect_deletion_signals(model for model in self.get_models() if hasattr(model, "definition"))
        for capability in CAPABILITIES:
            capability.ready(self.business)
            for name, action in capability.actions.items():
                actions.register(name, action, capability.name)
            for hook in (*capability.ways_in, *capability.ways_out, *capability.guards):
                gate.register(hook, capability.name)
        gc.freeze()  # What was built stays: no later search for garbage need look at it.
        if settings.COLLECTS_GARBAGE:
            gc.enable()
