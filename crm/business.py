"""Where the business lives: its folder, the snapshot that is in force, and the Python module it is known as.

Needs no settings, so that the settings can use it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from crm.blueprint.files import read_regular_file
from crm.blueprint.names import name_problem

PACKAGE = "definitions"
"""The package that holds the business's folder, wherever it lies, as `definitions.<label>`."""
SNAPSHOT = "applied.json"


@dataclass(frozen=True)
class Location:
    """A business's folder; `label` is the folder's name, and the name of its Django app."""

    folder: Path

    @property
    def label(self) -> str:
        return self.folder.name

    @property
    def module(self) -> str:
        return f"{PACKAGE}.{self.label}"

    @property
    def migrations(self) -> Path:
        return self.folder / "migrations"

    @property
    def snapshot(self) -> Path:
        return self.migrations / SNAPSHOT


TAKEN = {"admin", "auth", "contenttypes", "crm", "messages", "project", "sessions", "staticfiles", "unfold"}


def locate(name: str, base: Path) -> Location:
    """Find a business by its name in `base`, or by a path. Raises ValueError with a sentence for people."""
    folder = Path(name).expanduser() if "/" in name or name.startswith(".") else base / name
    folder = folder.resolve()
    if not folder.is_dir():
        known = sorted(path.parent.name for path in base.glob("*/app.yaml"))
        raise ValueError(f"BUSINESS={name}: there is no folder {folder}. Shipped: {', '.join(known)}.")
    trouble = name_problem(folder.name, "a business")
    if trouble or folder.name in TAKEN:
        raise ValueError(f"BUSINESS={name}: the folder's name: {trouble or 'it is taken by an app of the engine'}.")
    return Location(folder)


def install_package(location: Location) -> None:
    """Make the folder importable as `definitions.<label>`, and its parent as `definitions`."""
    package = ModuleType(PACKAGE)
    package.__path__ = [str(location.folder.parent)]
    sys.modules[PACKAGE] = package


def applied_app(snapshot: Path, folder: Path) -> dict[str, Any]:
    """Return the data of the `app.yaml` that is in force, for the settings; empty before the first apply."""
    try:
        return json.loads(read_regular_file(snapshot, folder))["definitions"]["app.yaml"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
