"""The migration that `apply` writes: like Django's, but quick with many new models, and no number is given out twice.

Django brings its rendered models up to date after every operation, and everything that is linked, directly or not, is
rendered again each time: with 400 new models this takes minutes. A run of creations needs the models only once, as
they are after the run; so such a run is taken together here, and its models may link in circles.

SQLite changes a column by making the whole table anew, and the new table would go on from its highest number: a new
record would get the number of a deleted one, and with it the history of that. It also refuses to add a column that it
computes to a table with rows, which Django does not know of columns that may be empty; there too, the table is made
anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import groupby
from typing import Any

from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from crm.release.repeated import without_repeats
from crm.release.sqlite_tables import columns_kept


class BatchedMigration(migrations.Migration):
    """Applies runs of `CreateModel` together, leaves out what another branch has added already, else does as Django."""

    def mutate_state(self, project_state: ProjectState, preserve: bool = True) -> ProjectState:
        with self._only(without_repeats(self.operations, project_state, self.app_label)):
            return super().mutate_state(project_state, preserve)

    def apply(self, project_state: ProjectState, schema_editor: Any, collect_sql: bool = False) -> ProjectState:
        add_field = schema_editor.add_field
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.add_field = partial(_add_field, schema_editor, add_field)
        try:
            operations = without_repeats(self.operations, project_state, self.app_label)
            for creates, run in groupby(operations, lambda operation: isinstance(operation, migrations.CreateModel)):
                for batch in [list(run)] if creates else ([operation] for operation in run):
                    kept = (
                        nullcontext() if collect_sql else kept_numbers(schema_editor.connection, self.app_label, batch)
                    )
                    with self._only(batch), kept, columns_kept(schema_editor):
                        how = self._create if creates else super().apply
                        project_state = how(project_state, schema_editor, collect_sql)
                    if isinstance(batch[0], migrations.RunPython) and not collect_sql:
                        _settle(schema_editor)
        finally:
            schema_editor.add_field = add_field
        return project_state

    @contextmanager
    def _only(self, operations: list[Operation]) -> Iterator[None]:
        """Let the migration consist of these operations meanwhile."""
        everything, self.operations = self.operations, operations
        try:
            yield
        finally:
            self.operations = everything

    def _create(self, project_state: ProjectState, schema_editor: Any, collect_sql: bool) -> ProjectState:
        project_state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(self.app_label, project_state)
        for operation in self.operations:
            if collect_sql:
                schema_editor.collected_sql.append(f"-- {operation.describe()}")
            operation.database_forwards(self.app_label, schema_editor, project_state, project_state)
        return project_state


@contextmanager
def kept_numbers(connection: Any, label: str, operations: Iterable[Operation] = ()) -> Iterator[None]:
    """Let SQLite's tables go on from their last numbers, also those that are made anew meanwhile."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = _last_numbers(cursor)
        yield
        for operation in operations:
            if isinstance(operation, migrations.RenameModel):
                last = before.pop(f"{label}_{operation.old_name_lower}", 0)
                before[f"{label}_{operation.new_name_lower}"] = last
        after = _last_numbers(cursor)
        for table, last in before.items():
            if after.get(table, last) < last:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])


def _add_field(schema_editor: Any, add_field: Callable[..., None], model: type[models.Model], field: Any) -> None:
    if isinstance(field, models.GeneratedField):
        schema_editor._remake_table(model, create_field=field)
    else:
        add_field(model, field)


def _settle(schema_editor: Any) -> None:
    """Let PostgreSQL check the links of the rows that were changed: until then it refuses to change their table."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


def _last_numbers(cursor: Any) -> dict[str, int]:
    """Return the last number that each table gave out; 0 where it gave none."""
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    numbers = {name: 0 for (name,) in cursor.fetchall()}
    if "sqlite_sequence" in numbers:
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        numbers.update(cursor.fetchall())
    return numbers
