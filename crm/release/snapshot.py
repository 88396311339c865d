"""The snapshot: the definitions in force, beside the migrations. Every process starts from it, never from the YAML."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from crm.blueprint.compiler import compile_business
from crm.blueprint.files import UnsafeFile, find_merge_mark, read_regular_file
from crm.blueprint.nodes import Business
from crm.blueprint.problems import DefinitionError
from crm.blueprint.reader import Document, read_file
from crm.business import SNAPSHOT, Location
from crm.wiring import LANGUAGE

logger = logging.getLogger(__name__)

FORMAT = 1


@dataclass(frozen=True)
class Snapshot:
    """The plain data of every definition file, and the hash that a release is known by."""

    definitions: dict[str, Any]
    hash: str
    is_altered: bool = False
    """Whether the file was changed since `apply` wrote it: by hand, or by a merge of Git."""


def take_snapshot(business: Business) -> Snapshot:
    """Take the snapshot of a business: its data as JSON holds it."""
    data = json.loads(json.dumps(business.data, default=str))
    return Snapshot(data, _hash_of(data))


def _hash_of(definitions: dict[str, Any]) -> str:
    text = json.dumps(definitions, sort_keys=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_snapshot(path: Path, folder: Path | None = None, mend: bool = False) -> Snapshot | None:
    """Read the snapshot, which must lie in `folder`; None before the first apply.

    Raises ImproperlyConfigured where the file was damaged, or is no regular file. Where it holds both sides of a merge,
    `mend` takes the side that was merged into.
    """
    try:
        text = read_regular_file(path, folder or path.parent).decode("utf-8")
        if find_merge_mark(text):
            if not mend:
                raise ImproperlyConfigured(f"{path.name} holds both sides of a merge of Git. {MERGED}")
            text = THEIRS.sub(r"\1", text)
        raw = json.loads(text)
    except FileNotFoundError:
        return None
    except UnsafeFile as error:
        raise ImproperlyConfigured(f"{path.name} {error}; it was not read. Remove it, and {APPLY}") from None
    except ValueError as error:
        raise ImproperlyConfigured(f"{path.name} is damaged ({error}). Restore it, or {APPLY}") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT or not isinstance(raw.get("definitions"), dict):
        raise ImproperlyConfigured(f"{path.name} is of another version of the engine. {APPLY.capitalize()}")
    actual = _hash_of(raw["definitions"])
    return Snapshot(raw["definitions"], actual, is_altered=actual != raw.get("hash"))


APPLY = "run: manage.py apply"
MERGED = f"Finish the merge of the YAML files, then {APPLY}. It writes {SNAPSHOT} from them, whichever side you keep."
THEIRS = re.compile(r"^<{7}[^\n]*\n(.*?)^(?:\|{7}[^\n]*\n.*?^)?={7}\n.*?^>{7}[^\n]*\n?", re.MULTILINE | re.DOTALL)
"""A conflict as Git marks it, with the side that was merged into as its group."""


def write_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write the snapshot so that a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        {"format": FORMAT, "hash": snapshot.hash, "definitions": snapshot.definitions}, indent=1, ensure_ascii=False
    )
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    waiting.write_text(text + "\n", encoding="utf-8")
    os.replace(waiting, path)


def business_of(snapshot: Snapshot | None, location: Location) -> Business:
    """Build the blueprint of a snapshot; places are looked up in the YAML files where those still say the same."""
    definitions = snapshot.definitions if snapshot else {}
    documents = {name: _document(location, name, data) for name, data in definitions.items()}
    return compile_business(location.label, documents, LANGUAGE, was_in_force=True)


def _document(location: Location, name: str, data: dict[str, Any]) -> Document:
    return AppliedDocument(f"{location.label}/{name}", data, source=location.folder / name)


class AppliedDocument(Document):
    """A document of the snapshot: finds its places in the YAML only when someone asks."""

    def __init__(self, file: str, data: dict[str, Any], source: Path):
        super().__init__(file, data)
        self._source = source
        self._read = False

    def place(self, path: tuple = (), *, key: bool = False) -> Any:
        if not self._read:
            self._read = True
            try:
                written = read_file(self._source, self.file)
            except DefinitionError:
                written = None
            if written and json.loads(json.dumps(written.data, default=str)) == self.data:
                self.keys, self.values, self.lines = written.keys, written.values, written.lines
        return super().place(path, key=key)


def snapshot_in_force(location: Location, override: Path | None = None) -> Snapshot | None:
    """Return the snapshot that this process serves: the business's own, or another for a trial start.

    Raises ImproperlyConfigured where it was damaged; the commands that write a new one go on without it.
    """
    try:
        if override:
            return read_snapshot(override)
        return read_snapshot(location.snapshot, location.folder, mend=settings.RELEASING)
    except ImproperlyConfigured as error:
        if settings.RELEASING:
            logger.info("The snapshot in force is written anew: %s", error)
            return None
        raise


def business_in_force(snapshot: Snapshot | None, location: Location, releasing: bool = False) -> Business:
    """Return the business of the snapshot in force.

    Raises ImproperlyConfigured where the snapshot does not fit the engine any more; the commands that bring new
    definitions into force (`releasing`) go on without it.
    """
    try:
        return business_of(snapshot, location)
    except DefinitionError as error:
        if releasing:
            return business_of(None, location)
        raise ImproperlyConfigured(
            f"The definitions in force do not fit this version of the engine:\n{error}\n"
            "Mend the YAML and run: manage.py apply"
        ) from None
