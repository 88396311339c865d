"""Who may see and do what with an entity's records: read and checked once all fields are known."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from crm.blueprint.expressions.parser import ExpressionError, read_expression
from crm.blueprint.expressions.tree import BOOLEAN, USER, Aggregate, Expression
from crm.blueprint.problems import Problem, did_you_mean
from crm.blueprint.sections import VERBS, RowLimit

VIEW, ADD, CHANGE = "view", "add", "change"


@dataclass(frozen=True, eq=False)
class Grant:
    """What a role may do with an entity's records by one verb: with which rows, and with which fields.

    None stands for all rows, and for all fields; `fields` holds the names of leaves and of composites and tables.
    """

    rows: Expression | None = None
    fields: frozenset[str] | None = None

    def covers(self, name: str) -> bool:
        return self.fields is None or name in self.fields


EVERYTHING = Grant()
Grants = dict[str, dict[str, Grant]]
"""Role → verb → grant; a verb that is not there is not granted."""


def read_access(business: Any) -> Iterator[Problem]:
    """Read `profile` and every `access`, and say what is wrong with them."""
    yield from _read_profile(business)
    for entity in business.entities.values():
        for role, section in business.roles.items():
            if role not in entity.section.access:
                entity.grants[role] = dict.fromkeys(section.can, EVERYTHING)
                _imply_view(entity.grants[role])
        for role in entity.section.access:
            if role not in business.roles:
                hint = did_you_mean(role, business.roles) or "Name it under 'roles' in app.yaml."
                yield Problem(entity.place("access", role, key=True), f"there is no role {role!r}", hint)
            else:
                yield from _read_role(entity, role)


def _read_profile(business: Any) -> Iterator[Problem]:
    name = business.app.profile
    if name is None:
        return
    place = business.documents["app.yaml"].place(("profile",))
    if name not in business.entities:
        yield Problem(place, f"there is no entity {name!r}", did_you_mean(name, business.entities))
    elif profile_link(business.entities[name]) is None:
        hint = f"Add 'account: {{type: user, unique: true}}' to {name}.yaml."
        yield Problem(place, f"{name!r} does not say which user a record tells of: it has no user field", hint)


def profile_link(entity: Any) -> Any:
    """Return the field of a profile that names its user, or None."""
    return next((field for field in entity.fields.values() if field.type.kind == USER and not field.type.many), None)


def _imply_view(grants: dict[str, Grant]) -> None:
    """Who may change records may see them."""
    if VIEW not in grants and CHANGE in grants:
        grants[VIEW] = grants[CHANGE]


def _read_role(entity: Any, role: str) -> Iterator[Problem]:
    """Read what a role may do: where `access` names it, nothing but what stands there."""
    section, grants = entity.section.access[role], entity.grants.setdefault(role, {})
    for verb in VERBS:
        given = getattr(section, verb if verb != "import" else "import_")
        if given is True:
            grants[verb] = EVERYTHING
        elif isinstance(given, RowLimit):
            problems: list[Problem] = []
            grants[verb] = _read_limit(entity, given, problems, "access", role, verb)
            yield from problems
    if section.view is False and CHANGE in grants:
        place = entity.place("access", role, CHANGE, key=True)
        yield Problem(place, f"{role!r} may not change what it may not see", "Grant 'view', or leave it out.")
    _imply_view(grants)
    yield from _missing(entity, role, grants)


def _missing(entity: Any, role: str, grants: dict[str, Grant]) -> Iterator[Problem]:
    """A role that adds records must be able to give what every record needs."""
    for name, field in entity.fields.items() if ADD in grants else ():
        given = all(verb not in grants or grants[verb].covers(name) for verb in (ADD, VIEW))
        if field.type.needs_value(field) and not given:
            place = entity.place("access", role, ADD, key=True)
            yield Problem(place, f"{role!r} could add nothing: {name!r} is required, and not among its fields")


def _read_limit(entity: Any, limit: RowLimit, problems: list[Problem], *path: Hashable) -> Grant:
    rows = _read_rows(entity, limit.rows, problems, *path, "rows") if limit.rows is not None else None
    only, but = getattr(limit, "only", None), getattr(limit, "except_", None)
    if only is not None and but is not None:
        problems.append(Problem(entity.place(*path, "except", key=True), "say 'only' or 'except', not both"))
    for key, names in (("only", only), ("except", but)):
        problems += [
            Problem(entity.place(*path, key, index), f"there is no field {name!r}", did_you_mean(name, entity.fields))
            for index, name in enumerate(names or ())
            if name not in entity.fields
        ]
    if only is None and but is None:
        return Grant(rows)
    chosen = (set(entity.fields) if only is None else set(only)) - set(but or ())
    leaves = {leaf.name for name in chosen & set(entity.fields) for leaf in entity.fields[name].leaves}
    return Grant(rows, frozenset(chosen | leaves))


def _read_rows(entity: Any, source: str, problems: list[Problem], *path: Hashable) -> Expression | None:
    place = entity.place(*path)
    try:
        expression = read_expression(source, entity, with_user=True)
    except ExpressionError as error:
        problems.append(Problem(place.within(source, error.offset), error.message, error.hint))
        return None
    if expression.kind.name != BOOLEAN:
        hint = "Compare it with something: 'owner == user'."
        problems.append(Problem(place, f"a condition must be yes or no, this is {expression.kind}", hint))
    elif any(isinstance(node, Aggregate) for node in expression.root.walk()):
        hint = "Keep the sum or count in a computed field, and read that."
        problems.append(Problem(place, "a rule for rows cannot read lists: it is asked for every record", hint))
    return expression
