"""The migration files of a business: loaded with clear errors, named by their content, written whole or not at all.

A name carries a hash of what the migration builds on and of the definitions that it leads to. So two branches never
make two migrations of one name, of which Django would take the second for the first and skip it.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.exceptions import BadMigrationError, NodeNotFoundError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter
from django.utils.translation import gettext as _

from crm.blueprint.files import UnsafeFile, find_merge_mark, read_regular_file
from crm.business import Location
from crm.release.batched import BatchedMigration
from crm.release.errors import NotApplied

DIGITS = 6


def load_migrations(location: Location) -> MigrationExecutor:
    """Return Django's executor for this database. Raises NotApplied where a file of the business cannot be used."""
    for path in sorted(location.migrations.glob("*.py")):
        _check_file(path, location)
    try:
        return MigrationExecutor(connection)
    except NodeNotFoundError as error:
        sentence = _("%(file)s builds on %(name)s, whose file is not here. Bring it here from the branch that has it.")
        file = f"{location.label}/migrations/{error.origin.name}.py" if error.origin else "A migration"
        raise NotApplied(sentence % {"file": file, "name": ".".join(error.node)}) from None
    except (BadMigrationError, SyntaxError, ImportError) as error:
        raise NotApplied(_("The migrations cannot be loaded: %(why)s") % {"why": error}) from error


def _check_file(path: Path, location: Location) -> None:
    name = f"{location.label}/migrations/{path.name}"
    try:
        text = read_regular_file(path, location.folder).decode("utf-8", "replace")
        line = find_merge_mark(text)
    except UnsafeFile as error:
        raise NotApplied(f"{name} {error}; it was not read.") from None
    except OSError as error:
        raise NotApplied(f"{name}: {error.strerror}") from None
    if line:
        sentence = _(
            "%(name)s:%(line)s: a merge of Git is not finished here. Two branches made this migration of the same "
            "definitions: keep either side whole (git checkout --ours, or --theirs)."
        )
        raise NotApplied(sentence % {"name": name, "line": line})
    others = {dependency or target for dependency, target in LABELS.findall(text)} - {location.label}
    for label in sorted(others - {config.label for config in apps.get_app_configs()}):
        sentence = _(
            "%(name)s is of the business %(label)s, and its folder is called %(folder)s. A business is known by its "
            "folder: rename it to %(label)s (git clone … %(label)s)."
        )
        raise NotApplied(sentence % {"name": name, "label": label, "folder": location.label})


LABELS = re.compile(r"""\('(\w+)', '\d{4}_\w+'\)|\bto='(\w+)\.\w+'""")
"""What a migration names of other apps: `('shop', '0001_initial_…')` that it builds on, and `to='shop.customer'`."""


def leaves_of(loader: MigrationLoader, label: str) -> list[str]:
    """Return the newest migrations of a business: one, or one of each branch that was merged."""
    return sorted(name for app, name in loader.graph.leaf_nodes() if app == label)


def state_of(loader: MigrationLoader, label: str, applied: bool = False) -> ProjectState:
    """Return the state that the files lead to, or (`applied`) those that this database has run.

    Without migrations, the business has no models yet. Raises NotApplied where the branches contradict each other.
    """
    nodes = None
    if applied:
        nodes = [key for key in loader.applied_migrations if key in loader.graph.nodes]
    try:
        state = loader.project_state(nodes)
    except Exception as error:  # Django lets whatever an operation stumbles over through.
        leaves = leaves_of(loader, label)
        if len(leaves) < 2:
            raise
        sentence = _(
            "The migrations of two branches contradict each other (%(leaves)s): %(why)s. Delete the file of the one "
            "that no database has run yet, and apply: what it did is planned anew from the YAML files. Where each has "
            "run in a database of its own, delete all files of one of the branches: its database has its column left "
            "over then. apply --drop-left-over gives that up; to keep its values, give it another name on its branch "
            "before the merge, and leave 'was' out behind it."
        )
        raise NotApplied(sentence % {"leaves": ", ".join(leaves), "why": error}) from error
    state.real_apps = state.real_apps - {label}
    return state


def engine_migration(loader: MigrationLoader) -> tuple[str, str]:
    """Return the newest migration of the engine: the business's own build on it."""
    return max(key for key in loader.disk_migrations if key[0] == "crm")


def migration_name(number: int, word: str, *content: str) -> str:
    """Return the name of a migration: its number, a word, and a hash of its content."""
    return f"{number:04}_{word}_{hashlib.sha256(' '.join(content).encode()).hexdigest()[:DIGITS]}"


def next_number(names: Sequence[str]) -> int:
    """Return the number of the next migration; names that somebody has given by hand may have none."""
    return max((int(match[0]) for match in (re.match(r"\d+", name) for name in names) if match), default=0) + 1


def merge_migration(label: str, leaves: Sequence[str]) -> BatchedMigration:
    """Return the migration that brings branches together; the same one wherever they are merged."""
    made = type("Migration", (BatchedMigration,), {})(merge_name(leaves), label)
    made.dependencies = [(label, name) for name in leaves]
    return made


def merge_name(leaves: Sequence[str]) -> str:
    return migration_name(next_number(leaves), "merge", *leaves)


def write_migration(migration: Migration, location: Location) -> Path:
    """Write a migration into the folder of the business, so that a reader sees the whole of it or nothing."""
    location.migrations.mkdir(exist_ok=True)
    package = location.migrations / "__init__.py"
    if not package.exists():
        _write(package, "")
    text = MigrationWriter(migration, include_header=False).as_string()
    text = text.replace("class Migration(migrations.Migration):", "class Migration(BatchedMigration):", 1)
    text = text.replace(
        "\n\n\nclass Migration", "\nfrom crm.release.batched import BatchedMigration\n\n\nclass Migration", 1
    )
    path = location.migrations / f"{migration.name}.py"
    _write(path, f"# What `manage.py apply` did; run like any migration of Django.\n{text}")
    importlib.invalidate_caches()
    sys.modules.pop(f"{location.module}.migrations", None)
    return path


def _write(path: Path, text: str) -> None:
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    waiting.write_text(text, encoding="utf-8")
    os.replace(waiting, path)
