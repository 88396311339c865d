"""The capabilities: the key of each, and what it adds to every entity."""

from __future__ import annotations

from collections.abc import Iterator

from crm.blueprint.complaints import section_within
from crm.kernel.capability import Capability
from crm.kernel.contributions import Contributions, Kind
from crm.release.reference.samples import sample_entity
from crm.release.reference.tables import described, heading_of
from crm.wiring import CAPABILITIES


def capabilities_part() -> Iterator[str]:
    yield from ["## Capabilities", "", "Each has a key of its own in an entity's file, which may be left out.", ""]
    for capability in CAPABILITIES:
        yield from [
            f"### {capability.name}",
            "",
            capability.summary,
            "",
            *described(capability.Section),
            *_inner(capability),
            *_adds(capability),
            "",
        ]


def _inner(capability: Capability) -> Iterator[str]:
    """Yield the sections that stand within a capability's section."""
    for info in capability.Section.model_fields.values():
        section = section_within(info.annotation)
        if section is not None:
            yield from [f"#### {heading_of(section.__name__)}", "", *described(section)]


KINDS = {
    Kind.PAGE: "Page",
    Kind.LIST_BUTTON: "Button above the list",
    Kind.RECORD_BUTTON: "Button above the record",
    Kind.BULK_ACTION: "Action on ticked rows",
    Kind.PERMISSION: "Permission",
}


def _adds(capability: Capability) -> Iterator[str]:
    """Yield what a capability adds to every entity, as its own plans say."""
    entity = sample_entity({"type": "text"})
    model, admin = Contributions("model"), Contributions("admin")
    capability.contribute_to_model(entity, model)
    capability.contribute_to_admin(entity, admin)
    for addition in [*model, *admin]:
        if addition.kind in KINDS:
            text = getattr(addition.value, "path", "") or getattr(addition.value, "label", "") or addition.name
            verb = getattr(addition.value, "verb", "")
            yield f"- {KINDS[addition.kind]}: `{text}`" + (f", for those who may {verb}." if verb else ".")
    for word, heading in capability.panels.items():
        yield f"- Panel `{word}` for a tab of the form: {heading}."
    for name in capability.actions:
        yield f"- Named action `{name}`."
