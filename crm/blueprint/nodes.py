"""The blueprint: a business as a graph of entities and fields, each knowing its file and line."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from crm.blueprint.access import Grants
from crm.blueprint.expressions.computing import ON_READ
from crm.blueprint.expressions.tree import Expression
from crm.blueprint.language import Language, TypeSpec
from crm.blueprint.names import camel, humanize, in_sentence, plural
from crm.blueprint.problems import Place
from crm.blueprint.reader import Document
from crm.blueprint.rules import Rules
from crm.blueprint.sections import AppSection, EntitySection, RoleSection
from crm.blueprint.text import Template


class Shared:
    """A part of the blueprint: it never changes, so a copy of whatever refers to it refers to the same."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self


@dataclass(frozen=True)
class Origin:
    """A spot in a definition file that is looked up only when it is shown: the files are not read for it before."""

    document: Document
    path: tuple[Hashable, ...]

    def __str__(self) -> str:
        return str(self.document.place(self.path, key=True))


@dataclass(frozen=True, eq=False)
class Field(Shared):
    """A field of an entity: its type, its checked options, and where it was written."""

    name: str
    type: Any
    """The field type (crm.fields.base.FieldType); `Any` because this layer knows only its protocol."""
    options: Any
    entity: Entity
    document: Document
    path: tuple[Hashable, ...]
    record: bool = False
    """True for the fields that every record has (`created`, `updated`)."""
    whole: Field | None = None
    """The composite field that this one is a part of."""
    parts: dict[str, Field] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return self.options.label or humanize(self.name)

    @property
    def business(self) -> Business:
        return self.entity.business

    @property
    def leaves(self) -> list[Field]:
        """The fields that hold the data: the parts of a composite, else the field itself."""
        return [leaf for part in self.parts.values() for leaf in part.leaves] if self.parts else [self]

    @property
    def full_label(self) -> str:
        """The label, led by that of the composite that the field is a part of."""
        return f"{self.whole.label}: {self.label.lower()}" if self.whole else self.label

    @cached_property
    def distinct_label(self) -> str:
        """The label on forms and lists: the full one where another field of the entity has the same (two addresses)."""
        others = (leaf.label for leaf in self.entity.leaves if leaf is not self)
        return self.full_label if self.whole and self.label in others else self.label

    @property
    def target(self) -> Entity | None:
        """The entity that a link, links or table field leads to."""
        return self.business.entities.get(self.type.target(self))

    @property
    def computed(self) -> Expression | None:
        """What the value is worked out from, or None where it is given."""
        return self.entity.computed.get(self.name)

    @property
    def storage(self) -> str:
        """Where a computed value is kept: GENERATED, KEPT or LIVE; an empty text for a given one."""
        return self.entity.storage.get(self.name, "")

    @property
    def stored(self) -> bool:
        """Whether the database has a column (or a table of links) for it."""
        return self.type.stored and self.storage != ON_READ

    @property
    def has_value(self) -> bool:
        """Whether a record has a value for it, be it in a column or worked out when it is asked for."""
        return self.stored or self.computed is not None

    @property
    def read_only(self) -> bool:
        """Whether no form asks for it."""
        return self.options.read_only or self.computed is not None or self.name in self.entity.guarded

    @cached_property
    def validators(self) -> tuple[Any, ...]:
        """The validators of the column; made once, since a file asks for them with each of its cells."""
        return tuple(self.type.validators(self))

    def place(self, *path: Hashable, key: bool = False) -> Place:
        return self.document.place((*self.path, *path), key=key)

    @property
    def origin(self) -> Origin:
        return Origin(self.document, self.path)

    def __str__(self) -> str:
        return f"{self.entity.name}.{self.name}"

    __repr__ = __str__


@dataclass(frozen=True, eq=False)
class Entity(Shared):
    """A kind of record: its fields in the order of the file, and its sections."""

    name: str
    section: EntitySection
    document: Document
    business: Business
    fields: dict[str, Field] = field(default_factory=dict)
    record_fields: dict[str, Field] = field(default_factory=dict)
    sections: dict[str, BaseModel] = field(default_factory=dict)
    texts: dict[str, Template] = field(default_factory=dict)
    computed: dict[str, Expression] = field(default_factory=dict)
    """The expressions of the computed fields, by name."""
    rules: Rules = field(default_factory=Rules)
    guarded: set[str] = field(default_factory=set)
    """The fields that only a capability's own action changes once a record is there, such as a workflow's state."""
    grants: Grants = field(default_factory=dict)
    """What each role may do with the records: role → verb → grant."""
    read: dict[str, Any] = field(default_factory=dict)
    """What capabilities have made of their sections while checking them, by the capability's name."""
    storage: dict[str, str] = field(default_factory=dict)
    """Where each computed field's value is kept; see `expressions/computing.py`."""

    @property
    def label(self) -> str:
        return self.section.label or humanize(self.name)

    @property
    def plural(self) -> str:
        return self.section.plural or plural(self.label)

    @property
    def icon(self) -> str:
        return self.section.icon

    @property
    def class_name(self) -> str:
        return camel(self.name)

    @property
    def title(self) -> Template:
        return self.texts["title"]

    def noun(self, count: int) -> str:
        """Return what so many records are called inside of a sentence: `booking`, `bookings`."""
        return in_sentence(self.label if count == 1 else self.plural)

    @property
    def leaves(self) -> list[Field]:
        """The declared fields that hold data, composites taken apart, in the order of the file."""
        return [leaf for whole in self.fields.values() for leaf in whole.leaves]

    def find(self, name: str) -> Field | None:
        """Return a field by name: declared, part of a composite (`address_city`), or of every record."""
        whole = self.fields.get(name) or self.record_fields.get(name)
        return whole or next((leaf for leaf in self.leaves if leaf.name == name), None)

    def now_called(self, name: str) -> str:
        """Return the hint that a field was renamed, for its former name; nothing for another name."""
        renamed = next((leaf.name for leaf in self.fields.values() if leaf.options.was == name), "")
        return f"It is {renamed!r} now." if renamed else ""

    def follow(self, path: str) -> list[Field]:
        """Return the fields along `customer.address.city`. Raises KeyError with the name that is not there."""
        return list(self.steps(path))

    def chain(self, path: str) -> list[Field]:
        """Return the fields along a path of a list, where `id` may stand, which is no field."""
        return [] if path.lstrip("-") == "id" else self.follow(path)

    def steps(self, path: str) -> Iterator[Field]:
        """Yield the fields along a path. Raises KeyError at the first name that is not there.

        Behind a link whose target cannot be read, that is the whole path: nobody knows what the target has.
        """
        entity: Entity | None = self
        step: Field | None = None
        for name in path.lstrip("-").split("."):
            if step is not None and step.parts:
                step = step.parts.get(f"{step.name}_{name}")
            else:
                is_lost = step is not None and entity is None and bool(step.type.target(step))
                step = entity.find(name) if entity else None
                name = path.lstrip("-") if is_lost else name
            if step is None:
                raise KeyError(name)
            yield step
            entity = step.target

    def place(self, *path: Hashable, key: bool = False) -> Place:
        return self.document.place(path, key=key)

    def origin(self, *path: Hashable) -> Origin:
        return Origin(self.document, path)

    def pointing_here(self) -> list[Field]:
        """Return the fields of all entities that lead to this one, in the order of the files."""
        everyone = (link for entity in self.business.entities.values() for link in entity.fields.values())
        return [link for link in everyone if link.type.target(link) == self.name]

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


@dataclass(frozen=True, eq=False)
class Business(Shared):
    """All of a business: `app.yaml` and its entities. `label` is the name of its folder and of its Django app."""

    label: str
    app: AppSection
    documents: dict[str, Document]
    language: Language
    entities: dict[str, Entity] = field(default_factory=dict)

    @property
    def roles(self) -> dict[str, RoleSection]:
        return {name: role or RoleSection() for name, role in self.app.roles.items()}

    @property
    def profile(self) -> Entity | None:
        """The entity whose records tell more of users, if there is one."""
        return self.entities.get(self.app.profile or "")

    @property
    def data(self) -> dict[str, Any]:
        """The plain data of every file: what a snapshot holds."""
        return {name: document.data for name, document in sorted(self.documents.items())}


__all__ = ["Business", "Entity", "Field", "TypeSpec"]
