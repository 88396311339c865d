"""Enforces rules twice: in Python on the instance before save (for form errors), and in SQL after the write.

The second is what bulk writes, update() and imports cannot bypass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError, connection, models

from crm.blueprint.expressions.computing import reads
from crm.blueprint.expressions.tree import Aggregate
from crm.blueprint.rules import Rule, Showing
from crm.expressions import compile_sql
from crm.expressions.evaluate import EvalContext, holds, passes
from crm.records.chunks import chunks
from crm.records.computed import compile_context, set_generated_values
from crm.records.deferred_checks import check_or_defer
from crm.records.display import render_template
from crm.records.locks import lock_in_order
from crm.records.soft_delete import not_deleted

READ_ONLY_MESSAGE = "This cannot be changed here any more."
NOT_ASKED_MESSAGE = "is not asked for here: the cell must be empty."
UNREAD = "_unread"
"""The attribute of a record that names its fields whose input could not be read: no rule can judge by them."""


class RuleBroken(ValidationError):
    """A write breaks a rule and is rolled back. `record` is the one that the message is about.

    `field` is the name of the field that the message stands beside, if any. Without a `rule`, it is one of numbers.
    """

    def __init__(self, rule: Rule | None, record: models.Model, message: str):
        super().__init__(message, code="rule")
        self.rule, self.record = rule, record
        self.field = rule.field if rule else ""


OVERFLOW_MESSAGE = "With this, a number would be larger than one that can be calculated with."


@contextmanager
def overflow_as_rule_error(model: type[models.Model], keys: Collection[Any]) -> Iterator[None]:
    """Turn the numeric overflow of a database into a RuleBroken of the first of the records."""
    try:
        yield
    except (DataError, OperationalError) as error:
        if not re.search("integer overflow|out of range", str(error)):
            raise
        raise RuleBroken(None, model(pk=min(keys)), OVERFLOW_MESSAGE) from None


def broken_rules(record: Any, scope: EvalContext | None = None) -> Iterator[tuple[Rule, str]]:
    """Evaluate the rules in Python on an instance; yield those that it breaks, with the message of each."""
    scope, unread = scope or EvalContext(record), getattr(record, UNREAD, ())
    if record.definition.rules.checks:
        set_generated_values(record)
    for rule in record.definition.rules.checks:
        if unread and any(step.name in unread for step in reads(rule.check)):
            continue
        if rule.is_of_form and not passes(rule.check, scope):
            yield rule, rule_message(rule, record)


def rule_message(rule: Rule, record: models.Model) -> str:
    return render_template(rule.message, record)


def is_shown(record: Any, showing: Showing) -> bool:
    return showing.visible_if is None or holds(showing.visible_if, EvalContext(record))


def hidden_fields(record: Any) -> set[str]:
    """Return the names of the fields that are not asked for, by what the record holds (`visible_if`)."""
    return {name for name, showing in record.definition.rules.showing.items() if not is_shown(record, showing)}


def reset_hidden_fields(record: Any, before: Any) -> None:
    """Leave fields that are not asked for as they were; in a new record, as they start.

    Many-to-many fields are not a record's own: who writes their links leaves out those of `hidden_fields`.
    """
    for name in hidden_fields(record):
        if not record.definition.fields[name].type.many:
            column = record._meta.get_field(name)
            setattr(record, column.attname, getattr(before, column.attname) if before else column.get_default())


def locked_fields(record: Any) -> set[str]:
    """Return the fields of a saved record that `read_only_if` closes, by what it holds."""
    showing = record.definition.rules.showing
    return {name for name, one in showing.items() if one.read_only_if and holds(one.read_only_if, EvalContext(record))}


def closed_fields(record: Any) -> set[str]:
    """Return the fields of a saved record that no hand may change: locked by its values, or an action's alone."""
    return locked_fields(record) | record.definition.guarded


# After writing


def check_rules(model: type[models.Model], keys: Collection[Any], columns: Collection[str] | None = None) -> None:
    """Hold written records against the rules, or those that read these columns. Raises RuleBroken for the first."""
    for rule in model.definition.rules.checks if keys else ():
        if columns is None or any(one.name in columns for one in reads(rule.check)):
            check_or_defer(_check_in_database, model, rule, keys)


def _check_in_database(model: type[models.Model], rule: Rule, keys: Collection[Any]) -> None:
    condition = compile_sql.rule(rule.check, compile_context(model._meta.apps))
    for batch in chunks(sorted(keys)):
        rows = not_deleted(model).filter(pk__in=batch)
        _lock_parents(rule, rows)
        record = rows.exclude(condition).order_by("pk").first()
        if record is not None:
            raise RuleBroken(rule, record, rule_message(rule, record))


def _lock_parents(rule: Rule, rows: models.QuerySet) -> None:
    """Lock the parents whose children a rule aggregates: two concurrent sums within a limit may exceed it together."""
    for node in rule.check.root.walk() if connection.features.has_select_for_no_key_update else ():
        if isinstance(node, Aggregate):
            lookup_path = "__".join(step.name for step in node.relation_path) or "pk"
            target = node.link.target
            model = rows.model._meta.apps.get_model(target.business.label, target.class_name)
            lock_in_order(model._base_manager.filter(pk__in=rows.order_by().values(lookup_path)))
