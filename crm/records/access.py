"""The access layer: who may see and do what. Every view that shows or changes data asks here, always.

What a role may do stands in the definitions (blueprint/access.py). A user with several roles may do what any of them
may; a field that only some of them show is seen where one of these shows it of every record. Permissions that were
given by hand, past the roles, know no limits of rows or fields, and superusers may do everything.

Whoever looks is known while a request is answered: titles and values of what a user may not see are left out wherever
they would be written, be it in a list, a message, a history or a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce
from operator import or_
from typing import Any

from django.db import models
from django.db.models import Q

from crm.blueprint.access import EVERYTHING, VIEW, Grant
from crm.blueprint.expressions.tree import Expression, Path
from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.sections import VERBS
from crm.expressions import compile_sql
from crm.expressions.evaluate import EvalContext, evaluate, holds
from crm.records.computed import compile_context

__all__ = ["VERBS", "as_viewer", "can_view_field", "has_perm", "visible_rows"]

_viewer: ContextVar[Any] = ContextVar("viewer", default=None)


@contextmanager
def as_viewer(user: Any) -> Iterator[None]:
    """Set the current viewer; hidden fields and records are left out of all output until the block ends.

    None is the system, which has no limits.
    """
    token = _viewer.set(user)
    try:
        yield
    finally:
        _viewer.reset(token)


def current_viewer() -> Any:
    """Return the current viewer; None is the system."""
    return _viewer.get()


def permission_name(verb: str, model: type[models.Model]) -> str:
    """Return the name of Django's permission for a verb: `travel.view_booking`."""
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def group_name(business: Business, role: str) -> str:
    """Return the name of a role's group."""
    return f"{business.label}.{role}"


def _groups(user: Any) -> dict[str, int]:
    """Return the groups of a user, name → key; read once for each user object."""
    if "_group_names" not in user.__dict__:
        user.__dict__["_group_names"] = dict(user.groups.values_list("name", "pk"))
    return user.__dict__["_group_names"]


def roles_of(user: Any, business: Business) -> frozenset[str]:
    """Return the roles of a user in a business."""
    names = _groups(user)
    return frozenset(role for role in business.roles if group_name(business, role) in names)


def _direct_permissions(user: Any, business: Business) -> set[str]:
    """Return the permissions that a user has past the roles: given to the user, or to groups made by hand."""
    if "_by_hand" not in user.__dict__:
        roles = {group_name(business, role) for role in business.roles}
        other = [key for name, key in _groups(user).items() if name not in roles]
        permissions = user.get_user_permissions()
        if other:
            known = models.F("content_type__app_label"), models.F("codename")
            given = user._meta.get_field("groups").related_model._meta.get_field("permissions").related_model
            pairs = given._default_manager.filter(group__in=other).values_list(*known)
            permissions = permissions | {f"{label}.{codename}" for label, codename in pairs}
        user.__dict__["_by_hand"] = permissions
    return user.__dict__["_by_hand"]


def grants(user: Any, verb: str, entity: Entity) -> list[Grant]:
    """Return what allows a user to do something with an entity's records; nothing does where it is empty."""
    if not (user and user.is_active and user.is_staff):
        return []
    if user.is_superuser:
        return [EVERYTHING]
    known = user.__dict__.setdefault("_grants", {})
    if (verb, entity) not in known:
        known[verb, entity] = _grants(user, verb, entity)
    return known[verb, entity]


def _grants(user: Any, verb: str, entity: Entity) -> list[Grant]:
    roles = roles_of(user, entity.business)
    granted = [entity.grants[role][verb] for role in sorted(roles) if verb in entity.grants[role]]
    name = f"{entity.business.label}.{{}}_{entity.class_name.lower()}"
    verbs = {verb, "change"} if verb == VIEW else {verb}
    if any(name.format(one) in _direct_permissions(user, entity.business) for one in verbs):
        granted.append(EVERYTHING)
    return granted


def has_perm(user: Any, verb: str, model: type[models.Model], record: models.Model | None = None) -> bool:
    """Return whether the user has a permission on the model, or on this instance (row rules included)."""
    if not hasattr(model, "definition"):
        return bool(user and user.is_active and user.is_staff and user.has_perm(permission_name(verb, model)))
    if not grants(user, verb, model.definition):
        return False
    return record is None or record.pk is None or can_access_record(user, record, verb)


# Rows


def parent_tables(entity: Entity) -> list[Field]:
    """Return the tables of other entities whose rows an entity is: such a row is a part of its parent."""
    return [table for table in entity.pointing_here() if table.type.rows]


def has_row_rules(user: Any, entity: Entity, verb: str = VIEW) -> bool:
    """Say whether a user may do something with some records of an entity and not with others."""
    return entity in _conditions(user, verb, entity) or any(
        not _can_view_table(user, table) or has_row_rules(user, table.entity, VIEW) for table in parent_tables(entity)
    )


def _conditions(user: Any, verb: str, entity: Entity) -> dict[Entity, list[Expression]]:
    """Return the rules for rows of which one must hold; no entry where no rule is asked."""
    granted = grants(user, verb, entity)
    if any(one.rows is None for one in granted):
        return {}
    return {entity: [one.rows for one in granted if one.rows is not None and _is_known(one.rows, user)]}


def _is_known(rule: Expression, user: Any) -> bool:
    """Say whether a user has what a rule asks of users: nothing is not equal to nothing here."""
    asked = (node for node in rule.root.walk() if isinstance(node, Path) and node.of_user and node.steps)
    return all(evaluate(Expression("", node, rule.entity), EvalContext(None, user)) is not None for node in asked)


def _can_view_table(user: Any, table: Field) -> bool:
    return bool(grants(user, VIEW, table.entity)) and can_view_field(user, table)


def visible_rows(
    user: Any, model: type[models.Model], verb: str = VIEW, among: models.QuerySet | None = None
) -> models.QuerySet:
    """Return the rows that the user may see, or may use another verb on (row-level security); out of `among`."""
    everything = model._default_manager.all() if among is None else among
    if not hasattr(model, "definition"):
        return everything if has_perm(user, verb, model) else everything.none()
    entity = model.definition
    if not grants(user, verb, entity):
        return everything.none()
    for rules in _conditions(user, verb, entity).values():
        if not rules:
            return everything.none()
        setting = compile_context(model._meta.apps, user=user)
        everything = everything.filter(reduce(or_, (Q(compile_sql.condition(one, setting)) for one in rules)))
    for table in parent_tables(entity):
        everything = _with_visible_parents(user, everything, table)
    return everything


def _with_visible_parents(user: Any, rows: models.QuerySet, table: Field) -> models.QuerySet:
    link = table.entity.name
    if not _can_view_table(user, table):
        return rows.filter(**{f"{link}__isnull": True})
    if not has_row_rules(user, table.entity):
        return rows
    parent = rows.model._meta.get_field(link).related_model
    return rows.filter(Q(**{f"{link}__isnull": True}) | Q(**{f"{link}__in": visible_rows(user, parent).values("pk")}))


def can_access_record(user: Any, record: models.Model, verb: str = VIEW) -> bool:
    """Say whether a user may see a record, or do something else with it; what `rows` says, of one at hand."""
    entity = record.definition  # type: ignore[attr-defined]
    if not grants(user, verb, entity):
        return False
    for rules in _conditions(user, verb, entity).values():
        if not any(holds(rule, EvalContext(record, user)) for rule in rules):
            return False
    return all(_can_access_parent(user, record, table) for table in parent_tables(entity))


def _can_access_parent(user: Any, record: models.Model, table: Field) -> bool:
    if getattr(record, f"{table.entity.name}_id") is None:
        return True
    if not _can_view_table(user, table):
        return False
    return not has_row_rules(user, table.entity) or can_access_record(user, getattr(record, table.entity.name))


def access_joins(entity: Entity) -> list[str]:
    """Return what to `select_related` so that it costs no query to say whether the viewer sees a record."""
    return joins_of(current_viewer(), entity)


def joins_of(user: Any, entity: Entity, verb: str = VIEW) -> list[str]:
    """Return what to `select_related` so that it costs no query to say whether a user may do this with a record."""
    if user is None or user.is_superuser:
        return []
    joins = []
    for rule in (rule for rules in _conditions(user, verb, entity).values() for rule in rules):
        paths = (node for node in rule.root.walk() if isinstance(node, Path) and not node.of_user)
        chains = ([step for step in path.steps if step.type.reference(step) is not None] for path in paths)
        joins += ["__".join(step.name for step in chain) for chain in chains if chain]
    for table in parent_tables(entity):
        if has_row_rules(user, table.entity):
            inner = joins_of(user, table.entity)
            joins += [table.entity.name, *(f"{table.entity.name}__{one}" for one in inner)]
    return joins


def rules_of_viewer(entity: Entity) -> list[Expression]:
    """Return the row-level rules that are asked of each record of an entity which the viewer looks at."""
    user = current_viewer()
    if user is None or user.is_superuser:
        return []
    return [rule for rules in _conditions(user, VIEW, entity).values() for rule in rules]


def parents_of_viewer(entity: Entity) -> list[tuple[Field, bool]]:
    """Return the tables that an entity's records are rows of, and whether the viewer does not see all of the parents.

    A superuser and the system are asked for none.
    """
    user = current_viewer()
    if user is None or user.is_superuser:
        return []
    return [(table, has_row_rules(user, table.entity)) for table in parent_tables(entity)]


def is_hidden(record: Any) -> bool:
    """Say whether a record is one that the viewer may not see."""
    user = current_viewer()
    if user is None or user.is_superuser or not hasattr(record, "definition"):
        return False
    return HIDDEN in record.__dict__ or not can_access_record(user, record)


HIDDEN = "_hidden"
"""What marks a record as it was, where the one that is there now is not the viewer's to see."""


def mark_hidden(records: Collection[models.Model]) -> None:
    """Mark those records of one model that the viewer may not see as they are now, whatever values they hold here."""
    user, model = current_viewer(), next((type(one) for one in records), None)
    if model is None or not hasattr(model, "definition") or not may_hide_rows(user, model.definition):
        return
    there = set(visible_rows(user, model).filter(pk__in=[one.pk for one in records]).values_list("pk", flat=True))
    for record in records:
        if record.pk not in there:
            record.__dict__[HIDDEN] = True


# Fields


def can_view_field(user: Any, field: Field, verb: str = VIEW) -> bool:
    """Say whether a user may see a field, or give it a value by adding or changing."""
    if user.is_superuser or field.record:
        return True
    granted = grants(user, verb, field.entity)
    shown = [one for one in granted if one.covers(field.name)]
    return bool(shown) and (len(shown) == len(granted) or any(one.rows is None for one in shown))


def can_view_path(user: Any, path: list[Field]) -> bool:
    """Return whether the user may see the values at the end of this path, of records on it that are not hidden."""
    targets = (step.target for step in path[:-1] if step.target is not None)
    return all(can_view_field(user, step) for step in path) and all(grants(user, VIEW, one) for one in targets)


def can_filter_by_path(user: Any, path: list[Field]) -> bool:
    """Return whether the user may filter, sort or search by this path.

    All fields on it must be visible, and no relation may have row rules: a count or an order would leak.
    """
    crossed = (step.target for step in path[:-1] if step.target is not None)
    return all(can_view_field(user, step) for step in path) and not any(
        may_hide_rows(user, target) for target in crossed
    )


def may_hide_rows(user: Any, entity: Entity) -> bool:
    """Say whether there may be records of an entity that a user does not see; the system (None) sees all."""
    return user is not None and (not grants(user, VIEW, entity) or has_row_rules(user, entity))


def viewer_can_view_field(field: Field) -> bool:
    """Say whether the viewer may see a field."""
    user = current_viewer()
    return user is None or can_view_field(user, field)


def editable_fields(user: Any, entity: Entity, verb: str) -> set[str]:
    """Return the names of the fields that a user may see and give values to by adding or changing."""
    return {one.name for one in _all_fields(entity) if can_view_field(user, one) and can_view_field(user, one, verb)}


def _all_fields(entity: Entity) -> list[Field]:
    return [*entity.fields.values(), *(leaf for leaf in entity.leaves if leaf.whole)]


def viewer_rows(model: type[models.Model], among: models.QuerySet | None = None) -> models.QuerySet:
    """Return the records that the viewer may see, out of `among`: those in the trash are left out of the default."""
    user = current_viewer()
    if user is not None and hasattr(model, "definition"):
        return visible_rows(user, model, among=among)
    return model._default_manager.all() if among is None else among


def can_view_all_fields(user: Any, entity: Entity, verb: str) -> bool:
    """Say whether a user may see every field of an entity and of its rows, and give values to all by a verb."""
    children = [field.target for field in entity.fields.values() if field.type.rows]
    return all(
        bool(grants(user, verb, owner))
        and all(can_view_field(user, leaf) and can_view_field(user, leaf, verb) for leaf in _all_fields(owner))
        for owner in [entity, *children]
    )
