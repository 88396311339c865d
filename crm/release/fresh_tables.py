"""The first tables of a business: made as its last migration leaves them, instead of by each migration in turn.

A new clone, a new server or a test starts with no table of the business. Django would take it through all releases
there ever were, and render its models again after each step: seconds for five releases, minutes for a hundred. No row
is there yet that a step could convert, so the outcome is the same; the migrations are noted as applied.
"""

from __future__ import annotations

from django.db import connection, migrations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from crm.release import data_migrations

TABLES = (migrations.CreateModel.__module__, migrations.AddField.__module__)
"""Where the operations of Django live that change tables, and do nothing else."""
CONVERSIONS = data_migrations.__name__
"""Where the functions live that migrations of `apply` call: they convert rows, and do nothing where there are none."""


def make_fresh_tables(label: str) -> bool:
    """Make all tables of a business that has none, and note its migrations as applied; return whether that was done.

    Left to Django are a business with a table or an applied migration, and one with a step that `apply` did not write:
    nobody knows what else it does.
    """
    executor = MigrationExecutor(connection)
    loader = executor.loader
    others = [key for key in loader.graph.leaf_nodes() if key[0] != label]
    before = {key for leaf in others for key in loader.graph.forwards_plan(leaf)}
    mine = [key for key in loader.graph.nodes if key[0] == label]
    if not mine or not before.isdisjoint(mine) or not _is_fresh(label, loader):
        return False
    if not all(_is_ours(operation) for key in mine for operation in loader.get_migration(*key).operations):
        return False
    executor.migrate(others)
    apps = loader.project_state(loader.graph.leaf_nodes()).apps
    with connection.schema_editor() as editor:
        for model in apps.get_app_config(label).get_models():
            editor.create_model(model)
    for key in mine:
        executor.recorder.record_applied(*key)
    return True


def _is_fresh(label: str, loader: MigrationLoader) -> bool:
    """Say whether the database has neither a migration nor a table of a business."""
    tables = connection.introspection.table_names()
    return not any(app == label for app, _name in loader.applied_migrations) and not any(
        table.startswith(f"{label}_") for table in tables
    )


def _is_ours(operation: Operation) -> bool:
    """Say whether a step changes tables alone, or converts rows as `apply` writes it."""
    if isinstance(operation, migrations.RunPython):
        return getattr(operation.code, "func", operation.code).__module__ == CONVERSIONS
    return type(operation).__module__ in TABLES
