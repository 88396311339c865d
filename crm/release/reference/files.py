"""The files of a business: `app.yaml`, and one for each entity."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from pydantic import BaseModel

from crm.blueprint import sections
from crm.blueprint.sections import AppSection, EntitySection, RoleSection
from crm.release.reference.tables import described, heading_of, table


def app_part() -> Iterator[str]:
    yield from ["## app.yaml", "", *described(AppSection)]
    yield from ["### A role", "", *described(RoleSection)]
    yield from ["### Example of app.yaml", "", "```yaml app", *_shipped("app.yaml"), "```"]


def entity_part() -> Iterator[str]:
    yield from ["## An entity's file", "", "One file for each entity, named after it: `booking.yaml` is `booking`."]
    yield from ["A capability has a key of its own besides these; see [Capabilities](#capabilities).", ""]
    yield from table(EntitySection)
    for section in inner_sections(EntitySection):
        yield from [f"### {heading_of(section.__name__)}", "", *described(section)]
    yield from ["### Example of an entity's file", "", "```yaml", *_shipped("guide.yaml"), "```"]


def inner_sections(section: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield the sections that stand in a section, in the order of its keys."""
    schema = section.model_json_schema()
    text = str(schema["properties"])
    for name in sorted(schema.get("$defs", {}), key=lambda definition: text.find(f"/{definition}'")):
        yield getattr(sections, name)


def _shipped(name: str) -> list[str]:
    path = settings.BASE_DIR / "definitions" / "travel" / name
    return path.read_text(encoding="utf-8").rstrip().splitlines()
