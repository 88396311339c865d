"""One cause, one message: what only follows from a faulty node of the definitions is not told beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from crm.blueprint.names import plural
from crm.blueprint.nodes import Business, Entity
from crm.blueprint.problems import Problem

QUOTED = re.compile(r"'([^']*)'")
LACKING = re.compile(r"'([^']*)' has no field '(\w+)'")
ROLE = re.compile(r"\brole")


@dataclass
class Faulty:
    """The nodes that something is wrong with; whoever names one of them may be right once it is mended."""

    lists: set[str] = field(default_factory=set)
    """The names of faulty entities, and those by which others know the records behind a faulty link or table."""
    fields: set[tuple[str, str]] = field(default_factory=set)
    """The faulty fields: what messages call the entity, and the name."""
    app: bool = False
    """Whether app.yaml is faulty, so that its roles are not known."""

    def add_entity(self, name: str) -> None:
        self.lists |= {name, plural(name)}

    def add_field(self, entity: Entity, name: str) -> None:
        """Add a field; where it is a link or a table, others know its entity's records by that one's name."""
        self.fields |= {(entity.label, name), (entity.name, name)}
        self.lists |= {entity.name, plural(entity.name), f"{entity.name}_{name}"}

    def add_lost_links(self, business: Business) -> None:
        """Add the fields that lead to what cannot be read: nothing can be said of what stands behind them."""
        for entity in business.entities.values():
            for link in entity.fields.values():
                if link.type.target(link) and link.target is None:
                    self.add_field(entity, link.name)

    def causes_alone(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return the problems that name nothing faulty."""
        return [problem for problem in problems if not self._follows(problem)]

    def _follows(self, problem: Problem) -> bool:
        if self.app and ROLE.search(problem.message):
            return True
        lacking = LACKING.search(problem.message)
        if lacking:
            return lacking.groups() in self.fields or lacking[2] in self.lists
        words = {word for quoted in QUOTED.findall(problem.message) for word in re.split(r"\W+", quoted)}
        return bool(words & (self.lists | {name for _, name in self.fields}))
