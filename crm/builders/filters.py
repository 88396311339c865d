"""Filter sets of django-filter, made of the fields' types, and the panel that shows them in the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import django_filters
from django import forms
from django.apps import apps
from django.contrib import messages
from django.contrib.admin.filters import ListFilter
from django.db import models
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from unfold import widgets

from crm.blueprint.nodes import Entity, Field
from crm.builders.filter_fields import AnyOf, DaysFilter, NumbersField, NumbersFilter, RecordsFilter
from crm.builders.inputs import RecordSelectMultiple
from crm.builders.ordering import value_at
from crm.builders.refusals import ExplainedBadRequest
from crm.builders.rows import shown_rows
from crm.records import access
from crm.records.display import lookup_path

MAX_VALUES = 200
"""How many values of one filter an address may hold: each is an option of its input, and costs time to show."""
INPUT = {"class": " ".join(widgets.INPUT_CLASSES)}


def _text(name: str, field: Field, label: str, **_: Any) -> django_filters.Filter:
    widget = forms.TextInput(attrs=INPUT)
    return django_filters.CharFilter(field_name=name, lookup_expr="icontains", label=label, widget=widget)


def _choice(name: str, field: Field, label: str, **_: Any) -> django_filters.Filter:
    choices = partial(_choices_of, field)
    widget = widgets.UnfoldAdminSelect2MultipleWidget()
    return ChoicesFilter(field_name=name, choices=choices, label=label, widget=widget)


def _choices_of(field: Field) -> list[tuple[str, str]]:
    return field.type.input_options(field)["choices"]


class ChoicesFilter(AnyOf, django_filters.MultipleChoiceFilter):
    """Filters a column by some of its choices."""


def _boolean(name: str, field: Field, label: str, **_: Any) -> django_filters.Filter:
    choices = [("", "All"), ("true", "Yes"), ("false", "No")]
    widget = widgets.UnfoldAdminSelectWidget(choices=choices)
    return YesNoFilter(field_name=name, label=label, choices=choices[1:], widget=widget, empty_label="All")


class YesNoFilter(django_filters.ChoiceFilter):
    """Filters a boolean by the words `true` and `false`."""

    def filter(self, qs: models.QuerySet, value: Any) -> models.QuerySet:
        return qs if value not in {"true", "false"} else qs.filter(**{self.field_name: value == "true"})


class Between(django_filters.widgets.RangeWidget):
    """Two inputs, named `<name>_min` and `<name>_max`."""

    template_name = "crm/between.html"


class Days(Between):
    """Two dates, named `<name>_after` and `<name>_before`."""

    suffixes = ["after", "before"]


def _number(name: str, field: Field, label: str, **_: Any) -> django_filters.Filter:
    attrs = {**INPUT, "inputmode": "decimal"}
    made = type("Numbers", (NumbersFilter,), {"field_class": partial(NumbersField, field)})
    return made(field_name=name, label=label, widget=Between(attrs=attrs), distinct=False)


def _date(name: str, field: Field, label: str, **_: Any) -> django_filters.Filter:
    attrs = {**INPUT, "type": "date"}
    return DaysFilter(field_name=name, label=label, widget=Days(attrs=attrs), distinct=False)


class LinkedFilter(RecordsFilter):
    """Filters by records of a many-to-many field: a semi-join (`EXISTS`), so that no row is there twice."""

    def __init__(self, *, column: models.ManyToManyField, **more: Any):
        super().__init__(**more)
        self.through = column.remote_field.through
        self.here, self.there = column.m2m_column_name(), column.m2m_reverse_name()

    def filter(self, qs: models.QuerySet, value: Any) -> models.QuerySet:
        if not value:
            return qs
        holder = "__".join([*self.field_name.split("__")[:-1], "pk"])
        keys = [record.pk for record in value]
        links = self.through._base_manager.filter(**{self.here: OuterRef(holder), f"{self.there}__in": keys})
        return qs.filter(Exists(links))


def _link(name: str, field: Field, label: str, column: Any, site: Any) -> django_filters.Filter:
    target = column.related_model
    if field.target is None:
        widget: forms.Widget = widgets.UnfoldAdminSelect2MultipleWidget()
    else:
        widget = RecordSelectMultiple(column, site, attrs={"class": "unfold-filter-autocomplete"})
    shared = {"field_name": name, "label": label, "queryset": partial(_targets, target, field), "widget": widget}
    return LinkedFilter(**shared, column=column) if field.type.many else RecordsFilter(**shared)


def _targets(target: type[models.Model], field: Field, request: HttpRequest | None) -> models.QuerySet:
    if field.target is not None:
        seen = access.visible_rows(request.user, target) if request else target._default_manager.none()
        return shown_rows(seen, field.target, [])
    scope = field.type.input_options(field).get("scope")
    everyone = target._default_manager.only("id", *field.type.columns_displayed(field))
    return everyone.filter(scope=scope) if scope else everyone.filter(is_staff=True)


FILTERS: dict[str, Callable[..., django_filters.Filter]] = {
    "text": _text,
    "choice": _choice,
    "boolean": _boolean,
    "number": _number,
    "date": _date,
    "link": _link,
}


def build_filterset(entity: Entity, model: type[models.Model], paths: list[str], site: Any) -> type:
    """Build the filter set of an entity's list; the export and every other reader of rows use the same."""
    declared = {}
    for path in paths:
        chain = entity.follow(path)
        for end in chain[-1].leaves:
            name = lookup_path([*chain[:-1], end])
            if end.type.filter:
                declared[name] = _make(end, name, chain, model, site)
    meta = type("Meta", (), {"model": model, "fields": []})
    return type(f"{entity.class_name}Filters", (django_filters.FilterSet,), {**declared, "Meta": meta})


def _make(end: Field, name: str, chain: list[Field], model: type[models.Model], site: Any) -> django_filters.Filter:
    holder = apps.get_model(end.business.label, end.entity.class_name)
    column = holder._meta.get_field(end.name) if end.stored else None
    label = end.full_label if len(chain) == 1 or end.whole else f"{chain[-2].label}: {end.label.lower()}"
    made = FILTERS[end.type.filter](name, end, label, column=column, site=site)
    return made if end.stored else _on_live(made, chain)


def _on_live(made: django_filters.Filter, chain: list[Field]) -> django_filters.Filter:
    """Let a filter find the value of a field that has no column: rows carry it under the filter's name."""
    find = made.filter

    def find_live(rows: models.QuerySet, value: Any) -> models.QuerySet:
        return (
            rows
            if value in django_filters.constants.EMPTY_VALUES
            else find(rows.alias(**{made.field_name: value_at(chain)}), value)
        )

    made.filter = find_live
    return made


class FilterPanel(ListFilter):
    """Shows one filter of a filter set in the list's panel, and lets the filter set do the filtering."""

    template = "crm/filter.html"
    name: str
    filterset_class: type[django_filters.FilterSet]

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[models.Model], admin: Any):
        super().__init__(request, params, model, admin)
        for key in self.expected_parameters():
            if key in params:
                self.used_parameters[key] = params.pop(key)
        self.filterset = bound_filterset(request, self.filterset_class)

    @classmethod
    def expected_parameters(cls) -> list[str]:
        widget = cls.filterset_class.base_filters[cls.name].extra.get("widget")
        if isinstance(widget, Between):
            return [f"{cls.name}_{suffix}" for suffix in widget.suffixes]
        return [cls.name]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {"field": self.filterset.form[self.name], "selected": bool(self.used_parameters)}

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        form = self.filterset.form
        form.is_valid()
        if self.name in form.errors:
            words = {"title": self.title, "why": "; ".join(form.errors[self.name])}
            messages.error(request, _("Filter %(title)s: %(why)s") % words)
            return queryset.none()
        value = form.cleaned_data.get(self.name)
        return self.filterset.filters[self.name].filter(queryset, value)


def bound_filterset(request: HttpRequest, made: type[django_filters.FilterSet]) -> django_filters.FilterSet:
    """Return the filter set of a request; made once however many of its filters are shown."""
    known = request.__dict__.setdefault("_filtersets", {})
    data = request.GET.urlencode()
    key = made, data
    if key not in known:
        known[key] = made(data=_asked_values(data), queryset=made._meta.model._default_manager, request=request)
    return known[key]


def _asked_values(query: str) -> QueryDict:
    """Return what an address asks the filters for, each value once.

    Raises ExplainedBadRequest for more than MAX_VALUES of one filter.
    """
    asked = QueryDict(query, mutable=True)
    for name, values in list(asked.lists()):
        once = list(dict.fromkeys(values))
        if len(once) > MAX_VALUES:
            raise ExplainedBadRequest(_("A filter takes %(most)s values at most.") % {"most": MAX_VALUES})
        asked.setlist(name, once)
    return asked


def filter_panels(made: type[django_filters.FilterSet]) -> list[type[FilterPanel]]:
    """Return the panels of a filter set, as Django's list takes them."""
    return [
        type(f"Panel_{name}", (FilterPanel,), {"name": name, "title": base_filter.label, "filterset_class": made})
        for name, base_filter in made.base_filters.items()
    ]
