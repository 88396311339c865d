"""What the blueprint asks of a field type and of a capability: the whole protocol between the layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel

if TYPE_CHECKING:
    from crm.blueprint.nodes import Entity, Field

Report = Callable[..., None]
"""`report(message, *path, hint="", key=False, within=None)`: a problem at `path` below the node that is being checked.

`within` is the text that stands there and the letters before the part that is wrong, for a caret below that part."""


class TypeSpec(Protocol):
    """A field type, as far as reading definitions goes."""

    name: str
    Options: type[BaseModel]

    def parts(self, field: Field) -> Mapping[str, tuple[str, dict[str, Any]]]:
        """Name the fields that a composite field is made of: name → (type, options); empty for most types."""

    def adds(self, field: Field) -> Iterable[tuple[str, str, dict[str, Any]]]:
        """Name the fields that this one adds to other entities: (entity, name, raw definition)."""

    def target(self, field: Field) -> str:
        """Name the entity that the field leads to, or an empty text."""

    def needs_target(self, field: Field) -> bool:
        """Say whether a record cannot exist without the target."""

    def check(self, field: Field, report: Report) -> None:
        """Report what is wrong with the field once all entities are known."""


class SectionSpec(Protocol):
    """A capability's own key in an entity's file."""

    name: str
    Section: type[BaseModel]
    panels: Mapping[str, str]
    actions: Mapping[str, Callable[..., Any]]

    def check(self, entity: Entity, section: BaseModel, report: Report) -> None:
        """Report what is wrong with the section once all entities are known."""


@dataclass(frozen=True)
class Language:
    """The words that definitions may use: field types by name, capabilities' sections by key."""

    types: Mapping[str, TypeSpec]
    sections: Mapping[str, SectionSpec] = field(default_factory=dict)
    record: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """The fields that every record has: name → raw definition."""

    @property
    def actions(self) -> dict[str, Callable[..., Any]]:
        """The named actions of all capabilities."""
        return {name: action for section in self.sections.values() for name, action in section.actions.items()}

    @property
    def panels(self) -> dict[str, str]:
        """The words for what capabilities show in a form's tab: word → what it shows."""
        return {word: text for section in self.sections.values() for word, text in section.panels.items()}
