"""The schema of the key `trash:`, and which entities it reaches."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field as Key

from crm.blueprint.nodes import Business, Entity
from crm.blueprint.sections import Section
from crm.fields.moments import read_duration

NAME = "trash"


class TrashSection(Section):
    """`trash`: deleted records go into the trash, with their rows and what is deleted along with them."""

    restore_for: str | None = Key(
        None,
        description="How long a deleted record can be brought back before `manage.py purge` removes it: `30d`. "
        "Without the section, deleting deletes.",
    )


def restore_for(entity: Entity) -> timedelta | None:
    """Return how long the entity's deleted records can be restored; nothing where deleting deletes."""
    words = entity.sections[NAME].restore_for
    return read_duration(words) if words else None


def reached(business: Business) -> dict[str, Entity]:
    """Return the entities whose records may lie in the trash, each with the one whose section is the cause."""
    causes = {name: one for name, one in business.entities.items() if one.sections[NAME].restore_for}
    ahead = list(causes.values())
    while ahead:
        entity = ahead.pop()
        for link in entity.pointing_here():
            if getattr(link.options, "on_delete", None) == "cascade" and link.entity.name not in causes:
                causes[link.entity.name] = causes[entity.name]
                ahead.append(link.entity)
    return causes
