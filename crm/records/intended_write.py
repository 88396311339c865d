"""An intended write: a record as it was and as it will be, who writes it, and by which way in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models

from crm.blueprint.access import ADD, CHANGE
from crm.blueprint.nodes import Entity, Field
from crm.kernel.guard import WayIn, WayOut
from crm.records.soft_delete import is_deleted

CODE = "code"
"""The way in of jobs, the shell and `save_as()`."""
NOTHING = (None, "")


@dataclass(frozen=True)
class Entering:
    """How a record that a form holds comes in: by which way, with which new many-to-many targets.

    Without a way in, it is not asked about now: its form hands it over together with others.
    """

    way_in: str | None = CODE
    links: Mapping[str, Collection[Any]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class IntendedWrite:
    """What somebody is about to write: nothing of it is in the database yet.

    `before` is the record as it was, read and locked once for all writes of a batch; None for one that never was.
    `links` holds the new targets of those many-to-many fields that change: field → primary keys. `unlocked` names the
    fields that an action changes with the rights of the definitions. `skipped` names fields that a form has found
    wrong already, or does not ask for. Without a `user`, the system writes.
    """

    record: Any
    before: Any = None
    user: Any = None
    way_in: str = CODE
    links: Mapping[str, Collection[Any]] = field(default_factory=dict)
    unlocked: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    given: frozenset[str] | None = None
    """The changed fields, where the way in knows them; else both records are compared."""

    @cached_property
    def changes(self) -> frozenset[str]:
        """The names of the fields whose value becomes another one; of a new record, of those that were given one."""
        if self.given is not None:
            return self.given | frozenset(self.links)
        given = (leaf.name for leaf in own_leaves(self.record.definition) if not self._is_same(leaf))
        return frozenset(given) | frozenset(self.links)

    def leave_links(self, names: AbstractSet[str]) -> None:
        """Leave many-to-many fields as they are: their new targets are not written."""
        if not names.isdisjoint(self.links):
            kept = {name: targets for name, targets in self.links.items() if name not in names}
            object.__setattr__(self, "links", kept)
            self.__dict__.pop("changes", None)

    @property
    def appears(self) -> bool:
        """Whether the record is none of those that are there: it is new, or comes back from where the deleted are."""
        return self.before is None or self.record._state.adding or is_deleted(self.before)

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be another afterwards."""
        return not self.appears and not self.changes

    @property
    def verb(self) -> str:
        return ADD if self.record._state.adding else CHANGE

    def _is_same(self, leaf: Field) -> bool:
        column = self.record._meta.get_field(leaf.name)
        value = getattr(self.record, column.attname)
        if self.before is None:
            return value in NOTHING or starts_as(column, value)
        return leaf.type.equals(getattr(self.before, column.attname), value)


def own_leaves(entity: Entity) -> list[Field]:
    """Return the fields that hold a single value of a record's own, which somebody or something gives it."""
    return [leaf for leaf in entity.leaves if leaf.stored and leaf.computed is None and not leaf.type.many]


def starts_as(column: models.Field, value: Any) -> bool:
    """Say whether a new record has a value without anybody giving it one: its default, be it another each time."""
    default = column.get_default()
    return value == default or default != column.get_default()


def as_before(record: models.Model) -> Any:
    """Return a copy of a record that was just read, for the time when it is about to be changed."""
    return copy(record)


@dataclass(frozen=True)
class Refusal:
    """Why one write is refused, and by which guard; `field` is the name of the field it is about, if any.

    `taken` names the fields whose values belong to another record, and `twin` the other write, where it is one. `lacks`
    is the verb that the user has no right to at all.
    """

    write: IntendedWrite
    message: str
    field: str = ""
    guard: str = ""
    taken: tuple[str, ...] = ()
    twin: IntendedWrite | None = None
    lacks: str = ""


@dataclass(frozen=True, eq=False)
class Batch:
    """Writes of one model by one user and one way in, which the guards are asked about together.

    Of records that are about to disappear, by a way out, each write holds the record as it is.
    """

    writes: Sequence[IntendedWrite]
    way_in: WayIn | WayOut

    @property
    def model(self) -> type[models.Model]:
        return type(self.writes[0].record)

    @property
    def entity(self) -> Entity:
        return self.writes[0].record.definition

    @property
    def user(self) -> Any:
        """Whose limits hold; None where there are none, for the system and for superusers."""
        user = self.writes[0].user
        return None if user is None or user.is_superuser else user

    def verb_of(self, write: IntendedWrite) -> str:
        return self.way_in.verb or write.verb

    def without(self, refusals: Collection[Refusal]) -> Batch:
        """Return the batch without the writes that are refused."""
        refused = {id(one.write) for one in refusals}
        return Batch([write for write in self.writes if id(write) not in refused], self.way_in)
