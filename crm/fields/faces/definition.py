"""What definitions say of a field: its name and options, and what only a look at all entities can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from crm.blueprint.language import Report
from crm.blueprint.nodes import Field
from crm.fields.options import Keyed, Options
from crm.fields.reading import Reading


class DefinitionFace:
    """What the blueprint asks of a field type: its words, and the fields and entities that it involves."""

    name: ClassVar[str]
    """The word after `type:` in YAML."""
    summary: ClassVar[str]
    """One line for the reference: what the type is for."""
    Options: ClassVar[type[Options]] = Keyed
    """The keys that its fields take beside `type`."""
    examples: ClassVar[Sequence[Any]] = ()
    """Values as files write them; the reference shows them and the contract tests live on them."""
    example_options: ClassVar[Mapping[str, Any]] = {}
    """The options of the field that `examples` are values of."""

    def parts(self, field: Field) -> Mapping[str, tuple[str, dict[str, Any]]]:
        """Return the ordinary fields that a composite is made of: name → (type, options)."""
        return {}

    def adds(self, field: Field) -> Iterable[tuple[str, str, dict[str, Any]]]:
        """Return the fields that this one adds to other entities: (entity, name, raw definition)."""
        return ()

    def target(self, field: Field) -> str:
        """Return the name of the entity that the field leads to, or nothing."""
        return ""

    def needs_target(self, field: Field) -> bool:
        """Say whether a record cannot exist without the target."""
        return False

    def check(self, field: Field, report: Report) -> None:
        """Report a default or backfill that is no value of this type."""
        for key in ("default", "backfill"):
            raw = getattr(field.options, key, None)
            if raw is None or (key == "default" and str(raw) in self.default_words(field)):
                continue
            try:
                self.validate(self.parse(raw, field, Reading()), field)
            except ValueError as error:
                report(f"{key!r}: {error}", key)
