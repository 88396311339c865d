"""What an expression may say, and what is said of one that may not: the message, the caret, and how to mend it."""

from __future__ import annotations

import pytest
from properties.world import read_business

from crm.blueprint.expressions.computing import GENERATED, MATERIALIZED, ON_READ
from crm.blueprint.expressions.parser import MAX_LENGTH, ExpressionError, read_expression
from tests.blueprint.writing import business, problems, told
from tests.expressions.shop import DOCUMENTS

ORDER = read_business("shop", DOCUMENTS).entities["order"]

GOOD = {
    "a number": [
        "n", "n + 1", "-n", "m * p / 100", "m / 3", "m if b else 0", "coalesce(m, 0)", "abs(d)", "round(d, 1)", "len(t)",
        "min(m, n)", "max(m, 0, d)", "year(day)", "month(day)", "days_since(day)", "party.credit", "sum(lines.price)",
        "sum(lines.price, flag and word != 'x')", "sum(lines.order.m)", "count(lines)", "count(party.orders, n > 0)",
        "avg(lines.q)", "count(lines, order.party.credit > 1)", "max(lines.price)", "(n\r\n+ 1)", "  n  ",
    ],
    "text": ["t", "t + c", "lower(t)", "party.city", "'a' if b else t", "coalesce(t, 'none')"],
    "yes or no": [
        "b", "true", "not b", "b and n > 1 or m == 0", "1 < n < 5", "party == null", "day != null", "t == ''",
        "c in ['red', 'green']", "n not in (1, 2)", "c == 'red'", "until - day > days(3)", "date(at) == today()",
    ],
    "a date": ["day", "today()", "day + days(3)", "date(at)", "max(lines.day)", "min(day, until)"],
    "a moment": ["at", "now()", "created", "updated", "at - hours(1)"],
    "a time": ["hour"],
    "a duration": ["lasts", "until - day", "at - now()", "days(2)", "sum(lines.lasts)", "-lasts"],
    "a record of party": ["party"],
}  # fmt: skip


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_expression_has_a_kind(kind):
    assert {source: str(read_expression(source, ORDER).kind) for source in GOOD[kind]} == dict.fromkeys(
        GOOD[kind], kind
    )


@pytest.mark.parametrize(
    ("source", "places"),
    [("n", 0), ("m", 2), ("m * p", 4), ("m * p / 100", 6), ("m / n", 6), ("m + d", 3), ("round(m * d, 1)", 1), ("avg(lines.q)", 6)],
)  # fmt: skip
def test_a_number_knows_its_digits(source, places):
    assert read_expression(source, ORDER).kind.places == places


def test_what_is_read_says_what_it_needs():
    assert read_expression("days_since(day) > 3", ORDER).is_timed
    assert not read_expression("day + days(3)", ORDER).is_timed
    assert read_expression("m * n", ORDER).is_of_row
    assert not read_expression("m * party.credit", ORDER).is_of_row
    assert not read_expression("m - sum(lines.price)", ORDER).is_of_row


# Each line: the expression, the caret below its wrong part, what is said, and how it can be mended.
BAD = """
nn + 1
^ 'Order' has no field 'nn'. Did you mean 'n'?
t == 'é' and partty.credit
             ^ 'Order' has no field 'partty'. Did you mean 'party'?
party.creditt > 0
      ^ 'Party' has no field 'creditt'. Did you mean 'credit'?
party.credit.x
             ^ 'credit' is no link, so nothing can follow it.
n > today
    ^ 'Order' has no field 'today'. A function is written with brackets: 'today()'.
m > 't'
^ a number cannot be compared with text.
day < at
^ a date cannot be compared with a moment. Write date(…) for the day of a moment.
day > null
^ nothing is neither more nor less than something. Write '== null'.
t < 'a'
^ text is neither more nor less than another.
m + t
^ a number and text cannot be combined by '+'.
day + 365
^ a date and a number cannot be combined by '+'. A number of days is written days(365).
at - (n + 1)
^ a moment and a number cannot be combined by '-'. A number of days is written days(n + 1).
7 + day
^ a number and a date cannot be combined by '+'. A number of days is written days(7), behind a date.
until - day > 30
^ a duration cannot be compared with a number. A number of days is written days(30).
party == 'Ada'
^ a record of party cannot be compared with text. Name a field of it: party.name or party.city.
c == ‘red’
     ^ this cannot be read here. Write straight quotes, as in 'held'; these are curly ones.
-t
^ this operator cannot stand before text.
b and n
      ^ a condition must be yes or no, this is a number. Compare it with something: '> 0', '!= null'.
m if n else 0
     ^ a condition must be yes or no, this is a number. Compare it with something: '> 0', '!= null'.
m if b else t
^ this is a number or else text; both must be the same.
n ** 2
^ this operator has no place in an expression. There are + - * and /.
d * d * d * d * d
^ this has more than 12 digits after the point. Use round(…, 2) within.
m = 1
  ^ this cannot be read here. Equal is written with two signs: '=='.
m > 1 && b
       ^ this cannot be read here. Write 'and' and 'or'.
n is null
^ 'is' has no place in an expression. Write '=='; '== null' for nothing.
n +
   ^ the expression is not complete.
(n + 1
      ^ the expression is not complete.
n + )
    ^ this cannot be read here.
c == 'rde'
^ 'c' is never 'rde'. Did you mean 'red'?
c in ['red', 'blu']
             ^ 'c' is never 'blu'. Did you mean 'blue'?
c in red
     ^ a list must stand behind 'in'. As in: status in ['held', 'confirmed'].
n in [m]
      ^ the list behind 'in' holds plain values only.
[1]
^ a list stands only behind 'in'.
lines
^ 'lines' holds several records. Say what of them: 'count(lines)', or 'sum(lines.…)'.
0 + lines.price
          ^ 'lines' holds several records. Say what of them: 'sum(lines.price)'.
sum(line.price)
    ^ 'line' is not a list of records that point here. Did you mean 'lines'?
sum(party.credit)
    ^ 'party.credit' is not a list of records that point here. Known: orders.
sum(lines.price * 2)
    ^ the records that point here must be named first.
sum(lines)
^ sum() must know of what. As in: sum(lines.amount).
count(lines.price)
^ count() takes the records themselves. Leave out '.price'.
sum(lines.word)
    ^ sum() cannot take text.
sum(lines.price, n > 0)
                 ^ 'Line' has no field 'n'. Known: at, created, day, flag, lasts, order, price, q, updated, word.
sum(lines.price, count(order.lines) > 1)
                 ^ a sum cannot depend on another sum. Compute it in a field first.
rund(m)
^ there is no function 'rund'. Did you mean 'round'?
round(m, n)
         ^ round() takes the number of digits, 0 to 6.
round(m, 2, 3)
^ 'round' takes 2 value(s), not 3.
1 + len(n)
        ^ 'len' cannot take a number.
coalesce(m, t)
            ^ 'coalesce' takes values of one kind; this is text.
123456789012345
^ a number may have 14 digits.
0.1234567
^ a number may have 14 digits, 6 of them after the point.
party.orders.party.orders.party.orders.party.orders.party
^ a path may have 8 names, this one has 9.
user.name
^ 'Order' has no field 'user'. Whoever acts is known in 'access' and 'workflow' alone: the rest holds for everybody.
"""


def _shown(source: str) -> str:
    with pytest.raises(ExpressionError) as caught:
        read_expression(source, ORDER)
    error = caught.value
    return f"{source}\n{' ' * error.offset}^ {error.message}.{f' {error.hint}' if error.hint else ''}"


@pytest.mark.parametrize(("source", "wanted"), list(zip(*[iter(BAD.strip("\n").split("\n"))] * 2, strict=True)))
def test_a_bad_expression_is_explained(source, wanted):
    assert _shown(source) == f"{source}\n{wanted}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("n + " * MAX_LENGTH + "n", f"an expression may have {MAX_LENGTH} letters, this one has 2001"),
        ("+".join("n" * 100), "the expression is too long; compute a part of it in a field of its own"),
        ("not " * 40 + "b", "this is nested too deeply; compute a part of it in a field of its own"),
        ("abs(" * 40 + "n" + ")" * 40, "this is nested too deeply; compute a part of it in a field of its own"),
    ],
    ids=["letters", "parts", "nots", "calls"],
)
def test_an_expression_stays_small(source, message):
    with pytest.raises(ExpressionError) as caught:
        read_expression(source, ORDER)
    assert caught.value.message == message


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
def test_the_caret_of_several_lines_counts_all_letters(newline):
    with pytest.raises(ExpressionError) as caught:
        read_expression(f" (t +{newline}'é' + nn)", ORDER)
    assert caught.value.offset == len(f" (t +{newline}'é' + ")


# In a definition


def test_the_caret_stands_within_the_line_of_the_file():
    (problem,) = problems(thing="fields:\n  n: integer\n  x: {type: integer, compute: n + nn}\n")
    assert str(problem) == (
        "thing.yaml:3:35: x: 'Thing' has no field 'nn'\n"
        "      x: {type: integer, compute: n + nn}\n"
        "                                      ^\n"
        "    Did you mean 'n'?"
    )


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ('compute: "n + nn"', "thing.yaml:5:19"),
        ("compute: n+nn # why", "thing.yaml:5:16"),
        ("compute: >-\n      n +\n      nn", "thing.yaml:5:14"),
        ("compute: 'len(''a'') + nn'", "thing.yaml:5:14"),
    ],
    ids=["quoted", "commented", "folded", "escaped"],
)
def test_the_caret_is_right_however_yaml_writes_it(written, place):
    (problem,) = problems(thing=f"fields:\n  n: integer\n  x:\n    type: integer\n    {written}\n")
    assert str(problem.place) == place


def test_options_of_given_values_have_no_place_beside_compute():
    text = "fields:\n  x: {type: integer, compute: 1, default: 0, required: true, unique: true, backfill: 2}\n"
    why = "has no place beside 'compute': the value is worked out"
    assert told(thing=text) == [
        f"thing.yaml:2:34: 'default' {why}",
        f"thing.yaml:2:46: 'required' {why}",
        f"thing.yaml:2:62: 'unique' {why}",
        f"thing.yaml:2:76: 'backfill' {why}",
    ]


@pytest.mark.parametrize("kind", ["link, to: thing", "sequence, format: 'x{n}'", "file", "tags", "user", "address"])
def test_what_is_not_a_value_cannot_be_computed(kind):
    (line,) = told(thing=f"fields:\n  x: {{type: {kind}, compute: 1}}\n")
    assert "unknown option of a" in line and "field 'compute'" in line


def test_a_type_without_a_kind_cannot_be_computed():
    assert told(thing="fields:\n  x: {type: json, compute: 1}\n") == [
        "thing.yaml:2:28: a json field cannot be computed"
    ]


def test_the_value_must_be_of_the_field_s_kind():
    text = "fields:\n  n: integer\n  x: {type: text, compute: n}\n  y: {type: date, compute: x}\n  z: {type: money, compute: ''''''}\n"
    assert told(thing=text) == [
        "thing.yaml:3:28: x: the expression gives a number, a text field holds text",
        "thing.yaml:4:28: y: the expression gives text, a date field holds a date",
        "thing.yaml:5:29: z: the expression gives nothing, a money field holds a number",
    ]


CIRCLES = {
    "itself": ("x: {type: integer, compute: x + 1}", "thing.x → thing.x"),
    "its neighbour": (
        "x: {type: integer, compute: y + 1}\n  y: {type: integer, compute: x}",
        "thing.x → thing.y → thing.x",
    ),
    "a link": ("x: {type: integer, compute: up.x}\n  up: {type: link, to: thing}", "thing.x → thing.x"),
    "children": ("x: {type: integer, compute: sum(kids.y)}", "thing.x → kid.y → thing.x"),
    "a condition on children": ("x: {type: integer, compute: 'count(kids, y > 0)'}", "thing.x → kid.y → thing.x"),
}


@pytest.mark.parametrize("way", CIRCLES)
def test_a_field_that_depends_on_itself_is_named(way):
    lines, names = CIRCLES[way]
    kid = "fields:\n  thing: {type: link, to: thing}\n  y: {type: integer, compute: 'coalesce(thing.x, 1)'}\n"
    (problem,) = problems(thing=f"fields:\n  {lines}\n", kid=kid)
    assert problem.message == f"these fields are computed from one another: {names}"
    assert problem.place.line in {2, 3}


# Where values are kept


def chain(first: str, length: int, reads: str = "x{0} + x{0}") -> str:
    lines = [f"x{number}: {{type: integer, compute: {reads.format(number - 1)!r}}}" for number in range(1, length)]
    return "\n  ".join(["fields:", "n: integer", "day: date", f"x0: {{type: integer, compute: {first}}}", *lines])


def test_a_value_is_kept_where_it_can_be_computed():
    thing = business(
        kid="fields:\n  thing: {type: link, to: thing}\n  y: {type: integer, compute: thing.n}\n",
        thing="fields:\n  n: integer\n  day: date\n  twice: {type: integer, compute: n * 2}\n"
        "  kids: {type: integer, compute: count(kids)}\n  more: {type: integer, compute: twice + kids}\n"
        "  age: {type: integer, compute: days_since(day)}\n  old: {type: boolean, compute: age > 3}\n"
        "  due: {type: date, compute: day + days(n)}\n",
    ).entities["thing"]
    assert thing.storage == {
        "twice": GENERATED, "kids": MATERIALIZED, "more": GENERATED, "age": ON_READ, "old": ON_READ, "due": MATERIALIZED,
    }  # fmt: skip


def test_expressions_that_double_along_a_chain_are_not_written_out_without_end():
    storage = business(thing=chain("n + n", 49)).entities["thing"].storage
    assert set(storage.values()) == {GENERATED, MATERIALIZED}
    (problem,) = problems(thing=chain("days_since(day) + n", 10))
    assert problem.message == "x7: together with the fields that it reads, this is too long or nested too deeply"


def test_expressions_that_stand_in_one_another_do_not_nest_too_deeply():
    storage = business(thing=chain("n", 10, "min(n, x{0})")).entities["thing"].storage
    assert list(storage.values())[:6] == [*[GENERATED] * 5, MATERIALIZED]
    assert "nested too deeply" in problems(thing=chain("days_since(day)", 10, "min(n, x{0})"))[0].message


def test_a_chain_has_an_end():
    (problem,) = problems(thing=chain("n", 60, "x{0}"))
    assert problem.message == "x50: 50 fields are computed one after another before it"


def test_a_comma_that_cuts_an_expression_in_two_is_told():
    found = problems(thing="fields:\n  n: decimal\n  x: {type: decimal, compute: round(n, 2)}\n")
    (problem,) = (one for one in found if "'2)'" in one.message)
    assert problem.hint == "Where a comma is part of a value between braces, put the value in quotes."


def test_user_is_known_where_someone_acts_alone():
    found = problems(thing="fields:\n  n: integer\nshow:\n  n: {visible_if: user == null}\n")
    assert any("in 'access' and 'workflow' alone" in (one.hint or "") for one in found)
