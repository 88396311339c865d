"""The snapshot: only a regular file of the business's folder is read, and a merge of Git in it is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from crm.business import applied_app
from crm.release.snapshot import Snapshot, read_snapshot, write_snapshot

OURS = {"app.yaml": {"name": "Shop"}, "customer.yaml": {"fields": {"name": "text", "nick": "text"}}}
THEIRS = {"app.yaml": {"name": "Shop"}, "customer.yaml": {"fields": {"name": "text", "phone": "phone"}}}


def write(path: Path, definitions: dict) -> str:
    write_snapshot(Snapshot(definitions, "as it was written"), path)
    return path.read_text()


def merged(path: Path) -> None:
    """Write a file as Git leaves it where both sides changed the same lines."""
    ours, theirs = (write(path, one).splitlines() for one in (OURS, THEIRS))
    lines = []
    for one, other in zip(ours, theirs, strict=True):
        lines += [one] if one == other else ["<<<<<<< HEAD", one, "=======", other, ">>>>>>> other"]
    path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("fifo", r"is a named pipe \(FIFO\), not a file"),
        ("folder", "is a folder, not a file"),
        ("device", "is a link that leads out of the folder"),
        ("link", "is a link that leads out of the folder"),
        ("link above", "is a link that leads out of the folder"),
    ],
)
def test_a_snapshot_that_is_no_file_of_the_folder_is_not_read(tmp_path: Path, kind: str, why: str):
    folder, elsewhere = tmp_path / "shop", tmp_path / "elsewhere"
    path = folder / "migrations" / "applied.json"
    elsewhere.mkdir()
    write(elsewhere / "applied.json", OURS)
    folder.mkdir()
    if kind == "link above":
        path.parent.symlink_to(elsewhere)
    else:
        path.parent.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind in ("device", "link"):
        path.symlink_to("/dev/zero" if kind == "device" else elsewhere / "applied.json")
    with pytest.raises(
        ImproperlyConfigured, match=f"^applied.json {why}; it was not read. Remove it, and run: manage.py"
    ):
        read_snapshot(path, folder)
    assert applied_app(path, folder) == {}


def test_both_sides_of_a_merge_are_told_and_the_commands_that_release_take_ours(tmp_path: Path):
    path = tmp_path / "applied.json"
    merged(path)
    with pytest.raises(ImproperlyConfigured, match="applied.json holds both sides of a merge of Git. Finish the merge"):
        read_snapshot(path)
    found = read_snapshot(path, mend=True)
    assert found.definitions == OURS


def test_a_snapshot_that_was_changed_by_hand_is_known_by_what_it_holds(tmp_path: Path):
    path = tmp_path / "applied.json"
    write(path, OURS)
    mine = read_snapshot(path)
    assert mine.is_altered and mine.hash != "as it was written"
    write_snapshot(mine, path)
    assert read_snapshot(path) == Snapshot(OURS, mine.hash, is_altered=False)
    raw = json.loads(path.read_text())
    raw["definitions"]["app.yaml"]["name"] = "Another"
    path.write_text(json.dumps(raw))
    assert read_snapshot(path).is_altered and read_snapshot(path).hash != mine.hash
