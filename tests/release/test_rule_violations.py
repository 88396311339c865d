"""New rules and the records that are there: the plan counts and names who breaks them, and nothing is in the way."""

from __future__ import annotations

import pytest

from crm.release.rule_violations import _limits
from tests.blueprint.writing import business
from tests.release.shop import Shop, assert_golden

RULE = """
rules:
  - {check: "total > 10 or customer.city == 'Rome'", message: "{number} is too small."}
  - {check: number != null, message: A number is needed.}
show:
  total: {required_if: state == 'open'}
"""


def add(shop: Shop, name: str, text: str) -> None:
    path = shop.folder / f"{name}.yaml"
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + text, encoding="utf-8")


def test_the_plan_names_who_breaks_a_new_rule_and_apply_goes_on(shop: Shop):
    add(shop, "purchase", RULE)
    assert_golden(shop.plan(), "new_rules")
    assert "! 1 of 2 purchases breaks the rule at shop/purchase.yaml" in shop.apply()
    refused = shop.run("shell", "--verbosity=0", "--command", "from django.apps import apps; apps.get_model('shop', 'purchase').objects.first().save()", expect=1)  # fmt: skip
    assert b"P-0001 is too small." in refused.stderr
    assert "! 1 of 2 purchases breaks" in shop.run("rules").stdout.decode()


def test_a_rule_that_did_not_change_is_not_counted_again(shop: Shop):
    add(shop, "purchase", RULE)
    shop.apply()
    shop.edit("purchase", ("total > 10", "total > 9"), ("A number is needed.", "It needs a number."))
    plan = shop.plan()
    assert plan.count("the rule at") == 1 and "+ all 2 purchases meet the rule at shop/purchase.yaml" in plan
    shop.edit("purchase", ("required_if: state == 'open'", "required_if: state != 'done'"))
    assert "! 1 of 2 purchases breaks the rule at" in shop.plan()


def test_a_rule_that_reads_what_is_not_there_yet_is_counted_by_apply(shop: Shop):
    shop.add_field("purchase", "lines: {type: integer, compute: count(items)}")
    add(shop, "purchase", '\nrules: [{check: lines > 3, message: "Only {lines} lines."}]\n')
    plan = shop.plan()
    assert "? the rule at shop/purchase.yaml" in plan and "apply counts who breaks it" in plan
    said = shop.apply()
    assert "! 2 of 2 purchases break the rule at shop/purchase.yaml" in said
    assert "(Only {lines} lines.): P-0001 (id 1), P-0002 (id 2)" in said


def test_a_narrower_limit_is_counted_as_a_rule_is(shop: Shop):
    shop.add_field("customer", "discount: {type: percent, max: 50}")
    assert "the rule at" not in shop.plan(), "nobody has one yet"
    shop.apply()
    shop.shell(
        "from django.apps import apps; rows = apps.get_model('shop', 'customer').objects; "
        "one = rows.first(); one.discount = 12; one.save()"
    )
    shop.edit("customer", ("max: 50", "max: 60"))
    assert "the rule at" not in shop.plan(), "a wider one is nobody's concern"
    shop.edit("customer", ("max: 60", "max: 5, min: 0"))
    plan = shop.plan()
    assert "! 1 of 3 customers breaks the rule at shop/customer.yaml" in plan and "(Discount: at most 5): " in plan
    assert "+ all 3 customers meet the rule at" in plan and "(Discount: at least 0)" in plan


@pytest.mark.parametrize(("limit", "told"), [("5", ["n <= 5"]), ("9999999999999999.99", [])])
def test_a_limit_is_the_rule_that_it_is_and_none_beyond_all_numbers(limit, told):
    before, after = (
        business(thing=f"fields: {{n: {{type: money{more}}}}}").entities["thing"] for more in ("", f", max: {limit}")
    )
    assert [one.rule.check.source for one in _limits(after, lambda leaf: before.find("n"))] == told


def test_no_more_than_ten_are_named(shop: Shop):
    shop.shell(
        "from django.apps import apps; "
        "[apps.get_model('shop', 'customer').objects.create(name=f'No. {n}') for n in range(1_200)]"
    )
    add(shop, "customer", '\nrules: [{check: "city != null", message: A city is needed.}]\n')
    (line,) = [one for one in shop.plan().splitlines() if "break" in one]
    assert line.strip().startswith("! 1,201 of 1,203 customers break the rule at shop/customer.yaml")
    assert line.count("(id ") == 10 and line.endswith(", …")


def test_rules_are_named_by_their_place_in_the_file(shop: Shop):
    add(shop, "purchase", RULE)
    shop.apply()
    one = shop.run("rules", "purchase.rules.1").stdout.decode()
    assert one.count("the rule at") == 1 and one.startswith("+ all 2 purchases meet the rule")
    assert b"Did you mean 'purchase.rules.1'" in shop.run("rules", "purchase.rule.1", expect=1).stderr


def test_a_limit_that_comes_with_another_name_of_its_field_is_counted():
    before = business(thing="fields: {n: {type: money, max: 9}}").entities["thing"]
    after = business(thing="fields: {m: {type: money, max: 5, was: n}}").entities["thing"]
    assert [one.rule.check.source for one in _limits(after, lambda leaf: before.find("n"))] == ["m <= 5"]
