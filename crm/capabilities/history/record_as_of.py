"""The page that shows a record, what it linked to and its rows as of a day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from crm.blueprint.nodes import Entity, Field
from crm.builders.cells import Heading, show
from crm.capabilities.history.day import DayForm, context_of, day_of
from crm.capabilities.history.past import Past, is_kept
from crm.records import access
from crm.records.display import title_of
from crm.records.record import Record


def record_as_of(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show a record as it was on a day, be it there still or not."""
    key, form = unquote(object_id), day_of(request)
    record = admin.get_object(request, key)
    past_record = _find(admin, request, form, key) if form.is_valid() else None
    if record is None and past_record is None:
        raise Http404
    title = _("%(record)s as of a day") % {"record": record or admin.definition.label}
    context = context_of(admin, request, form, title)
    if past_record is not None:
        title = _("%(record)s as of %(day)s") % {"record": title_of(past_record), "day": form.words}
        context |= {"title": title, **_shown(admin, request, past_record, form)}
    return TemplateResponse(
        request, "history/record_as_of.html", {**context, "original": record, "past_record": past_record}
    )


def _find(admin: Any, request: HttpRequest, form: DayForm, key: str) -> Record | None:
    """Return the record as it was; None where it was not there, or is not the user's to see."""
    past = Past(form.moment)
    try:
        versions = list(past.versions(request.user, admin.model).filter(id=admin.opts.pk.to_python(key))[:1])
    except (ValidationError, OverflowError):
        return None
    chains = [[leaf] for leaf in _seen(request, admin.definition, admin.model)[0]]
    record = next(iter(past.records(versions, chains)), None)
    return None if record is None or access.is_hidden(record) else record


def _seen(request: HttpRequest, entity: Entity, model: type[Record]) -> tuple[list[Field], list[Field]]:
    """Return the fields that the user may see: those whose values are kept, and the others."""
    seen = [leaf for leaf in entity.leaves if leaf.has_value and access.can_view_field(request.user, leaf)]
    kept = [leaf for leaf in seen if is_kept(model, [leaf])]
    return kept, [leaf for leaf in seen if leaf not in kept]


def _shown(admin: Any, request: HttpRequest, record: Record, form: DayForm) -> dict[str, Any]:
    kept, others = _seen(request, admin.definition, admin.model)
    tables = [
        field
        for field in admin.definition.fields.values()
        if field.type.rows and access.can_view_field(request.user, field)
    ]
    return {
        "sections": list(_sections(admin, record, kept, form)),
        "tables": [_table(request, Past(form.moment), field, record) for field in tables],
        "not_kept": [leaf.full_label for leaf in others],
    }


def _sections(
    admin: Any, record: Record, kept: list[Field], form: DayForm
) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Yield the headings of the record's form, each with labels and values."""
    for tab in admin.tabs:
        pairs: dict[str, list[tuple[str, Any]]] = {}
        for heading, rows in tab.sections:
            leaves = [leaf for row in rows for name in row for leaf in admin.definition.fields[name].leaves]
            seen = [(leaf.full_label, _value(record, leaf, form)) for leaf in leaves if leaf in kept]
            pairs.setdefault(heading or tab.name, []).extend(seen)
        yield from ((heading, seen) for heading, seen in pairs.items() if seen)


def _value(record: Record, leaf: Field, form: DayForm) -> Any:
    """Return a value as HTML; what a link led to then opens as of the same day."""
    text = show(record, leaf)
    target = getattr(record, leaf.name, None) if leaf.target is not None and not leaf.type.many else None
    if target is None or access.is_hidden(target):
        return text
    name = f"admin:{target._meta.app_label}_{target._meta.model_name}_record_as_of"
    return format_html('<a class="crm-link" href="{}{}">{}</a>', reverse(name, args=[target.pk]), form.query, text)


def _table(request: HttpRequest, past: Past, table: Field, record: Record) -> dict[str, Any]:
    """Return the rows that a record had then."""
    child, link, order = table.target, table.entity.name, table.options.order_by
    model = record._meta.apps.get_model(child.business.label, child.class_name)
    leaves = [leaf for leaf in _seen(request, child, model)[0] if leaf.name != link]
    versions = past.versions(request.user, model).filter(**{f"{link}_id": record.pk})
    versions = versions.order_by(*([order] if order and is_kept(model, child.follow(order)) else []), "id")
    rows = past.records(versions, [[leaf] for leaf in leaves])
    for row in rows:
        setattr(row, link, record)
    return {
        "label": table.label,
        "headings": [Heading(leaf.full_label, leaf.type.align == "right") for leaf in leaves],
        "rows": [("", [show(row, leaf) for leaf in leaves]) for row in rows if not access.is_hidden(row)],
    }
