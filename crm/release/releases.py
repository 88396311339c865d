"""The rows of crm_release: which definitions this database was brought to, when, and what is still to do for it.

What a release has to do after its migrations is noted in the transaction of the migrations themselves, and each task is
struck off when it is done: so an apply that was killed is seen, and finished, by the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Release
from crm.release.renamed_columns import Rename


class Task(StrEnum):
    """What a release does after its migrations, in this order. Its words are noted in the database."""

    WRITE_SNAPSHOT = "snapshot"
    RECOMPUTE = "recompute"
    COUNT_RULES = "rules"
    """Its arguments are the keys of the rules."""
    RELOAD = "reload"

    def note(self, *arguments: str) -> str:
        """Return the task as it is noted, with its arguments."""
        return " ".join([self, *arguments])

    @classmethod
    def read(cls, noted: str) -> tuple[Task, list[str]]:
        """Return a noted task and its arguments. Raises ValueError for a task that this engine does not know."""
        word, *arguments = noted.split(" ")
        return cls(word), arguments


def describe_task(noted: str) -> str:
    """Return a noted task in an owner's words."""
    words = {
        Task.WRITE_SNAPSHOT: _("write applied.json"),
        Task.RECOMPUTE: _("work out the computed values"),
        Task.COUNT_RULES: _("count the records that break new rules"),
        Task.RELOAD: _("tell the web server to start anew"),
    }
    return words.get(noted.split(" ")[0], noted)


@dataclass(frozen=True)
class LastRelease:
    """What the newest row of a business says."""

    pk: int
    hash: str
    when: str
    pending: tuple[str, ...] = ()

    @property
    def pending_words(self) -> list[str]:
        return [describe_task(task) for task in self.pending]


def last_release(label: str) -> LastRelease | None:
    """Return the newest release of a business, or None where none is noted; also in a database of an older engine."""
    known = _columns()
    if not known:
        return None
    names = ["pk", "hash", "applied", *(["pending"] if "pending" in known else [])]
    row = Release.objects.filter(business=label).values(*names).first()
    if row is None:
        return None
    when = timezone.localtime(row["applied"]).strftime("%Y-%m-%d %H:%M")
    return LastRelease(row["pk"], row["hash"], when, tuple(row.get("pending", ())))


def _columns() -> set[str]:
    """Return the columns of the table of releases, also of an older engine; nothing where it is not there."""
    with connection.cursor() as cursor:
        table = Release._meta.db_table
        if table not in connection.introspection.table_names(cursor):
            return set()
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def noted_renames(label: str) -> list[Rename]:
    """Return what the releases of a business have renamed in this database, the oldest first."""
    if "renames" not in _columns():
        return []
    rows = Release.objects.filter(business=label).exclude(renames=[]).order_by("pk")
    return [Rename(*facts) for renames in rows.values_list("renames", flat=True) for facts in renames]


def add_renames(release: LastRelease, renames: Iterable[Rename]) -> None:
    """Note with a release what was renamed before it, and that none noted."""
    row = Release.objects.get(pk=release.pk)
    row.renames = [*(rename.as_data() for rename in renames), *row.renames]
    row.save(update_fields=["renames"])


def note_release(business: str, tasks: Iterable[str], **facts: Any) -> LastRelease:
    """Note a release with what it still has to do; it takes over the tasks of those before that were not finished."""
    unfinished = Release.objects.filter(business=business).exclude(pending=[])
    tasks = [*tasks]
    for earlier in unfinished:
        tasks += [task for task in earlier.pending if task.startswith(Task.COUNT_RULES) and task not in tasks]
    unfinished.update(pending=[])
    tasks.sort(key=lambda noted: list(Task).index(Task.read(noted)[0]))
    row = Release.objects.create(business=business, pending=tasks, **facts)
    return LastRelease(row.pk, row.hash, "", tuple(tasks))


def strike_off(release: LastRelease, task: str) -> None:
    """Note that a task of a release is done."""
    row = Release.objects.get(pk=release.pk)
    row.pending = [other for other in row.pending if other != task]
    row.save(update_fields=["pending"])
