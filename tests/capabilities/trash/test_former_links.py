"""Undo and revert link again to what lies in the trash, as records keep their links to it; other losses are told."""

from __future__ import annotations

import pytest
from properties.world import installed

from crm.capabilities.history.revert import revert_record
from crm.capabilities.history.undo import revert_change
from crm.records.changes import change_scope
from crm.records.writes import write_records
from tests.capabilities.trash.conftest import Models

NAMED = {"name": {"type": "text", "required": True}}
OFFICE = {
    "app.yaml": {"name": "Office"},
    "area.yaml": {"title": "{name}", "fields": NAMED, "trash": {"restore_for": "2d"}},
    "person.yaml": {"title": "{name}", "fields": NAMED, "trash": {"restore_for": "2d"}},
    "deal.yaml": {
        "title": "{name}",
        "fields": {
            **NAMED,
            "area": {"type": "link", "to": "area", "on_delete": "empty"},
            "boss": {"type": "link", "to": "person", "on_delete": "protect"},
            "helpers": {"type": "links", "to": "person"},
        },
    },
}


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(OFFICE) as business:
        yield Models(business.label)


@pytest.fixture
def office(built, db):
    return built


def deal_of(office, **values):
    """A deal with a former area and helper, and with others since; its change, and its first version."""
    south, east = (office.area.objects.create(name=name) for name in ("South", "East"))
    raj, quy, pat, kim = (office.person.objects.create(name=name) for name in ("Raj", "Quy", "Pat", "Kim"))
    with change_scope():
        deal = office.deal.objects.create(name="One", area=south, boss=pat)
        deal.helpers.set([raj])
    first = deal.history.first()
    with change_scope() as change:
        deal.area, deal.boss = east, kim
        deal.save()
        deal.helpers.set([quy])
    return deal, first, change.id


def helpers_of(deal):
    return set(type(deal).helpers.through._base_manager.filter(deal=deal).values_list("person__name", flat=True))


def bring_back(way, deal, first, change):
    """Undo the change or bring the version back, and return what could not come back."""
    return revert_change(change, type(deal)).left_out if way == "undo" else revert_record(deal, first)


@pytest.mark.parametrize("way", ["undo", "revert"])
def test_links_to_the_trash_come_back(office, way):
    deal, first, change = deal_of(office)
    office.area.objects.get(name="South").delete()
    office.person.objects.get(name="Raj").delete()
    assert bring_back(way, deal, first, change) == []
    deal.refresh_from_db()
    assert helpers_of(deal) == {"Raj"} and list(deal.helpers.all()) == []
    assert office.area._base_manager.get(pk=deal.area_id).name == "South"


@pytest.mark.parametrize("way", ["undo", "revert"])
def test_a_link_that_keeps_its_target_out_of_the_trash_stays_empty_and_is_told(office, way):
    """Nothing may point to what lies in the trash by a link that protects it."""
    deal, first, change = deal_of(office)
    office.person.objects.get(name="Pat").delete()
    (told,) = bring_back(way, deal, first, change)
    deal.refresh_from_db()
    assert deal.boss is None and "boss was Pat (deleted)" in told


@pytest.mark.parametrize("way", ["undo", "revert"])
def test_targets_that_are_gone_for_good_do_not_keep_the_rest_from_coming_back(office, way):
    deal, first, change = deal_of(office)
    for target in (office.area.objects.get(name="South"), office.person.objects.get(name="Raj")):
        target.delete_for_good()
    told = bring_back(way, deal, first, change)
    deal.refresh_from_db()
    assert deal.boss.name == "Pat" and deal.area is None and helpers_of(deal) == set()
    assert (
        len(told) == 2
        and "area was South (deleted)" in "; ".join(told)
        and "helpers had Raj (deleted)" in "; ".join(told)
    )


def test_many_links_that_are_written_at_once_leave_those_to_the_trash(office):
    """An import sets other helpers: whoever lies in the trash is still one when they come back, as by the form."""
    deal, *_ = deal_of(office)
    pat = office.person.objects.get(name="Pat")
    office.person.objects.get(name="Quy").delete()
    write_records(type(deal), updated=[deal], columns=["name"], links={"helpers": {0: {pat.pk}}})
    assert helpers_of(deal) == {"Pat", "Quy"} and list(deal.helpers.all()) == [pat]
    write_records(type(deal), updated=[deal], columns=["name"], links={"helpers": {0: set()}})
    assert helpers_of(deal) == {"Quy"}
