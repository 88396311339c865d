"""manage.py recompute: works out every kept value anew."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings

from crm.blueprint.expressions.computing import MATERIALIZED
from crm.management.entities import RecordsCommand
from crm.records.changes import change_scope
from crm.records.computed_updates import recompute_dirty
from crm.records.deferred_checks import skip_checks
from crm.records.identity import refresh_keys


class Command(RecordsCommand):
    help = "Works out every computed value and comparison form that is kept in a column; `apply` does it by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        """Work out all entities together: what depends on another entity's values comes after those."""
        business = apps.get_app_config(settings.BUSINESS_LOCATION.label).business
        everything: dict[Any, dict[str, set[Any]]] = {}
        for entity in business.entities.values():
            model = apps.get_model(business.label, entity.class_name)
            names = [name for name, storage in entity.storage.items() if storage == MATERIALIZED]
            keys = set(model._base_manager.values_list("pk", flat=True)) if names else set()
            if keys:
                everything[model] = {name: set(keys) for name in names}
        with change_scope(reason="Worked out anew", source="recompute"), skip_checks():
            recompute_dirty(everything)
            for entity in business.entities.values():
                model = apps.get_model(business.label, entity.class_name)
                refresh_keys(model, list(model._base_manager.values_list("pk", flat=True)))
