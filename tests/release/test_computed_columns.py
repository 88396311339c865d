"""Fields that become computed, or are no longer: what their records hold after the release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.release.shop import Shop
from tests.support.workplace import copied


@pytest.fixture(scope="module")
def computing_shop(full_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop with a column that the database generates and two that the engine keeps."""
    with copied(full_shop, tmp_path_factory.mktemp("computing")) as shop:
        shop.add_field("item", "double: {type: integer, compute: position * 2}")
        shop.add_field(
            "purchase",
            "furthest: {type: integer, compute: max(items.double)}",
            "beyond: {type: integer, compute: furthest + 1}",
        )
        shop.apply()
        yield shop


@pytest.fixture
def computed(computing_shop: Shop, tmp_path) -> Iterator[Shop]:
    with copied(computing_shop, tmp_path) as shop:
        yield shop


def doubles(shop: Shop) -> list[int]:
    return [value for (value,) in shop.values("item", "double", order="id")]


def test_a_given_field_becomes_computed_and_what_was_given_is_archived(shop: Shop):
    shop.edit("purchase", ("total: {type: money, index: true}", "total: {type: money, compute: sum(items.position)}"))
    shop.edit("item", ("amount: text", "amount: {type: text, compute: product + '!'}"))
    plan = shop.plan()
    assert "! work out the field purchase.total (money) as the definitions say now — loses data" in plan
    assert "1 value that were given are archived, then replaced" in plan
    assert "lose data" in shop.refused()
    shop.apply("--allow-data-loss")
    assert [int(total) for (total,) in shop.values("purchase", "total")] == [6, 6]
    assert shop.values("item", "amount")[0] == ("Thing 1!",)
    assert shop.rows("SELECT count(*) FROM crm_archive")[0][0] > 0


def test_a_computed_field_becomes_given_and_keeps_its_values(computed: Shop):
    computed.edit("item", ("double: {type: integer, compute: position * 2}", "double: integer"))
    computed.edit("purchase", ("furthest: {type: integer, compute: max(items.double)}", "furthest: integer"))
    computed.apply()
    assert doubles(computed) == [2, 4, 6, 2, 4, 6]
    assert computed.values("purchase", "furthest", "beyond") == [(6, 7), (6, 7)]
    computed.shell(
        "from django.apps import apps; model = apps.get_model('shop', 'purchase'); "
        "one = model.objects.first(); one.furthest = 40; one.save()"
    )
    assert computed.values("purchase", "furthest", "beyond") == [(40, 41), (6, 7)]


def test_a_changed_expression_is_worked_out_anew_with_all_that_reads_it(computed: Shop):
    computed.edit("item", ("position * 2", "position * 3"))
    plan = computed.plan()
    for name in ("item.double", "purchase.furthest", "purchase.beyond"):
        assert f"  ~ work out the field {name} (integer) as the definitions say now — converts" in plan
    computed.apply()
    assert doubles(computed) == [3, 6, 9, 3, 6, 9]
    assert computed.values("purchase", "furthest", "beyond") == [(9, 10), (9, 10)]


def test_a_kept_field_whose_expression_alone_changes_is_told_with_what_follows_from_it(computed: Shop):
    computed.edit("purchase", ("max(items.double)", "min(items.double)"))
    plan = computed.plan()
    for name in ("furthest", "beyond"):
        assert f"  ~ work out the field purchase.{name} (integer) as the definitions say now — converts" in plan
    assert plan.count("worked out for 2 records") == 2 and plan.endswith("Plan: 2 converting.\n")
    computed.apply()
    assert computed.values("purchase", "furthest", "beyond") == [(2, 3), (2, 3)]


def test_a_kept_field_that_depends_on_the_day_is_worked_out_when_asked_and_loses_nothing(computed: Shop):
    computed.edit("purchase", ("compute: max(items.double)}", "compute: 'max(items.double, created < now())'}"))  # fmt: skip
    plan = computed.plan()
    step = "work out the field purchase.furthest (integer) when it is asked for, and keep it no longer — safe"
    assert (
        f"  + {step}" in plan
        and f"  + {step.replace('furthest', 'beyond')}" in plan
        and "Its values in the history are archived." in plan
    )
    assert "remove the field purchase.furthest" not in plan and "'was: furthest'" not in plan
    computed.apply()
    computed.shell(
        "from django.apps import apps; assert apps.get_model('shop', 'purchase').objects.first().beyond == 7"
    )


def test_an_expression_that_means_the_same_or_has_no_records_is_not_worked_out_anew(computed: Shop):
    computed.edit("purchase", ("max(items.double)", "(max( items.double ))"))
    assert "Plan: no change of the database." in computed.plan()
    computed.edit("purchase", ("(max( items.double ))", "min(items.double)"))
    computed.execute("DELETE FROM shop_item")
    computed.execute("DELETE FROM shop_purchase_helpers")
    computed.execute("DELETE FROM shop_purchase")
    assert "Plan: no change of the database." in computed.plan()


def test_a_field_that_a_computed_one_reads_is_renamed_with_its_values(computed: Shop):
    computed.edit("item", ("position: {type", "rank: {was: position, type"), ("position * 2", "rank * 2"), ("[[purchase, position]]", "[[purchase, rank]]"))  # fmt: skip
    computed.edit("purchase", ("order_by: position", "order_by: rank"))
    assert "work out the field purchase" not in computed.plan()
    computed.apply()
    assert computed.values("item", "rank", "double")[:3] == [(1, 2), (2, 4), (3, 6)]
    computed.shell(
        "from django.apps import apps; apps.get_model('shop', 'item').objects.filter(rank=3).update(rank=30)"
    )
    assert computed.values("purchase", "furthest", "beyond") == [(60, 61), (60, 61)]


def test_a_computed_field_is_removed_and_its_records_stay(computed: Shop):
    computed.edit("purchase", ("  furthest: {type: integer, compute: max(items.double)}\n", ""), ("compute: furthest + 1", "compute: 1 + count(items)"))  # fmt: skip
    computed.edit("item", ("  double: {type: integer, compute: position * 2}\n", ""))
    computed.apply("--allow-data-loss")
    assert "double" not in computed.columns()["shop_item"] and "furthest" not in computed.columns()["shop_purchase"]
    assert len(computed.values("item", "id")) == 6 and computed.values("purchase", "beyond") == [(4,), (4,)]
