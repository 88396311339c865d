"""Titles, lists, forms and lists of what is unique: every path leads to a field that can stand there."""

from __future__ import annotations

from itertools import chain

import pytest

from crm.blueprint.layout import REST, form_tabs
from tests.blueprint.writing import business, told

FILES = {
    "customer": "fields: {name: text, email: email, born: date, home: address}",
    "line": "fields: {n: integer}",
    "note": "fields: {trip: {type: link, to: trip}}",
}
TRIP = """
fields: {code: text, owner: {type: link, to: customer}, people: {type: links, to: customer},
         lines: {type: table, of: line}, done: boolean, memo: long_text, pic: image, tags: tags,
         seller: user, home: address}
"""


def trip(line: str) -> list[str]:
    return [one.removeprefix("trip.yaml:5:") for one in told(**FILES, trip=f"{TRIP.strip()}\n\n{line}")]


OWN = "Known: code, created, done, home, lines, memo, owner, people, pic, seller, tags, updated."
CUSTOMER = "Known: born, created, email, home, name, updated."


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("list: {columns: [cod]}", "18: 'Trip' has no field 'cod' (Did you mean 'code'?)"),
        ("list: {columns: [Code]}", "18: 'Code' does not fit 'columns' (Names are written in small letters"),
        ("list: {columns: [owner.nam]}", "18: 'Customer' has no field 'nam' (Did you mean 'name'?)"),
        ("list: {columns: [owner.home.cty]}", "18: 'owner.home' has no field 'cty' (Did you mean 'city'?)"),
        ("list: {columns: [owner.owner]}", f"18: 'Customer' has no field 'owner' ({CUSTOMER})"),
        ("list: {columns: [owner.id]}", f"18: 'Customer' has no field 'id' ({CUSTOMER})"),
        ("list: {columns: [seller.name]}", "18: 'seller' has no field 'name'"),
        ("list: {columns: [code.name]}", "18: 'code' has no field 'name'"),
        ("list: {columns: [code, code]}", "24: 'code' stands here twice"),
        ("list: {columns: [lines]}", "18: a table field cannot be a column"),
        ("list: {columns: [people.name]}", "18: 'people' holds several records, so 'people.name' has no single value"),
        ("list: {columns: [-code]}", "18: a '-' before a field has a meaning in 'order' only: '-code'"),
        ("list: {columns: code}", "17: 'columns' takes a list, such as [one, two], not 'code'"),
        ("list: {columns: [[code]]}", "18: 'columns' takes text, not a list"),
        ("list: {colums: [code]}", "8: unknown key 'colums' (Did you mean 'columns'?)"),
        ("list: {filters: [memo]}", "18: a long_text field cannot be filtered by"),
        ("list: {filters: [pic]}", "18: an image field cannot be filtered by"),
        ("list: {filters: [id]}", f"18: 'Trip' has no field 'id' ({OWN})"),
        ("list: {search: [done]}", "17: the search looks in text only; 'done' is a boolean field"),
        ("list: {search: [home]}", "17: the search looks in text only; 'home' is an address field"),
        ("list: {order: [people]}", "16: 'people' holds several records, so 'people' has no single value"),
        ("list: {order: [pic]}", "16: an image field gives no order"),
        ("list: {page: 4}", "14: 'page' must be at least 5, not 4"),
        ("list: {page: '50'}", "14: 'page' takes a whole number, not '50'"),
        ("list: [code]", "7: 'list' takes a map of 'key: value' lines, not a list"),
        ("title: '{cod}'", "8: 'Trip' has no field 'cod' (Did you mean 'code'?)"),
        ("title: '{owner.nam}'", "8: 'Customer' has no field 'nam' (Did you mean 'name'?)"),
        ("title: '{owner.id}'", f"8: 'Customer' has no field 'id' ({CUSTOMER})"),
        ("title: '{people}'", "8: 'people' holds several records, so 'people' has no single value"),
        ("title: '{lines}'", "8: 'lines' holds several records, so 'lines' has no single value"),
        ("title: '{code'", "8: title: a '{' is not closed in '{code': a field is written {code}"),
        ("title: 'Trip {'", "8: title: a '{' is not closed in 'Trip {': a field is written {customer.name}"),
        ("title: 'code}'", "8: title: a '}' stands alone in 'code}': nothing before it opens a field with '{'"),
        ("title: '{Code}'", "8: title: {Code} is not a path to a field, such as {customer.name}"),
        ("title: '{}'", "8: title: {} is not a path to a field, such as {customer.name}"),
        ("title: '{code.__class__}'", "8: title: {code.__class__} is not a path to a field, such as {customer.name}"),
        ("unique: [[code, nope]]", "17: there is no field 'nope' (Known: code, done, "),
        ("unique: [[code, lines]]", "17: a table field holds no single value"),
        ("unique: [[code, tags]]", "17: a tags field holds no single value"),
        ("unique: [code]", "10: 'unique' takes a list, such as [one, two], not 'code'"),
        ("unique: [[]]", "10: this list is empty"),
        ("unique: [[code, code]]", "10: this stands here twice"),
        ("unique: [[code, owner], [owner, code]]", "25: this stands here twice"),
        ("form: {tabs: {Main: [cod]}}", "22: 'Trip' has no field 'cod' (Did you mean 'code'?)"),
        ("form: {tabs: {Main: [[code, code]]}}", "29: 'code' stands in the form twice"),
        ("form: {tabs: {Main: [code], More: [code]}}", "36: 'code' stands in the form twice"),
        ("form: {tabs: {Main: [home_city]}}", "22: 'Trip' has no field 'home_city'"),
        ("form: {tabs: {Main: timelne}}", "21: there is no panel 'timelne' (Did you mean 'timeline'?)"),
        ("form: {tabs: {Main: {Head: code}}}", "28: here stands a list of fields"),
        ("form: {tabs: {Main: 7}}", "21: a tab takes a list of fields, a map of headings, {related: entity} or"),
        ("form: {tabs: {Main: {related: customer}}}", "31: no link of 'customer' leads here (Known: line, note.)"),
        ("form: {tabs: {Main: {related: note, also: x}}}", "37: unknown key 'also' beside 'related'"),
        ("form: {tabs: {'': [code]}}", "19: '' is empty"),
        ("form: ", "6: 'form' takes a map of 'key: value' lines, not nothing"),
        ("form: {tab: {}}", "8: unknown key 'tab' (Did you mean 'tabs'?)"),
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_told_at_its_place(line: str, problem: str):
    (found,) = trip(line)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    "line",
    [
        "list: {columns: [id, code, owner, owner.home, owner.home.city, people, tags, created], order: [-id]}",
        "list: {filters: [owner.born, people, tags, home.country, created], search: [owner.name, memo, home.city]}",
        "list: {columns: [], filters: [], search: [], order: []}",
        "title: '{code} {owner.name}, {owner.home.city} {id} {home} {created}'",
        "title: plain words",
        "unique: [[code], [code, owner], [owner, created]]",
        "form: {tabs: {A: [[code, owner], people], B: {Head: [lines], '': []}, C: {related: note}, D: timeline}}",
        "form: {tabs: {}}",
    ],
)
def test_good_paths_are_taken(line: str):
    business(**FILES, trip=f"{TRIP.strip()}\n{line}")


@pytest.mark.parametrize(
    ("tabs", "parts"),
    [
        ("[name, lines, total]", [("", "name"), ("", "lines"), ("", "total"), ("More", "note")]),
        ("{Head: [name, lines, total]}", [("Head", "name"), ("", "lines"), ("", "total"), ("More", "note")]),
        (
            "{Head: [lines, total], Foot: [name]}",
            [("", "lines"), ("Head", "total"), ("Foot", "name"), ("More", "note")],
        ),
        ("{Head: [[name, lines, total]]}", [("Head", "name total"), ("", "lines"), ("More", "note")]),
        ("{More: [name], Foot: [lines, total]}", [("More", "name"), ("", "note"), ("", "lines"), ("Foot", "total")]),
    ],
)
def test_the_parts_of_a_tab_come_in_the_order_that_is_written(tabs: str, parts: list):
    bill = f"""\
        fields: {{name: text, total: integer, note: text, lines: {{type: table, of: line}}}}
        form: {{tabs: {{Bill: {tabs}}}}}
        """
    first = form_tabs(business(bill=bill, line="fields: {n: integer}").entities["bill"])[0]
    told = [(name, heading, " ".join(chain(*rows))) for name, heading, rows in first.parts if rows]
    assert [(heading, fields) for _, heading, fields in told] == parts
    assert len({name for name, _, _ in told}) == len(told)


def test_the_title_of_an_entity_without_one_is_its_first_name():
    found = business(a="fields: {n: integer, name: text, code: text}", b="fields: {n: integer}").entities
    assert [found[name].title.source for name in "ab"] == ["{name}", ""]


def names_of(tab):
    names = {}
    for heading, rows in tab.sections:
        names.setdefault(heading, []).extend(name for row in rows for name in row)
    return names


def test_fields_that_no_tab_names_stand_below_a_heading_of_the_first_and_none_is_lost():
    form = "form: {tabs: {Notes: {related: note}, Trip: {Who: [owner, seller]}, Other: {More: [memo]}}}"
    entity = business(**FILES, trip=f"{TRIP.strip()}\n\n{form}").entities["trip"]
    tabs = {tab.name: names_of(tab) for tab in form_tabs(entity)}
    assert tabs["Trip"] == {"Who": ["owner", "seller"], REST: ["code", "people", "done", "pic", "tags", "home"]}
    assert tabs["Other"] == {"More": ["memo"]} and tabs["Lines"] == {"": ["lines"]} and tabs["Notes"] == {}
    shown = [name for tab in tabs.values() for names in tab.values() for name in names]
    assert sorted(shown) == sorted(entity.fields)


def test_they_join_the_heading_of_that_name_where_the_form_has_it():
    form = f"form: {{tabs: {{Trip: {{{REST}: [memo]}}, Other: {{Who: [owner]}}}}}}"
    entity = business(**FILES, trip=f"{TRIP.strip()}\n\n{form}").entities["trip"]
    assert names_of(form_tabs(entity)[0]) == {REST: ["memo", "code", "people", "done", "pic", "tags", "seller", "home"]}


def test_without_tabs_all_fields_stand_in_one():
    entity = business(**FILES, trip=TRIP.strip()).entities["trip"]
    first, lines, *_ = form_tabs(entity)
    assert sorted([*names_of(first)[""], *names_of(lines)[""]]) == sorted(entity.fields)


SITE = {"site": "fields: {name: text}", "line": "fields: {n: integer}"}


@pytest.mark.parametrize(
    ("field", "cure"),
    [
        ("{type: link, to: site, required: true}", ", or leave its 'required' out."),
        ("{type: user, required: true}", ", or give it a 'default'."),
        ("{type: date, required: true}", ", or give it a 'default'."),
        ("{type: date, required: true, backfill: 2024-01-01}", ", or give it a 'default'."),
    ],
)
def test_the_short_form_asks_for_all_that_a_record_needs(field, cure):
    hive = f"fields:\n  name: text\n  site: {field}\nform: {{quick: [name]}}"
    (found,) = told(**SITE, hive=hive)
    message = "hive.yaml:4:8: the short form leaves out 'site', without which no record can be saved"
    assert found == f"{message} (Add 'site' to 'quick'{cure})"
    business(**SITE, hive=hive.replace("[name]", "[site, name]"))


def test_the_short_form_of_a_row_asks_for_its_parent():
    hive = "fields: {name: text, lines: {type: table, of: line}}"
    (found,) = told(hive=hive, line="fields: {n: integer}\nform: {quick: [n]}")
    assert found.endswith(
        "the short form leaves out 'hive', without which no record can be saved (Add 'hive' to 'quick'.)"
    )


@pytest.mark.parametrize(
    "field",
    [
        "{type: date, required: true, default: today}",
        "{type: user, required: true, default: me}",
        "{type: sequence, format: '{n}'}",
        "boolean",
        "{type: link, to: site}",
    ],
)
def test_the_short_form_may_leave_out_what_a_record_gets_by_itself(field):
    business(**SITE, hive=f"fields: {{name: text, part: {field}}}\nform: {{quick: [name]}}")
