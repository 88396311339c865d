"""The key `workflow:`: every mistake in it is told at its place, together with the others."""

from __future__ import annotations

import pytest

from tests.blueprint.writing import business, problems, told

APP = "name: Shop\nroles: {clerk: {}, boss: {}}"
FIELDS = """
fields:
  state: {type: choice, choices: [new, paid, gone], default: new}
  kind: {type: choice, choices: [big, small]}
  name: {type: text, required: true}
  price: money
  total: {type: money, compute: price * 2}
  day: date
  tags: tags
  number: {type: sequence, format: "{n}"}
  buyer: {type: link, to: buyer}
  maker: {type: link, to: maker}
"""
OTHERS = {"buyer": "fields: {name: text}", "maker": "fields: {name: text}"}


def action(text: str, head: str = "field: state") -> list[str]:
    """Return what is told of an action `pay`, without the file, and the line of the first line of the action as 1."""
    thing = f"{FIELDS}workflow:\n  {head}\n  actions:\n    pay: {text}\n"
    first = thing[: thing.index("    pay:")].count("\n") - 1  # The helper drops the empty first line.
    found = told(app=APP, thing=thing, **OTHERS)
    assert all(one.startswith(f"thing.yaml:{first + 1}:") for one in found), found
    return [one.split(":", 2)[2] for one in found]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{to: payed}", "15: 'state' has no state 'payed' (Did you mean 'paid'?)"),
        ("{from: [nwe], to: paid}", "18: 'state' has no state 'nwe' (Did you mean 'new'?)"),
        ("{from: [new, new], to: paid}", "23: 'new' stands here twice"),
        ("{from: [paid], to: paid}", "18: it leads from 'paid' to 'paid' itself"),
        ("{to: paid, roles: [clark]}", "29: app.yaml has no role 'clark' (Did you mean 'clerk'?)"),
        ("{to: paid, require: [nmae]}", "31: there is no field 'nmae' (Did you mean 'name'?)"),
        ("{to: paid, if: price > 0}", "21: 'if' has no place without 'else'"),
        ("{to: paid, else: Never}", "21: 'else' has no place without 'if'"),
        ("{to: paid, if: price > prise, else: x}", "33: 'Thing' has no field 'prise' (Did you mean 'price'?)"),
        ("{to: paid, confirm: 'For {prise}?'}", "30: there is no field 'prise' (Did you mean 'price'?)"),
        ("{to: paid, set: {prise: 1}}", "27: there is no field 'prise' (Did you mean 'price'?)"),
        ("{to: paid, set: {state: \"'gone'\"}}", "27: 'state' is the state itself: say it with 'to'"),
        ("{to: paid, set: {total: 1}}", "27: 'total' is computed: it cannot be set"),
        ("{to: paid, set: {number: 1}}", "27: 'number' gets its value by itself: it cannot be set"),
        ("{to: paid, set: {created: now()}}", "27: 'created' gets its value by itself: it cannot be set"),
        ("{to: paid, set: {tags: name}}", "27: a tags field has no single value that could be set"),
        ("{to: paid, set: {day: price}}", "32: the expression gives a number, a date field holds a date"),
        (
            "{to: paid, set: {buyer: maker}}",
            "34: the expression gives a record of maker, a link field holds a record of buyer",
        ),
        ("{to: paid, set: {name: 'null'}}", "33: the expression gives nothing, a text field holds text"),
        ("{to: paid, set: {kind: \"'bg'\"}}", "33: 'bg' is none of the choices. Did you mean 'Big'?"),
        ("{to: paid, set: {price: pricee}}", "34: 'Thing' has no field 'pricee' (Did you mean 'price'?)"),
        (
            "{to: paid, then: [{sennd: {}}]}",
            "28: no capability has the action 'sennd' (Known: put_in_trash, revert_change.)",
        ),
        (
            "{to: paid, if: price, else: x}",
            "25: a condition must be yes or no, this is a number (Compare it with something: '> 0', '!= null'.)",
        ),
        ("{to: paid, confirm: 'For {name'}", "30: a '{' is not closed in 'For {name': a field is written {name}"),
        (
            "{to: paid, then: [{put_in_trash: {}, revert_change: {}}]}",
            "28: one action stands on a line: '- name: {key: value}'",
        ),
    ],
)
def test_a_mistake_is_told_at_its_place(text, said):
    assert action(text) == [said]


def test_a_field_that_need_not_have_a_value_may_be_emptied():
    steps = "workflow: {field: state, actions: {pay: {to: paid, set: {day: 'null', price: 'null', buyer: 'null'}}}}"
    made = business(app=APP, thing=f"{FIELDS}{steps}", **OTHERS)
    assert set(made.entities["thing"].sections["workflow"].actions["pay"].sets) == {"day", "price", "buyer"}


def test_an_action_must_take_a_record():
    (found,) = action("{to: paid, then: [{revert_change: {}}]}")
    assert "'revert_change' does not take these" in found and "'record'" in found


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("stat", "there is no field 'stat' (Did you mean 'state'?)"),
        ("name", "a text field holds no state: it takes a field with choices"),
        ("kind", "'kind' has no default, so a new record would have no state (Give it 'default: big'.)"),
    ],
)
def test_the_state_is_a_choice_with_a_beginning(field, said):
    thing = f"{FIELDS}workflow:\n  field: {field}\n  actions: {{pay: {{to: paid}}}}"
    (found,) = told(app=APP, thing=thing, **OTHERS)
    assert found.endswith(said), found


@pytest.mark.parametrize("default", ["offer", "Offer made", "offer made"])
def test_the_beginning_may_be_given_by_its_label(default):
    fields = f"{{state: {{type: choice, default: {default}, choices: {{offer: Offer made, sold: Sold}}}}}}"
    thing = f"fields: {fields}\nworkflow: {{field: state, actions: {{sell: {{to: sold}}}}}}"
    assert business(app=APP, thing=thing).entities["thing"].read["workflow"].start == "offer"


def test_all_mistakes_are_told_together_and_an_expression_has_its_caret():
    thing = """
    fields: {state: {type: choice, choices: [new, paid], default: new}, price: money}
    workflow:
      field: state
      actions:
        pay: {to: payed, roles: [clark]}
        drop: {to: paid, if: price > 0 and prise > 0, else: "No {x}"}
        keep: {to: paid, if: price > 0 and prise > 0, else: "No {x}"}
    """
    found = problems(app=APP, thing=thing)
    assert [one.place.line for one in found] == [5, 5, 6, 6, 7, 7]
    caret = next(one for one in found if "'prise'" in one.message)
    lines = str(caret).splitlines()
    assert lines[2].index("^") == lines[1].index("prise")


def test_two_buttons_of_one_state_must_read_differently():
    actions = "{pay: {from: [new], to: paid}, drop: {label: Pay, from: [new], to: gone}}"
    (found,) = told(app=APP, thing=f"{FIELDS}workflow: {{field: state, actions: {actions}}}", **OTHERS)
    assert "'drop' and 'pay' would be two buttons 'Pay' of one state" in found


def test_an_unknown_key_of_an_action_is_told():
    (found,) = action("{to: paid, colour: red}")
    assert "unknown key 'colour'" in found


def test_what_is_left_out():
    files = {"app": APP, "thing": FIELDS + "workflow: {field: state, actions: {pay_all: {to: paid}}}"}
    entity = business(**files, **OTHERS).entities["thing"]
    (found,) = entity.read["workflow"].actions.values()
    assert (found.label, found.sources, found.roles, found.is_asked) == ("Pay all", ("new", "gone"), None, False)
    assert entity.guarded == {"state"}


def test_actions_need_a_field():
    (found,) = told(app=APP, thing="fields: {name: text}\nworkflow: {actions: {pay: {to: paid}}}")
    assert "'field' is missing" in found
