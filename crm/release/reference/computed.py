"""Lists of records in expressions, and the fields whose values are computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm.blueprint.expressions.functions import AGGREGATES
from crm.blueprint.expressions.parser import ExpressionError, collections_of, read_expression
from crm.blueprint.nodes import Entity, Field
from crm.blueprint.problems import DefinitionError
from crm.release.explain import KEPT_AS
from crm.release.reference.samples import plain_fields, sample_business
from crm.release.reference.tables import listed, paragraph, row

SHOP: dict[str, dict[str, Any]] = {
    "customer": {"name": "text"},
    "invoice": {
        "customer": {"type": "link", "to": "customer"},
        "total": "money",
        "lines": {"type": "table", "of": "line"},
    },
    "line": {"amount": "money"},
    "payment": {
        "invoice": {"type": "link", "to": "invoice"},
        "amount": "money",
        "method": {"type": "choice", "choices": ["card", "cash"]},
        "received": "date",
    },
    "task": {
        "asked_by": {"type": "link", "to": "customer"},
        "asked_of": {"type": "link", "to": "customer"},
        "done": "boolean",
    },
}
"""The entities that the examples are about; the compiler reads them when the page is made."""
LISTS = {
    "lines": ("invoice", "the rows of a table field", "its name", ["sum(lines.amount)", "count(lines)"]),
    "payments": (
        "invoice",
        "the records whose link leads here",
        "their entity's name in the plural",
        ["sum(payments.amount, method == 'card')", "max(payments.received)"],
    ),
    "task_asked_by": (
        "customer",
        "the same, where several links of an entity lead here",
        "`<entity>_<link>`",
        ["count(task_asked_by, not done)"],
    ),
}
"""Name of a list → the entity whose records have it, what it holds, what it is called, and expressions with it."""
CONDITIONS = """
The names in the condition are fields of the list's records. A list may stand behind links, {across}, and the field
behind links of the list's own records. A condition may not sum up another list; compute that in a field first.
"""
COMPUTED = """
`compute` may stand at fields of the types {types}. The expression must give what the field holds. Nobody types the
value: forms show it, exports hold it, imports pass it over. Lists show it, filter by it and order by it as by any
other. Computed fields may read one another, as long as they do not go round in a circle. `default`, `backfill`,
`required` and `unique` have no place beside `compute`. The engine chooses how the value is kept, and `manage.py
explain` says how:
"""
LIVE_VALUES = """
A value that is kept nowhere cannot be searched, nor stand in the entity's `unique`, and the history does not hold it.
See [compute a field](how-to/compute-a-field.md).
"""


def lists_part() -> Iterator[str]:
    yield from ["### Lists of records", ""]
    yield from ["What points to a record can be counted and summed up. The list has a name:", ""]
    yield from ["| List | What it is called | For example | Written |", "|---|---|---|---|"]
    business = sample_business(**SHOP)
    for name, (holder, what, called, sources) in LISTS.items():
        entity = business.entities[holder]
        link, table = collections_of(entity)[name]
        example = f"`{name}` of `{entity}`, by `{entity}.{table}`" if table else f"`{name}` of `{entity}`, by `{link}`"
        yield row(what, called, example, ", ".join(_compiled(source, entity) for source in sources))
    invoice = business.entities["invoice"]
    yield from ["", "| Of a list | What it is |", "|---|---|"]
    for name, summary in AGGREGATES.items():
        taken = "list" if _takes_records(name, invoice) else "list.field"
        yield row(f"`{name}({taken})`, `{name}({taken}, condition)`", summary)
    across = _compiled("sum(customer.invoices.total)", invoice)
    yield from ["", *paragraph(CONDITIONS.format(across=across))]


def _compiled(source: str, entity: Entity) -> str:
    read_expression(source, entity)
    return f"`{source}`"


def _takes_records(name: str, entity: Entity) -> bool:
    try:
        read_expression(f"{name}(payments)", entity)
    except ExpressionError:
        return False
    return True


def computed_part() -> Iterator[str]:
    types = [f"`{field.type.name}`" for field in plain_fields() if _can_be_computed(field)]
    yield from ["### Computed fields", "", *paragraph(COMPUTED.format(types=listed(types))), ""]
    yield from ["| Kept | When |", "|---|---|"]
    for kept, when in KEPT_AS.values():
        yield row(kept, when)
    yield from ["", *paragraph(LIVE_VALUES)]


def _can_be_computed(field: Field) -> bool:
    """Ask the compiler: with an expression of the right kind, it must have nothing to say."""
    raw = {"type": field.type.name, **field.type.example_options}
    try:
        sample_business(sample={"given": raw, "example": {**raw, "compute": "given"}}, other={"name": "text"})
    except DefinitionError:
        return False
    return True
