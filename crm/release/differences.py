"""Schema drift: what the database is, held against what the files say; each difference with its way out.

`plan` and `apply` tell all of them. The cheap ones, which need no look at the tables, `manage.py check` tells as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm.release.releases import LastRelease
from crm.release.renamed_columns import RenamedColumn
from crm.release.snapshot import Snapshot


@dataclass(frozen=True)
class Difference:
    """One thing in which the database and the files differ: a sentence, and the way out of it."""

    sentence: str
    way_out: str
    is_settled_by_apply: bool = False
    """Whether an apply without further words puts it right."""
    blocks: bool = False
    """Whether nothing can be applied while it is there."""


@dataclass(frozen=True)
class UnknownMigration(Difference):
    """A migration that this database has run, and whose file is not here."""

    name: str = ""


@dataclass(frozen=True)
class LeftOver(Difference):
    """Columns, tables or unique constraints that the database has, and that no migration of the files makes."""

    columns: tuple[tuple[str, str], ...] = ()
    """Table and column; the column is empty where the whole table is left over."""
    constraint: tuple[str, str] | None = None
    """The table and the name of a unique constraint or index."""
    name: str = ""
    """What an owner calls it: `customer.nick`, or `visit` for a table."""
    is_adopted: bool = False
    """Whether it is a column that the definitions add just so: then its values are kept."""


@dataclass(frozen=True)
class Missing(Difference):
    """A table, a column or a unique constraint that the migrations have made, and that the database does not have."""

    table: str = ""
    column: str = ""
    unique: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Renamed(Missing):
    """A field that the database has by another name, since files that are not here renamed it; apply moves it."""

    entity: str = ""
    columns: tuple[RenamedColumn, ...] = ()
    """Its column in the table of the records, in that of the history, and with its comparison form."""


@dataclass(frozen=True)
class Altered(Difference):
    """A column that is of another type, or takes NULL where it should not, or the other way round."""


@dataclass(frozen=True)
class StrayChoice(Difference):
    """A value that rows hold and that is none of the choices; `heir` is the choice that a release exchanged it for."""

    entity: str = ""
    field: str = ""
    model: str = ""
    """The model and the column, as the tables have them."""
    column: str = ""
    value: str = ""
    heir: str = ""


@dataclass(frozen=True)
class OtherDefinitions(Difference):
    """The database was brought to other definitions than the snapshot holds, or the snapshot was changed by hand."""


@dataclass(frozen=True)
class UnfinishedRelease(Difference):
    """A release whose apply was killed, or failed, before all of its tasks were done."""


def release_differences(snapshot: Snapshot | None, release: LastRelease | None) -> Iterator[Difference]:
    """Yield what differs between the release that the database notes and the snapshot on disk; reads no table."""
    if release is not None and release.pending:
        sentence = _("The release of %(when)s was not finished. Still to do: %(tasks)s.")
        values = {"when": release.when, "tasks": "; ".join(release.pending_words)}
        yield UnfinishedRelease(sentence % values, _("apply finishes it."), is_settled_by_apply=True)
    if snapshot is None:
        return
    if snapshot.is_altered:
        sentence = _("applied.json was changed since apply wrote it, by hand or by a merge.")
        yield OtherDefinitions(sentence, _("apply writes it anew from the YAML files."), is_settled_by_apply=True)
    way_out = _("apply brings the definitions of this folder into force.")
    if release is None:
        sentence = _("apply has not noted a release in this database yet.")
        yield OtherDefinitions(sentence, way_out, is_settled_by_apply=True)
    elif release.hash != snapshot.hash:
        sentence = _("The release of %(when)s brought this database to other definitions than those of applied.json.")
        yield OtherDefinitions(sentence % {"when": release.when}, way_out, is_settled_by_apply=True)


def unknown_migrations(label: str, applied: Collection[tuple[str, str]], files: Collection[tuple[str, str]]) -> list:
    """Return a difference for each migration of the business that was run, and whose file is not here."""
    sentence = _("The migration %(name)s was run in this database, and its file is not here.")
    return [
        UnknownMigration(sentence % {"name": name}, way_out_of_left_overs(), name=name)
        for app, name in sorted(applied)
        if app == label and (app, name) not in files
    ]


def way_out_of_left_overs(name: str = "") -> str:
    """Return what to do about what another branch has left in the database; `name` is of a thing in the way."""
    sentence = _(
        "It comes from another branch, or from a later version. To keep it, bring those files here (git merge, or git "
        "checkout) and apply. To give it up: apply --drop-left-over%(name)s archives what it holds, and drops it."
    )
    return sentence % {"name": f" {name}" if name else ""}
