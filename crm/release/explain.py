"""Explains a field or an entity: where it comes from, and all that it became."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import connection

from crm.blueprint.expressions.computing import GENERATED, MATERIALIZED, ON_READ, reads
from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.problems import did_you_mean
from crm.builders.admin import admin_contributions
from crm.builders.models import model_contributions
from crm.kernel.contributions import Contributions, Kind
from crm.release.steps import format_value
from crm.wiring import CAPABILITIES

KEPT_AS = {
    GENERATED: ("in a column that the database computes", "everything that it reads stands in the same record"),
    MATERIALIZED: (
        "in a column that the engine keeps true, in the transaction of whatever it depends on",
        "it reads other records, or needs what no generated column can do",
    ),
    ON_READ: ("nowhere; it is worked out whenever it is asked for", "it depends on the day or the moment"),
}
"""How a computed value is kept, in words, and when it is kept so."""


class Unknown(LookupError):
    """There is no such entity or field; the message suggests one."""


def explain(business: Business, name: str) -> str:
    """Return what is known of `entity` or `entity.field`, as text. Raises Unknown."""
    entity_name, _, field_name = name.partition(".")
    entity = business.entities.get(entity_name)
    if entity is None:
        raise Unknown(f"There is no entity {entity_name!r}. {did_you_mean(entity_name, business.entities)}")
    plans = model_contributions(entity, CAPABILITIES), admin_contributions(entity, CAPABILITIES)
    if not field_name:
        return "\n".join(_entity(entity, plans))
    field = entity.find(field_name)
    if field is None:
        names = [*entity.fields, *entity.record_fields]
        raise Unknown(f"{entity_name!r} has no field {field_name!r}. {did_you_mean(field_name, names)}")
    return "\n".join(_field(field, plans))


def _entity(entity: Entity, plans: tuple[Contributions, ...]) -> Iterator[str]:
    yield f"{entity.name}: {entity.label}, defined in {entity.document.file}"
    for plan in plans:
        yield ""
        yield str(plan)


def _field(field: Field, plans: tuple[Contributions, ...]) -> Iterator[str]:
    kind = field.type
    yield f"{field}: {field.label} ({kind.name}), defined at {field.place(key=True)}"
    yield f"  {kind.summary}"
    options = field.options.model_dump(exclude_unset=True, by_alias=True)
    for key, value in options.items():
        yield f"  {key}: {format_value(value)}  [{field.place(key, key=True)}]"
    yield from _computed(field)
    yield from _rules(field)
    yield from _roles(field)
    yield ""
    yield "It became"
    yield from _columns(field)
    yield f"  form input: {'none; the form shows the value' if field.read_only else kind.input}"
    yield f"  filter: {kind.filter or 'none'}; sorts: {_yes(kind.sortable)}; searched: {_yes(kind.searchable)}"
    for plan in plans:
        for addition in plan.about(field.name):
            if addition.kind != Kind.COLUMN or plan is not plans[0]:
                yield f"  {addition.kind} {addition.name}  [{addition.origin}]"
    for other in field.business.entities.values():
        plan = admin_contributions(other, CAPABILITIES)
        for addition in plan:
            if (
                other is not field.entity
                and isinstance(addition.value, str)
                and _leads_to(other, addition.value, field)
            ):
                yield f"  {addition.kind} {addition.value} of {other.name}  [{addition.origin}]"


def _computed(field: Field) -> Iterator[str]:
    """Yield how a field is computed, and which computed fields read it."""
    if field.computed is not None:
        yield from ["", "It is computed", f"  kept: {KEPT_AS[field.storage][0]}"]
        yield from (f"  reads {one}" for one in dict.fromkeys(map(_named, reads(field.computed))))
    readers = [one for one in _computed_fields(field.business) if field in reads(one.computed)]
    if readers:
        yield from ["", "Computed from it"]
        yield from (f"  {one}: {one.computed}  [{one.place('compute')}]" for one in readers)


def _rules(field: Field) -> Iterator[str]:
    """Yield the rules that read a field, when it is asked for in a form, and what is asked for because of it."""
    entities = field.business.entities.values()
    rules = [(entity, rule) for entity in entities for rule in entity.rules.checks if field in reads(rule.check)]
    if rules:
        yield from ["", "Rules that read it"]
        for entity, rule in rules:
            yield f"  {entity.name}: {rule.check}  [{entity.place(*rule.path)}]"
    conditions = [
        f"  {other}: {key}: {condition}"
        for other, showing in field.entity.rules.showing.items()
        for key, condition in vars(showing).items()
        if condition is not None and (other == field.name or field in reads(condition))
    ]
    if conditions:
        yield from ["", "In a form", *conditions]


def _roles(field: Field) -> Iterator[str]:
    """Yield what each role may do with a field; what is computed or guarded is changed by nobody's hand."""
    verbs = ["view"] if field.read_only else ["view", "add", "change"]
    if field.entity.grants:
        yield from ["", "Who may"]
    for role, grants in field.entity.grants.items():
        given = {verb: grants[verb] for verb in verbs if verb in grants and grants[verb].covers(field.name)}
        words = [f"{verb} where {grant.rows}" if grant.rows else verb for verb, grant in given.items()]
        yield f"  {role}: {', '.join(words) or 'nothing'}"


def _named(field: Field) -> str:
    how = " (computed)" if field.computed is not None else ""
    return f"{field} ({field.type.name}){how}" if field.target else f"{field}{how}"


def _computed_fields(business: Business) -> Iterator[Field]:
    for entity in business.entities.values():
        for name in entity.computed:
            yield entity.find(name)


def _columns(field: Field) -> Iterator[str]:
    model = apps.get_model(field.business.label, field.entity.class_name)
    for leaf in field.leaves:
        if not leaf.stored:
            continue
        column = model._meta.get_field(leaf.name)
        if column.many_to_many:
            yield f"  table {column.remote_field.through._meta.db_table}"
        else:
            null = "NULL" if column.null else "NOT NULL"
            yield f"  column {model._meta.db_table}.{column.column} {column.db_type(connection)} {null}"
        history = getattr(model, "history", None)
        if (
            history is not None
            and not column.many_to_many
            and leaf.name in {f.name for f in history.model.tracked_fields}
        ):
            yield f"  history {history.model._meta.db_table}.{column.column}"


def _leads_to(entity: Entity, path: str, field: Field) -> bool:
    if "." not in path:
        return False
    try:
        return field in entity.follow(path)
    except KeyError:
        return False


def _yes(value: bool) -> str:
    return "yes" if value else "no"
