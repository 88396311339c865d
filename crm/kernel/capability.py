"""The contract of a capability: a vertical slice that adds to every business and is known by nobody.

A capability is one folder. It owns a key of the entity files (its section), and adds to the plans of models and
pages. It never patches a class and never imports another capability: they meet through the events of `events.py` and
through named actions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest, HttpResponse

from crm.blueprint.language import Report
from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.sections import Section
from crm.kernel.contributions import Contributions
from crm.kernel.guard import Guard, WayIn, WayOut


@dataclass(frozen=True)
class Page:
    """A page of an entity in the admin.

    `path` stands below the entity's list, and starts with `<path:object_id>/` where it is a record's. `view` is called
    with the model admin, the request, and the path's arguments; the verb is checked before it is called.
    """

    path: str
    view: Callable[..., HttpResponse]
    verb: str = "view"


@dataclass(frozen=True)
class Button:
    """A button above the list or the record that leads to a page of the same plan.

    `words` are what the page's path takes besides the record. `state`, called with the record and the user, returns
    None where the button is not shown, an empty text where it is, and a sentence where it is shown but of no use now.
    With `post` it sends a form instead of leading to the page.
    """

    label: str
    icon: str
    page: str
    verb: str = "view"
    words: tuple[str, ...] = field(default=(), repr=False)
    state: Callable[[models.Model, Any], str | None] | None = field(default=None, repr=False)
    post: bool = field(default=False, repr=False)


@dataclass(frozen=True)
class BulkAction:
    """What can be done with the rows that were ticked: called with the model admin, the request and the rows.

    `allowed`, called with the user, says who else does not get it, besides those who lack the verb.
    """

    label: str
    run: Callable[..., HttpResponse | None]
    verb: str = "change"
    allowed: Callable[[Any], bool] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Panel:
    """A part of a record's page that is read when its tab is opened: returns HTML."""

    label: str
    render: Callable[[Any, HttpRequest, models.Model], str]
    verb: str = "view"
    fields: tuple[Field, ...] = ()
    """The fields that it would tell of: it is there for those who see them all."""


class Capability:
    """Base of every capability. Override what it takes part in."""

    name: ClassVar[str]
    """Its key in an entity's file, and its name as an origin in plans."""
    summary: ClassVar[str]
    Section: ClassVar[type[Section]]
    panels: ClassVar[Mapping[str, str]] = {}
    """The panels that a form's tab may name: word → heading."""
    actions: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    """The named actions that other capabilities and definitions may call."""

    ways_in: ClassVar[Sequence[WayIn]] = ()
    """The ways by which it writes records for users: each asks the gate, by this name."""
    ways_out: ClassVar[Sequence[WayOut]] = ()
    """The ways by which it removes records for users: each asks the gate about all that goes, by this name."""
    guards: ClassVar[Sequence[Guard]] = ()
    """What it holds every intended write against, whichever way it comes in; asked behind the kernel's guards."""

    def check(self, entity: Entity, section: Any, report: Report) -> None:
        """Report what is wrong with the section once all entities are known."""

    def contribute_to_model(self, entity: Entity, contributions: Contributions) -> None:
        """Add columns, constraints, permissions or finishing steps to an entity's model."""

    def contribute_to_admin(self, entity: Entity, contributions: Contributions) -> None:
        """Add pages, buttons, bulk actions and panels to an entity's admin."""

    def models_renamed_with(self, entity: Entity, old: str) -> dict[str, str]:
        """Name the models that are renamed along when the entity was called `old`: old class name → new."""
        return {}

    def ready(self, business: Business) -> None:
        """Subscribe to events; called once, when all models are built."""


@dataclass(frozen=True)
class Finish:
    """A finishing step of a model's plan: called with the built class, once all classes are built."""

    run: Callable[[type[models.Model]], None]

    def __str__(self) -> str:
        return self.run.__qualname__
