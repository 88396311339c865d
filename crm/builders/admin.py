"""Builds the admin of an entity: its plan, and the class that Django shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps

from crm.blueprint.layout import Tab, form_tabs, list_columns, list_filters, list_order, list_search, picker_search
from crm.blueprint.nodes import Entity, Field
from crm.builders.bulk_edit import EDIT_SELECTED
from crm.builders.cells import DISPLAY_FUNCTIONS, make_cell, make_shown
from crm.builders.child_rows import RowsAdmin, StackedRowsAdmin
from crm.builders.filters import build_filterset, filter_panels
from crm.builders.help import HELP_BUTTON, HELP_PAGE
from crm.builders.list_page import search_lookup
from crm.builders.panels import related_panel
from crm.builders.record_admin import RecordAdmin
from crm.builders.record_form import RecordForm
from crm.builders.row_forms import RowForm, RowsFormSet
from crm.kernel.capability import Capability
from crm.kernel.contributions import Contributions, Kind

WIDE = 6
"""More columns than this make a child row a block of its own instead of a line of a table."""


def admin_contributions(entity: Entity, capabilities: Iterable[Capability]) -> Contributions:
    """Plan an entity's admin: columns, filters, search, order and tabs, and what the capabilities add."""
    contributions = Contributions(f"admin {entity.business.label}.{entity.class_name}")
    section = entity.section.listing
    for path in list_columns(entity):
        contributions.add(Kind.COLUMN, path, path, _origin(entity, "columns", section.columns, path), _first(path))
    for path in list_filters(entity):
        contributions.add(Kind.FILTER, path, path, _origin(entity, "filters", section.filters, path), _first(path))
    for path in list_search(entity):
        contributions.add(Kind.SEARCH, path, path, _origin(entity, "search", section.search, path), _first(path))
    for path in list_order(entity):
        contributions.add(Kind.ORDER, path, path, _origin(entity, "order", section.order, path), _first(path))
    for tab in form_tabs(entity):
        named = [name for _, rows in tab.sections for row in rows for name in row]
        contributions.add(Kind.TAB, tab.name, tab, entity.origin("form", "tabs", tab.name), *named)
        if tab.related:
            contributions.add(Kind.PANEL, tab.related, related_panel(entity, tab.related), "related records")
    contributions.add(Kind.BULK_ACTION, "edit", EDIT_SELECTED, "engine")
    contributions.add(Kind.PAGE, "help", HELP_PAGE, "engine")
    for capability in capabilities:
        capability.contribute_to_admin(entity, contributions)
    contributions.add(Kind.LIST_BUTTON, "help", HELP_BUTTON, "engine")
    return contributions


def _first(path: str) -> str:
    return path.lstrip("-").split(".")[0]


def _origin(entity: Entity, key: str, written: list[str] | None, path: str) -> object:
    return entity.origin("list", key, written.index(path)) if path in (written or ()) else "by default"


def build_admin(entity: Entity, contributions: Contributions, site: Any) -> type[RecordAdmin]:
    """Build the admin class of an entity from its plan."""
    model = apps.get_model(entity.business.label, entity.class_name)
    paths = list(contributions.by_kind(Kind.COLUMN))
    filterset = build_filterset(entity, model, list(contributions.by_kind(Kind.FILTER)), site)
    tabs = list(contributions.by_kind(Kind.TAB).values())
    traits = {"reason_required": bool(contributions.by_kind(Kind.REASON))}
    attributes = {
        "__module__": __name__,
        "definition": entity,
        "contributions": contributions,
        "tabs": tabs,
        "form": type("Form", (RecordForm,), traits),
        "filterset_class": filterset,
        "column_paths": paths,
        "list_display": tuple(make_cell(entity, path) for path in paths),
        "list_filter": tuple(filter_panels(filterset)),
        "search_fields": tuple(search_lookup(entity, path) for path in picker_search(entity)),
        "list_per_page": entity.section.listing.page,
        "fieldsets": fieldsets(entity, tabs),
        **_shown_leaves(entity),
        "inlines": tuple(build_inline(table, site) for table in entity.fields.values() if table.type.rows),
    }
    return type(f"{entity.class_name}Admin", (RecordAdmin,), attributes)


def _shown_leaves(entity: Entity) -> dict[str, Any]:
    """Return the methods that show each field's value where it is not asked for, and the fields that never are."""
    never = tuple(leaf.name for leaf in entity.leaves if leaf.read_only)
    return {"never_asked": never, **{f"{DISPLAY_FUNCTIONS}{leaf.name}": make_shown(leaf) for leaf in entity.leaves}}


def fieldsets(entity: Entity, tabs: list[Tab]) -> tuple:
    """Return Django's fieldsets: one for each section of fields of each tab, by the name that the tab gives it."""
    result = []
    for tab in tabs:
        for name, _, rows in tab.parts:
            lines = [line for row in rows for line in _lines([entity.fields[field] for field in row])]
            if lines:
                result.append((name, {"fields": tuple(lines)}))
    return tuple(result)


def _lines(fields: list[Field]) -> list[Any]:
    """Return the lines of a row of fields; a composite takes lines of its own: the first part, then pairs."""
    together = tuple(field.name for field in fields if not field.parts and not field.type.rows)
    lines: list[Any] = [together] if together else []
    for field in fields:
        names = [leaf.name for leaf in field.leaves if field.parts]
        if names:
            lines += [names[:1][0], *(tuple(names[index : index + 2]) for index in range(1, len(names), 2))]
    return lines


def build_inline(table: Field, site: Any) -> type:
    """Build the rows of a table field as they stand in the parent's form."""
    child, parent = table.target, table.entity
    model = apps.get_model(child.business.label, child.class_name)
    leaves = [leaf for leaf in child.leaves if leaf.has_value and leaf.name != parent.name]
    base = StackedRowsAdmin if sum(not leaf.read_only for leaf in leaves) > WIDE else RowsAdmin
    traits = {"counter": table.options.rows or "", "label": table.label, "table": table.name}
    formset = type("Rows", (RowsFormSet,), traits)
    order = table.options.order_by
    attributes = {
        "__module__": __name__,
        "model": model,
        "definition": child,
        "table": table,
        "fk_name": parent.name,
        "form": RowForm,
        "formset": formset,
        "fieldsets": ((None, {"fields": _row_lines(child, parent.name, leaves, base)}),),
        "ordering": (order,) if order else ("id",),
        **_shown_leaves(child),
        "verbose_name": child.label.lower(),
        "verbose_name_plural": table.label,
    }
    return type(f"{child.class_name}Rows", (base,), attributes)


def _row_lines(child: Entity, parent: str, leaves: list[Field], base: type) -> tuple:
    return tuple(leaf.name for leaf in leaves) if base is RowsAdmin else tuple(_pairs(child, parent))


def _pairs(child: Entity, parent: str) -> list[Any]:
    plain = [field for field in child.fields.values() if field.name != parent and not field.parts and field.has_value]
    lines: list[Any] = [tuple(field.name for field in plain[index : index + 2]) for index in range(0, len(plain), 2)]
    for field in child.fields.values():
        lines += _lines([field]) if field.parts else []
    return lines


def register_all(business: Any, capabilities: Iterable[Capability], site: Any) -> None:
    """Register the admin of every entity."""
    capabilities = list(capabilities)
    for entity in business.entities.values():
        model = apps.get_model(business.label, entity.class_name)
        site.register(model, build_admin(entity, admin_contributions(entity, capabilities), site))
