"""The order of lists: by columns, across links, and by what has no column; empty values always come last."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import F
from django.db.models.expressions import ExpressionWrapper, OrderBy

from crm.blueprint.nodes import Entity, Field
from crm.records.computed import compile_context, computed_expression
from crm.records.display import lookup_path


class EmptyLast:
    """Orders empty values behind all others, up and down; SQLite and PostgreSQL each have their own way otherwise."""

    def asc(self) -> OrderBy:
        return OrderBy(self, nulls_last=True)

    def desc(self) -> OrderBy:
        return OrderBy(self, descending=True, nulls_last=True)


class ColumnOrder(EmptyLast, F):
    """A column to order by."""


class ValueOrder(EmptyLast, ExpressionWrapper):
    """What has no column to order by."""


def value_at(chain: list[Field]) -> Any:
    """Return what stands at the end of a path: its lookup, or the expression of what has no column."""
    if chain[-1].stored:
        return lookup_path(chain)
    prefix = "".join(f"{step.name}__" for step in chain[:-1] if not step.parts)
    return computed_expression(chain[-1], compile_context(apps, prefix))


def order_of(chain: list[Field]) -> Any:
    """Return what Django orders by at the end of a path: its lookup where it always has a value."""
    value, end = value_at(chain), chain[-1]
    if not isinstance(value, str):
        return ValueOrder(value, value.output_field)
    always = end.type.sets_on_save or end.target is not None or not any(map(_may_be_empty, chain))
    return value if always else ColumnOrder(value)


def _may_be_empty(step: Field) -> bool:
    model = apps.get_model(step.business.label, step.entity.class_name)
    return not step.parts and model._meta.get_field(step.name).null


def order_by(entity: Entity, path: str) -> Any:
    """Return a path of `list.order` as Django orders by it."""
    if path.lstrip("-") == "id":
        return path
    ordering, is_down = order_of(entity.follow(path)), path.startswith("-")
    if isinstance(ordering, str):
        return f"-{ordering}" if is_down else ordering
    return ordering.desc() if is_down else ordering.asc()
