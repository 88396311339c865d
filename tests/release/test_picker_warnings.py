"""Links to entities that cannot be searched: the plan says so, and their pickers look in the titles."""

from __future__ import annotations

from crm.blueprint.layout import picker_search
from crm.release.picker_warnings import picker_warnings
from tests.blueprint.writing import business

DEPOT = """
title: "{number} {place.name} {state}"
fields:
  number: integer
  place: {type: link, to: place}
  state: {type: choice, choices: [open, shut]}
"""
PLACE = "{title: '{name}', fields: {name: text}}"
SHELF = "fields: {depot: {type: link, to: depot}, depots: {type: links, to: depot}}"


def test_a_target_without_search_is_named_with_what_pickers_look_in():
    shop = business(depot=DEPOT, place=PLACE, shelf=SHELF)
    assert list(picker_warnings(shop)) == [
        "! 'depot' has no list.search (depot.yaml:1:1): whoever chooses one in shelf.depot, shelf.depots searches in its "
        "title: number, place.name, state"
    ]


def test_a_list_that_is_to_have_no_search_is_named_at_its_line():
    (told,) = picker_warnings(business(depot=DEPOT + "list: {search: []}", place=PLACE, shelf=SHELF))
    assert "(depot.yaml:6:16)" in told


def test_nothing_is_said_of_what_can_be_searched_or_is_no_links_target():
    assert list(picker_warnings(business(depot=DEPOT + "list: {search: [place.name]}", place=PLACE, shelf=SHELF))) == []
    assert list(picker_warnings(business(depot=DEPOT, place=PLACE))) == []


def test_a_title_of_no_column_leaves_the_number_of_the_record():
    shop = business(depot="{title: Depot, fields: {number: integer}}", shelf=SHELF)
    assert picker_search(shop.entities["depot"]) == ["id"]
