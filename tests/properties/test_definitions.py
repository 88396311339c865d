"""Whatever the language can describe can be built, filled, shown, exported, imported and kept in the history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import clear_url_caches, path, set_urlconf
from hypothesis import strategies as st

from crm.blueprint.nodes import Business, Entity, Field
from crm.builders.admin import admin_contributions, register_all
from crm.builders.models import model_contributions
from crm.builders.record_admin import RecordAdmin
from crm.builders.site import Site
from crm.capabilities.transfer.file_reader import FORMATS, Sheet, read_sheet
from crm.capabilities.transfer.importing import prepare, write
from crm.capabilities.transfer.keys import key_fields
from crm.capabilities.transfer.preparation import FAILED, NEW, UNCHANGED, UPDATED
from crm.capabilities.transfer.resource import export_rows, needs_id
from crm.records.display import is_empty
from crm.wiring import CAPABILITIES, FIELD_TYPES
from properties import strategies, values
from properties.records import delete_all, held_by_id, held_by_key, leaves_of, rows_of, write_rows
from properties.running import check, parts
from properties.world import read_business, world

pytestmark = pytest.mark.filterwarnings(
    "ignore:The default scheme:PendingDeprecationWarning", "ignore:The default scheme"
)


def test_every_type_is_made_up():
    names = {one.name for one in FIELD_TYPES}
    assert set(strategies.OPTIONS) == names
    assert set(values.VALUES) == {one.name for one in FIELD_TYPES if one.stored} - {"link", "links"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", parts(4))
def test_any_business_works(part: int):
    check(holds, part, 3, documents=strategies.documents(), format=st.sampled_from(FORMATS), data=st.data())


def holds(documents: strategies.Documents, format: str, data: st.DataObject) -> None:
    with world() as here:
        business = read_business(here.label, documents)
        here.install(business)
        here.migrate(here.to_do(business))
        assert here.to_do(business) == []
        write_rows(business, data.draw(values.rows(business)))
        check_business(business, format)


def check_business(business: Business, format: str) -> None:
    """Check all that a business with records must be able to do; `format` is that of the way there and back."""
    before = held_by_id(business)
    check_versions(business)
    check_admin(business)
    for entity in business.entities.values():
        for one in FORMATS:
            check_unchanged(entity, one)
    assert held_by_id(business) == before
    check_restored(business, format)


def check_versions(business: Business) -> None:
    """Each record has one version for each time that it was written, and the last is as the record is."""
    for entity in business.entities.values():
        for record in rows_of(entity):
            versions = list(record.history.order_by("history_id"))
            assert [one.history_type for one in versions] in (["+"], ["+", "~"])
            for column in type(versions[-1]).tracked_fields:
                assert getattr(versions[-1], column.attname) == getattr(record, column.attname), column
            for link in type(versions[-1])._history_m2m_fields:
                target = f"{link.m2m_reverse_field_name()}_id"
                kept = getattr(versions[-1], link.name).values_list(target, flat=True)
                assert sorted(kept) == sorted(getattr(record, link.name).values_list("pk", flat=True)), link


def check_admin(business: Business) -> None:
    """The plans can be printed, and the admin of each entity shows its records."""
    site = Site()
    register_all(business, CAPABILITIES, site)
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_staff=True)
    with _urls(site):
        for entity in business.entities.values():
            assert str(model_contributions(entity, CAPABILITIES)) and str(admin_contributions(entity, CAPABILITIES))
            check_pages(site.get_model_admin(rows_of(entity).model), request)


@contextmanager
def _urls(site: Site) -> Iterator[None]:
    """Serve a site in place of the project's."""
    urls = ModuleType("urls")
    urls.urlpatterns = [path("admin/", site.urls)]  # type: ignore[attr-defined]
    set_urlconf(urls)  # type: ignore[arg-type]
    try:
        yield
    finally:
        set_urlconf(None)
        clear_url_caches()


def check_pages(admin: RecordAdmin, request: HttpRequest) -> None:
    """The list shows, sorts and searches the records, and a form can be made of each, with its rows."""
    assert admin.check() == []
    records = list(admin.get_queryset(request))
    list(admin.get_search_results(request, admin.get_queryset(request), "a")[0])
    for record in [*records, None]:
        admin.get_form(request, record)(instance=record)
        list(admin.get_formsets_with_inlines(request, record))
    for record in records:
        assert str(record)
        for cell in admin.list_display:
            cell(record)


def check_unchanged(entity: Entity, format: str) -> None:
    """An export that is imported as it is changes nothing."""
    rows = rows_of(entity)
    data = export_rows(entity, rows, format)
    if rows.exists():
        found = prepare(entity, read_sheet(data, format))
        told = found.refusals, found.errors, [row.changes for row in found.rows if row.changes]
        assert told == ([], [], []), (format, data)
        expected = {NEW: 0, UPDATED: 0, FAILED: 0, UNCHANGED: rows.count()}
        assert found.counts == expected, (format, data)


def check_restored(business: Business, format: str) -> None:
    """What was exported and then deleted comes back from its file, every value and every link."""
    entities = _restorable(business)
    files = {one: export_rows(one, rows_of(one), format) for one in entities if rows_of(one).exists()}
    before = {one: held_by_key(one) for one in entities}
    delete_all(business)
    assert not any(rows_of(one).exists() for one in business.entities.values())
    for entity, data in files.items():
        _import(entity, _without_late(entity, read_sheet(data, format)))
    for entity, data in files.items():
        _import(entity, read_sheet(data, format))
    for entity in entities:
        after = held_by_key(entity)
        assert set(after) == set(before[entity])
        for key, record in before[entity].items():
            for leaf in leaves_of(entity):
                check_same(leaf, record[leaf.name], after[key][leaf.name])


def _restorable(business: Business) -> list[Entity]:
    """Return the entities whose records files name without their `id`, and to whose records only such links lead."""
    found = [one for one in business.entities.values() if key_fields(one) and not needs_id(one, rows_of(one))]
    while True:
        fit = [one for one in found if all(leaf.target is None or leaf.target in found for leaf in leaves_of(one))]
        if fit == found:
            return found
        found = fit


def _without_late(entity: Entity, sheet: Sheet) -> Sheet:
    """Leave out the links that may lead to records which are not there yet."""
    late = {leaf.name for leaf in leaves_of(entity) if values.is_late(leaf)}
    kept = [index for index, name in enumerate(sheet.headings) if name not in late]
    rows = ((number, [row[index] for index in kept]) for number, row in sheet.rows)
    return Sheet([sheet.headings[index] for index in kept], rows, sheet.exact)


def _import(entity: Entity, sheet: Sheet) -> None:
    found = prepare(entity, sheet)
    assert (found.refusals, found.errors) == ([], [])
    write(found)


def check_same(leaf: Field, old: Any, new: Any) -> None:
    """An empty cell of a new record takes the default; all else is as it was."""
    if not (is_empty(old) and getattr(leaf.options, "default", None) is not None):
        assert old == new or leaf.type.equals(old, new), (leaf, old, new)
