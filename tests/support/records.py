"""Records of the business for tests: whatever is not given is made of the examples of the fields' own types."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db.models import NOT_PROVIDED

from crm.blueprint.nodes import Business, Entity, Field
from crm.fields.reading import Reading
from crm.records.computed_updates import defer_recompute
from crm.records.rules import reset_hidden_fields

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "789c63606060000000040001f61738550000000049454e44ae426082"
)
"""A picture of one pixel, as PNG."""
_numbers = count(1)
MEETS_RULES: dict[str, dict[str, Any]] = {
    "invoice": {"due_on": date(2041, 3, 1)},
    "enquiry": {"phone": "+442079460018"},
}
"""What the rules of the business ask for, where an example of the type alone would break one."""


def business() -> Business:
    """Return the business that the tests run with."""
    return apps.get_app_config(settings.BUSINESS_LOCATION.label).business


def entity(name: str) -> Entity:
    """Return an entity by name."""
    return business().entities[name]


def model(name: str) -> Any:
    """Return an entity's model."""
    return apps.get_model(business().label, entity(name).class_name)


def make(name: str, /, full: bool = False, **given: Any) -> Any:
    """Save a record with `given` values and whatever else it must have; with `full`, a value in every field."""
    plain, many = {}, {}
    given = {**MEETS_RULES.get(name, {}), **given}
    for leaf in (
        one for one in entity(name).leaves if one.stored and one.computed is None and not one.type.sets_on_save
    ):
        if leaf.name in given:
            value = given[leaf.name]
        elif leaf.type.many:
            value = [_target(leaf)] if full else []
        elif full or _must(leaf):
            value = example(leaf)
        else:
            continue
        (many if leaf.type.many else plain)[leaf.name] = value
    filled = {key: value for key, value in given.items() if key not in many}
    record = model(name)(**{**plain, **filled})
    if full:
        reset_hidden_fields(record, None)
    record.save()
    for key, value in many.items():
        getattr(record, key).set(value)
    return record


def make_many(name: str, count: int, **given: Any) -> list[Any]:
    """Save several records with a value in every field, each with linked records of its own, in one act."""
    with defer_recompute():
        return [make(name, full=True, **given) for _ in range(count)]


def example(leaf: Field) -> Any:
    """Return a value that a field takes, another one at each call where values must differ."""
    if leaf.type.reference(leaf) is not None:
        return _target(leaf)
    if leaf.type.input in {"file", "image"}:
        return ContentFile(PIXEL, f"{leaf.name}.{'png' if leaf.type.input == 'image' else 'pdf'}")
    for raw in (*leaf.type.value_schema(leaf).get("enum", ()), *leaf.type.examples, getattr(leaf.options, "min", None)):
        try:
            value = leaf.type.validate(leaf.type.parse(raw, leaf, Reading()), leaf)
        except ValueError:
            continue
        return f"{next(_numbers)}{value}" if isinstance(value, str) and _apart(leaf) else value
    raise LookupError(f"no example of {leaf} fits it")


def _must(leaf: Field) -> bool:
    return getattr(leaf.options, "required", False) and leaf.type.default(leaf) is NOT_PROVIDED


def _apart(leaf: Field) -> bool:
    group = [name for names in leaf.entity.section.unique for name in names]
    return getattr(leaf.options, "unique", False) or leaf.name in group


def _target(leaf: Field) -> Any:
    reference = leaf.type.reference(leaf)
    if reference.entity:
        return make(reference.entity)
    number = next(_numbers)
    if reference.create:
        return apps.get_model(reference.model)._default_manager.create(name=f"tag {number}", **reference.scope)
    return get_user_model()._default_manager.create(username=f"person{number}", is_staff=True)
