"""A business of a test's own: its models in the registry and its tables in the database, for as long as it is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from types import ModuleType
from typing import Any

from django.apps import AppConfig, apps
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter
from django.db.models import signals
from hypothesis import currently_in_test_context, note
from simple_history.models import registered_models

from crm.blueprint.compiler import compile_business
from crm.blueprint.nodes import Business
from crm.blueprint.problems import DefinitionError
from crm.blueprint.reader import Document, read_text
from crm.builders.models import build_models
from crm.capabilities.history.versions import VersionRecords
from crm.records.queryset import connect_deletion_signals
from crm.release.batched import BatchedMigration
from crm.release.operations_to_steps import build_steps
from crm.release.plan import ReleasePlan
from crm.release.plan_context import PlanContext
from crm.release.renames import rename_steps
from crm.release.snapshot import take_snapshot
from crm.release.states import detect, wanted_state
from crm.wiring import CAPABILITIES, LANGUAGE
from properties.strategies import Documents, dump

RELEASE = "0002_release"
SIGNALS = (
    signals.post_init,
    signals.pre_save,
    signals.post_save,
    signals.pre_delete,
    signals.post_delete,
    signals.m2m_changed,
)
_numbers = count(1)


def read_business(label: str, documents: Documents) -> Business:
    """Read definitions as an owner's files, and then as the snapshot that processes start from."""
    files = {name: dump(data) for name, data in documents.items()}
    if currently_in_test_context():
        note("\n".join(f"# {name}\n{text}" for name, text in files.items()))
    try:
        read = {name: read_text(text, f"{label}/{name}") for name, text in files.items()}
        written = compile_business(label, read, LANGUAGE)
    except DefinitionError as error:
        raise AssertionError(f"the strategies made a definition that is not valid:\n{error}") from None
    data = take_snapshot(written).definitions
    applied = {name: Document(f"{label}/{name}", one) for name, one in data.items()}
    return compile_business(label, applied, LANGUAGE, was_in_force=True)


@cache
def _engine_state() -> ProjectState:
    """Return the state of the engine's own tables and Django's, without any business."""
    loader = MigrationLoader(None)
    state = loader.project_state([key for key in loader.graph.leaf_nodes() if key[0] == "crm"])
    for name in ("importrun", "release", "transition"):  # No business links to them; every state renders all models.
        state.remove_model("crm", name)
    return state


class _Config(AppConfig):
    path = "."
    default_auto_field = "django.db.models.BigAutoField"
    business: Business


class World:
    """One business at a time under a label of its own; `state` is that of its tables."""

    def __init__(self) -> None:
        self.label = f"made{next(_numbers)}"
        self.state = _engine_state()
        self._receivers = {signal: list(signal.receivers) for signal in SIGNALS}

    def install(self, business: Business) -> None:
        """Build the models of a business in the registry, in place of those before."""
        self.uninstall()
        module = ModuleType(f"definitions.{self.label}")
        sys.modules[module.__name__] = module
        config = _Config(module.__name__, module)
        config.apps, config.models, config.business = apps, apps.all_models[self.label], business
        apps.app_configs[self.label] = config
        connect_deletion_signals(build_models(business, CAPABILITIES, module).values())
        apps.clear_cache()

    def uninstall(self) -> None:
        """Forget the models, and whoever listens to them."""
        apps.app_configs.pop(self.label, None)
        apps.all_models.pop(self.label, None)
        for name in (f"definitions.{self.label}", f"definitions.{self.label}.wanted"):
            sys.modules.pop(name, None)
        for known in (registered_models, VersionRecords.m2m_models):
            for key in [key for key, one in known.items() if one._meta.app_label == self.label]:
                del known[key]
        for signal, receivers in self._receivers.items():
            signal.receivers = list(receivers)
            signal.sender_receivers_cache.clear()
        apps.clear_cache()

    def to_do(self, business: Business) -> list[Operation]:
        """Return the operations that are still to be done for a business."""
        return detect(self.state, wanted_state(business, self.state), self.label)

    def plan(self, before: Business, after: Business) -> ReleasePlan:
        """Return the plan that leads from one business to another, as `make_plan` works it out for a folder."""
        state = self.state.clone()
        steps, renames = rename_steps(after, state, before)
        wanted = wanted_state(after, state)
        context = PlanContext(before, after, self.state.clone(), wanted, renames, f"{self.label}.{RELEASE}")
        steps += build_steps(detect(state, wanted, self.label), context)
        return ReleasePlan(after, take_snapshot(after), RELEASE, None, steps)

    def migrate(self, operations: list[Operation]) -> None:
        """Write the operations as a migration's text, and carry out what the text says."""
        written = type("Migration", (migrations.Migration,), {"operations": operations})(RELEASE, self.label)
        text, found = MigrationWriter(written, include_header=False).as_string(), dict[str, Any]()
        exec(compile(text, f"{self.label}/{RELEASE}.py", "exec"), found)
        read = {"operations": found["Migration"].operations}
        with connection.schema_editor(atomic=True) as editor:
            state = type("Migration", (BatchedMigration,), read)(RELEASE, self.label).apply(self.state.clone(), editor)
        state.__dict__.pop("apps", None)
        self.state = state

    def drop(self) -> None:
        """Remove the tables, and what the engine keeps for the business in its own."""
        names = [name for name in connection.introspection.table_names() if name.startswith(f"{self.label}_")]
        with connection.schema_editor() as editor:
            for name in names:
                editor.execute(editor.sql_delete_table % {"table": editor.quote_name(name)})
        for model, column in (("Tag", "scope"), ("Counter", "key"), ("Archive", "release"), ("UploadFolder", "scope")):
            apps.get_model("crm", model).objects.filter(**{f"{column}__startswith": f"{self.label}."}).delete()


@contextmanager
def world() -> Iterator[World]:
    """Give a world, and take everything away again."""
    made = World()
    try:
        yield made
    finally:
        made.uninstall()
        made.drop()


@contextmanager
def installed(documents: Documents) -> Iterator[Business]:
    """Install a made-up business with its tables, and take it away again; its models are in the registry under `label`."""
    with world() as here:
        business = read_business(here.label, documents)
        here.install(business)
        here.migrate(here.to_do(business))
        yield business
