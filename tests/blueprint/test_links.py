"""Links, tables and the names that they take on both sides."""

from __future__ import annotations

import pytest

from tests.blueprint.writing import business, fields, problems, told

LINE = "fields: {n: integer, note: text}"


@pytest.mark.parametrize(
    "kind", ["{type: link, to: custmer}", "{type: links, to: custmer}", "{type: table, of: custmer}"]
)
def test_a_link_leads_to_an_entity_that_exists(kind: str):
    (problem,) = problems(trip=f"fields:\n  a: {kind}", customer=LINE)
    assert (problem.message, problem.hint) == ("there is no entity 'custmer'", "Did you mean 'customer'?")
    assert problem.place.text[problem.place.column - 1 :].startswith("custmer")


def test_nothing_is_said_of_what_hangs_on_a_link_that_is_wrong_already():
    trip = "fields: {a: {type: link, to: custmer}}\nlist: {columns: [a.name]}\ntitle: '{a.name}'"
    assert told(trip=trip, customer=LINE) == ["trip.yaml:1:30: there is no entity 'custmer' (Did you mean 'customer'?)"]


def test_nothing_is_said_of_links_to_a_file_that_cannot_be_read():
    trip = "fields: {a: {type: link, to: customer}, b: {type: table, of: row}}\nlist: {columns: [a.name]}"
    assert [one.split(" ")[0] for one in told(trip=trip, customer="fields: {a: text", row=LINE)] == [
        "customer.yaml:1:9:",
        "row.yaml:1:1:",
    ]


def test_required_links_form_no_circle():
    a, b, c = (f"fields: {{{one}: {{type: link, to: {one}, required: true}}}}" for one in "bca")
    assert told(a=a, b=b, c=c) == [
        "a.yaml:1:10: these required links form a circle, so no first record could be saved: a.b → b.c → c.a → a "
        "(Leave 'required' out of one of them.)"
    ]
    business(a=a, b=b, c=c.replace(", required: true", ""))


def test_a_record_cannot_need_another_of_its_own_kind():
    assert fields("{a: {type: link, to: thing, required: true}}").startswith("these required links form a circle")
    business(thing="fields: {a: {type: link, to: thing}}")


def test_circles_are_found_behind_each_other_and_at_any_length():
    chain = {f"e{n}": f"fields: {{next: {{type: link, to: e{n + 1}, required: true}}}}" for n in range(1_500)}
    business(**chain, e1500=LINE)
    (problem,) = problems(**chain, e1500="fields: {next: {type: link, to: e1400, required: true}}")
    assert str(problem.place) == "e1400.yaml:1:10"
    ring = "fields: {a: {type: link, to: ONE, required: true}, b: {type: link, to: TWO, required: true}}"
    pair = {"x": ring.replace("ONE", "y").replace("TWO", "z"), "y": "fields: {x: {type: link, to: x, required: true}}"}
    assert len(problems(**pair, z="fields: {x: {type: link, to: x, required: true}}")) == 2


def test_a_required_link_cannot_be_emptied():
    (problem,) = problems(trip="fields: {a: {type: link, to: line, required: true, on_delete: empty}}", line=LINE)
    assert (problem.message, problem.hint) == ("a required link cannot be emptied", "Use 'protect' or 'cascade'.")


@pytest.mark.parametrize(
    ("invoice", "line", "problem"),
    [
        ("{a: {type: table, of: line}}", "{invoice: text}",
         "invoice.yaml:1:10: 'line' has a field 'invoice' of its own (line.yaml:1:10) "
         "(A child gets its link to the parent from the table: remove that field.)"),
        ("{a: {type: table, of: line}}", "{invoice: address}",
         "invoice.yaml:1:10: 'line' has a field 'invoice' of its own (line.yaml:1:10) "
         "(A child gets its link to the parent from the table: remove that field.)"),
        ("{a: {type: table, of: line}, b: {type: table, of: line}}", "{n: integer}",
         "invoice.yaml:1:38: 'line' is the rows of another table already (invoice.yaml:1:10) "
         "(Make an entity of its own for these rows.)"),
        ("{a: {type: table, of: invoice}}", "{n: integer}",
         "invoice.yaml:1:31: an entity cannot be a row of itself (Use a link.)"),
        ("{a: {type: table, of: line, order_by: x}}", "{n: integer}",
         "invoice.yaml:1:47: 'line' has no field 'x' (Known: invoice, n.)"),
        ("{a: {type: table, of: line, rows: c}}", "{n: integer}",
         "invoice.yaml:1:43: 'c' is no whole-number field of 'invoice' (Name a field of type integer.)"),
        ("{a: {type: table, of: line, rows: size}, size: text}", "{n: integer}",
         "invoice.yaml:1:43: 'size' is no whole-number field of 'invoice' (Name a field of type integer.)"),
    ],
)  # fmt: skip
def test_the_rows_of_a_table_get_their_link_from_it(invoice: str, line: str, problem: str):
    assert told(invoice=f"fields: {invoice}", line=f"fields: {line}") == [problem]


def test_the_link_to_the_parent_cannot_take_the_name_of_a_part_of_an_address():
    (problem,) = problems(home_city="fields: {a: {type: table, of: line}}", line="fields: {home: address}")
    assert problem.message == "'line' has a field 'home_city' of its own (line.yaml:1:10)"


def test_a_child_gets_its_link_to_the_parent_first():
    found = business(invoice="fields: {lines: {type: table, of: line}}", line=LINE).entities["line"]
    link = found.fields["invoice"]
    assert list(found.fields) == ["invoice", "n", "note"]
    assert (link.type.name, link.options.required, link.options.on_delete) == ("link", True, "cascade")
    assert str(link.place(key=True)) == "invoice.yaml:1:10"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{o: {type: link, to: thing}, o_id: text}", "the name 'o_id' is taken: the key of 'o' is kept under it"),
        ("{o_id: integer, o: user}", "the name 'o_id' is taken: the key of 'o' is kept under it"),
        ("{thing_b: text, b: {type: link, to: thing}}",
         "the name 'thing_b' is taken: the records of thing.b are found by it"),
        ("{thing_b_set: text, b: {type: links, to: thing}}",
         "the name 'thing_b_set' is taken: the records of thing.b are found by it"),
    ],
)  # fmt: skip
def test_the_names_that_django_keeps_for_a_link_are_taken(text: str, problem: str):
    assert fields(text) == problem


def test_two_links_cannot_be_known_to_their_target_by_one_name():
    found = told(a="fields: {b_c: {type: link, to: t}}", a_b="fields: {c: {type: link, to: t}}", t=LINE)
    assert found == [
        "a_b.yaml:1:10: a_b.c and a.b_c would both be known to 't' as 'a_b_c' (Call one of them otherwise.)"
    ]


def test_a_word_before_id_is_free_where_it_is_no_link():
    business(thing="fields: {tax: text, tax_id: text, tags: tags, tags_id: text}")
