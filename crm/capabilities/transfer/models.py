"""The record of an import: who, which file, what came of it; and what it would do, until it is done."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import models
from django.utils import timezone

PREVIEWED, IMPORTED, UNDONE, DISCARDED = "previewed", "imported", "undone", "discarded"


def _person() -> models.ForeignKey:
    return models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")


def person_of(user: Any) -> Any:
    """Return a user that can be kept as who did something; None for the system and for nobody."""
    return user if getattr(user, "pk", None) else None


class ImportRun(models.Model):
    """An import, from the preview to its undoing. The file is kept until it is imported or discarded.

    `started` and `user` are of the upload, `finished` and `imported_by` of the import, `closed` and `closed_by` of the
    undoing or discarding.
    """

    class Meta:
        app_label = "crm"
        ordering = ["-id"]
        verbose_name = "import"

    business = models.CharField(max_length=60)
    entity = models.CharField(max_length=60)
    user = _person()
    filename = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=8)
    numbers = models.CharField(max_length=20, blank=True, default="")
    encoding = models.CharField(max_length=40, blank=True, default="")
    source = models.FileField(upload_to="imports/", blank=True)
    preview = models.FileField(upload_to="imports/", blank=True)
    status = models.CharField(
        max_length=12, choices=[(one, one.capitalize()) for one in (PREVIEWED, IMPORTED, UNDONE, DISCARDED)]
    )
    new = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    change = models.UUIDField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    note = models.TextField(blank=True)
    started = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True)
    imported_by = _person()
    closed = models.DateTimeField(null=True)
    closed_by = _person()

    def __str__(self) -> str:
        return f"{self.filename} ({self.entity})"

    @property
    def last_step(self) -> dict[str, Any]:
        """When the import got its status, and by whom; None for what was not kept then."""
        if self.status in (UNDONE, DISCARDED):
            return {"when": self.closed, "who": self.closed_by}
        if self.status == IMPORTED:
            return {"when": self.finished, "who": self.imported_by or self.user}
        return {"when": self.started, "who": self.user}

    def close(self, status: str, user: Any) -> None:
        """Note that the import is undone or discarded, now and by this user; None is the system."""
        self.status, self.closed, self.closed_by = status, timezone.now(), person_of(user)

    def set_counts(self, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            setattr(self, name, count)

    def keep_preview(self, data: dict[str, Any], versions: Mapping[str, str]) -> None:
        """Keep what the import would do, for the preview's pages; behind it, on a line of its own, the version tokens.

        Packed as it is written, so that a large file's tokens are never there as one text.
        """
        packed = io.BytesIO()
        with gzip.open(packed, "wt", encoding="utf-8") as file:
            for line in (data, versions):
                for piece in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(line):
                    file.write(piece)
                file.write("\n")
        self.preview.save("preview.json.gz", ContentFile(packed.getvalue()), save=False)

    def read_preview(self) -> dict[str, Any]:
        """Return what the preview's pages show."""
        with self.preview.open("rb") as file, gzip.open(file, "rt", encoding="utf-8") as text:
            return json.loads(text.readline())

    def read_versions(self) -> dict[str, str] | None:
        """Return the version tokens by the numbers of the rows; None where the preview has none."""
        with self.preview.open("rb") as file, gzip.open(file, "rt", encoding="utf-8") as text:
            shown, versions = text.readline(), text.readline()
            return json.loads(versions) if versions else json.loads(shown).get("versions")

    def drop_files(self) -> None:
        """Remove the file and its preview: what was imported is in the records and their history."""
        for file in (self.source, self.preview):
            if file:
                file.delete(save=False)
