"""Counts existing records that violate a new rule or a tightened min/max. A report only: existing rows are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.apps import apps
from django.db import models
from django.db.migrations.operations.base import Operation

from crm.blueprint.expressions.computing import reads
from crm.blueprint.expressions.parser import ExpressionError, read_expression
from crm.blueprint.expressions.tree import Expression
from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.rules import Rule
from crm.blueprint.text import parse_template
from crm.expressions import compile_sql
from crm.records.computed import compile_context
from crm.records.display import title_joins
from crm.records.soft_delete import not_deleted

NAMED = 10
STAY = "They stay as they are; the rule holds for everything that is written from now on."


@dataclass(frozen=True)
class RuleCheck:
    """A rule of an entity that is asked of the records there."""

    entity: Entity
    rule: Rule

    @property
    def key(self) -> str:
        return ".".join(map(str, (self.entity.name, *self.rule.path)))

    @property
    def place(self) -> str:
        return str(self.entity.place(*self.rule.path))


def rules_of(business: Business, keys: Collection[str] = ()) -> list[RuleCheck]:
    """Return the rules of a business, or those with these keys: `booking.rules.0`, `booking.show.reason`."""
    rule_checks = [RuleCheck(entity, rule) for entity in business.entities.values() for rule in entity.rules.checks]
    return [rule_check for rule_check in rule_checks if not keys or rule_check.key in keys]


def new_rules(
    after: Business, former: dict[str, Entity], former_field: Callable[[Field], Field | None]
) -> list[RuleCheck]:
    """Return the rules that are new or changed, and narrower limits.

    `former` holds the entities that are in force, by the names that they are to have; `former_field` finds a field.
    """
    known = {name: {rule.check.source for rule in entity.rules.checks} for name, entity in former.items()}
    rule_checks = [one for one in rules_of(after) if one.entity.name in known]
    kept = [after.entities[name] for name in former if name in after.entities]
    narrowed = [rule_check for entity in kept for rule_check in _limits(entity, former_field)]
    return [*(one for one in rule_checks if one.rule.check.source not in known[one.entity.name]), *narrowed]


def _limits(entity: Entity, former_field: Callable[[Field], Field | None]) -> Iterator[RuleCheck]:
    """Yield the limits of numbers that leave less room than those in force, each as the rule that it is."""
    for leaf in entity.leaves:
        before = former_field(leaf)
        if before is None or leaf.computed is not None or {leaf.type.kind, before.type.kind} != {"number"}:
            continue
        for key, sign, words in (("min", ">=", "at least"), ("max", "<=", "at most")):
            new, old = getattr(leaf.options, key, None), getattr(before.options, key, None)
            if new is None or (old is not None and (new <= old if key == "min" else new >= old)):
                continue
            limit = f"{Decimal(new):f}"
            try:
                check = read_expression(f"{leaf.name} {sign} {limit}", entity)
            except ExpressionError:
                continue  # It has more digits than any record's number can have.
            message = parse_template(f"{leaf.label}: {words} {limit}")
            yield RuleCheck(entity, Rule(check, message, leaf.name, ("fields", leaf.name, key)))


def can_be_counted(rule_check: RuleCheck, operations: Iterable[Operation]) -> bool:
    """Say whether the tables of now hold all that a rule reads, as it will read it."""
    changed = {
        (each.model_name.lower(), name)
        for each in operations
        if hasattr(each, "model_name")
        for name in (getattr(each, "name", ""), getattr(each, "new_name", ""))
    }
    columns = {
        (leaf.entity.class_name.lower(), leaf.name) for leaf in _read(rule_check.rule.check, set()) if leaf.stored
    }
    return not columns & changed and all(_is_there(rule_check.entity.business.label, *column) for column in columns)


def _read(check: Expression, known: set[Field]) -> set[Field]:
    """Return all fields that an expression reads, those of computed ones too."""
    for leaf in reads(check):
        if leaf not in known:
            known.add(leaf)
            if leaf.computed is not None:
                _read(leaf.computed, known)
    return known


def _is_there(label: str, model: str, name: str) -> bool:
    model_class = apps.all_models[label].get(model)
    return model_class is not None and name in {field.name for field in model_class._meta.get_fields()}


def describe_violations(rule_check: RuleCheck) -> list[str]:
    """Return how many records break a rule, and the first of them, in words; nothing where there are no records."""
    model = apps.get_model(rule_check.entity.business.label, rule_check.entity.class_name)
    rows = not_deleted(model).order_by("pk")
    total = rows.count()
    if not total:
        return []
    broken = rows.exclude(compile_sql.rule(rule_check.rule.check, compile_context(model._meta.apps)))
    count = broken.count()
    what = f"the rule at {rule_check.place} ({rule_check.rule.message.source})"
    if not count:
        return [f"+ all {total:,} {rule_check.entity.plural.lower()} meet {what}"]
    names = ", ".join(_names(broken, model)) + (", …" if count > NAMED else "")
    verb = "breaks" if count == 1 else "break"
    return [f"! {count:,} of {total:,} {rule_check.entity.plural.lower()} {verb} {what}: {names}", f"    {STAY}"]


def _names(broken: models.QuerySet, model: type[models.Model]) -> Iterator[str]:
    """Yield the titles of the first records, with their keys: a title may be anyone's."""
    for record in broken.select_related(*title_joins(model.definition))[:NAMED]:
        yield f"{record} (id {record.pk})"
