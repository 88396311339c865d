"""What goes is refused by name and count, and archived before it is deleted where that is allowed."""

from __future__ import annotations

import json
from typing import Any

from tests.release.shop import Shop, assert_golden


def archived(shop: Shop) -> dict[tuple[str, str], dict[str, Any]]:
    found = shop.rows('SELECT "table", "column", rows FROM crm_archive ORDER BY id')
    return {(table, column): rows if isinstance(rows, dict) else json.loads(rows) for table, column, rows in found}


def remove_some(shop: Shop) -> None:
    for line in ("  code: text\n", "  groups: tags\n", "  vip: boolean\n"):
        shop.edit("customer", (line, ""))
    shop.edit("purchase", ("  helpers: {type: links, to: helper}\n", ""))
    shop.remove("helper")


def test_what_holds_data_is_removed_only_on_demand_and_archived_first(shop: Shop):
    remove_some(shop)
    assert_golden(shop.plan(), "remove")
    error = shop.refused()
    assert "remove the field customer.code: 3 values and 7 in the history are archived, then deleted" in error
    assert "remove the entity helper: 2 records and 2 versions in the history are archived, then deleted" in error
    shop.apply("--allow-data-loss")
    kept = archived(shop)
    assert {key: len(rows) for key, rows in kept.items()} == {
        ("shop_customer", "code"): 3,
        ("shop_historicalcustomer", "code"): 7,
        ("shop_customer", "groups"): 1,
        ("shop_historicalcustomer_groups", ""): 2,
        ("shop_customer", "vip"): 3,
        ("shop_historicalcustomer", "vip"): 7,
        ("shop_helper", ""): 2,
        ("shop_historicalhelper", ""): 2,
        ("shop_purchase", "helpers"): 4,
        ("shop_historicalpurchase_helpers", ""): 4,
    }
    assert kept["shop_customer", "code"] == {"1": {"code": "1"}, "2": {"code": "22"}, "3": {"code": "x3"}}
    assert kept["shop_customer", "vip"] == {"1": {"vip": True}, "2": {"vip": False}, "3": {"vip": False}}
    assert kept["shop_helper", ""]["1"]["name"] == "Hal"
    assert {"id", "purchase_id", "helper_id"} == set(kept["shop_purchase", "helpers"]["1"])
    assert not [table for table in shop.columns() if "helper" in table or "groups" in table]


def test_everything_may_go_but_one_entity(shop: Shop):
    for name in ("purchase", "helper", "customer"):
        shop.remove(name)
    shop.edit("item", ("unique: [[purchase, position]]\n", ""))
    shop.edit("app", ("purchase, customer", "item"))
    shop.apply("--allow-data-loss")
    assert set(shop.columns()) == {"shop_item", "shop_historicalitem"}
    kept = archived(shop)
    assert kept["shop_customer", ""]["1"]["since"] == "2024-02-29"
    assert [kept["shop_purchase", ""][key]["total"] for key in "12"] == ["9.50", None]
    assert len(kept["shop_item", "purchase"]) == 6
    assert len(kept["shop_historicalcustomer", ""]) == 7


def test_the_rows_of_a_table_go_with_their_entity(shop: Shop):
    shop.remove("item")
    shop.edit("purchase", ("  items: {type: table, of: item, order_by: position}\n", ""))
    shop.apply("--allow-data-loss")
    assert {key: len(rows) for key, rows in archived(shop).items()} == {
        ("shop_item", ""): 6,
        ("shop_historicalitem", ""): 6,
    }


def test_what_holds_nothing_goes_without_a_word(shop: Shop):
    shop.add_field("customer", "empty: integer", "nothing: tags", "none: text")
    shop.write("bare", "fields: {name: text, customer: {type: link, to: customer}}\nunique: [[customer, name]]")
    shop.apply()
    shop.remove("bare")
    for line in ("  empty: integer\n", "  nothing: tags\n", "  none: text\n"):
        shop.edit("customer", (line, ""))
    assert_golden(shop.plan(), "remove_empty")
    shop.apply()
    assert archived(shop) == {}


def test_more_than_a_thousand_rows_are_archived_in_parts(shop: Shop):
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
    shop.execute(f"{numbers} INSERT INTO shop_helper (name) SELECT 'Helper ' || i FROM n" if shop.database_url
                 else f"INSERT INTO shop_helper (name) {numbers} SELECT 'Helper ' || i FROM n")  # fmt: skip
    shop.edit("purchase", ("  helpers: {type: links, to: helper}\n", ""))
    shop.remove("helper")
    assert "remove the entity helper: 2,502 records and 2 versions in the history are archived" in shop.plan()
    shop.apply("--allow-data-loss")
    sizes = shop.rows("SELECT rows FROM crm_archive WHERE \"table\" = 'shop_helper' ORDER BY id")
    parts = [rows if isinstance(rows, dict) else json.loads(rows) for (rows,) in sizes]
    assert [len(part) for part in parts] == [1000, 1000, 502]
    assert {row["name"] for part in parts for row in part.values()} >= {"Hal", "Helper 1", "Helper 2500"}
