"""A column of another type: every row is tried, and what does not fit is refused by name."""

from __future__ import annotations

import pytest

from tests.release.shop import Shop, assert_golden


def test_rows_that_the_new_type_does_not_understand_are_named(shop: Shop):
    shop.edit("customer", ("code: text", "code: integer"), ("since: date", "since: {type: datetime, unique: true}"))
    shop.edit("customer", ("city: text", "city: {type: choice, choices: [Rome, Paris]}"))
    shop.edit("purchase", ("total: {type: money, index: true}", "total: {type: integer, required: true}"))
    assert_golden(shop.plan(), "convert_refused")
    assert shop.refused().count("\n  convert the field ") == 3


def test_rows_and_versions_are_converted(shop: Shop):
    shop.edit("item", ("amount: text", "amount: integer"), ("position: {type: integer,", "position: {type: text,"))
    shop.edit("item", ("product: {type: text,", "product: {type: long_text,"))
    shop.edit("purchase", ("total: {type: money, index: true}", "total: text"))
    shop.edit(
        "customer", ("city: text", "city: {type: choice, choices: [Rome, Oslo]}"), ("since: date", "since: datetime")
    )
    assert_golden(shop.plan(), "convert")
    shop.apply()
    assert shop.values("item", "amount") == [(5,), (None,), (70,)] * 2
    assert shop.values("historicalitem", "amount", order="history_id") == [(5,), (None,), (70,)] * 2
    assert shop.values("item", "position") == [("1",), ("2",), ("3",)] * 2
    assert shop.values("purchase", "total") == [("9.50",), ("",)]
    assert [str(since)[:16] for (since,) in shop.values("customer", "since")] == ["2024-02-29 00:00", "None", "None"]
    with pytest.raises(Exception, match="(?i)unique"):
        values = "purchase_id, position, _position_key, product) VALUES (1, '1', '1', 'twice')"
        shop.execute(f"INSERT INTO shop_item ({values}")


def test_what_a_version_holds_and_cannot_be_converted_is_archived(shop: Shop):
    shop.execute("UPDATE shop_customer SET code = '3' WHERE id = 3")
    shop.edit("customer", ("code: text", "code: integer"))
    note = "1 version in the history holds no integer: archived, then replaced"
    assert note in shop.plan()
    assert "These steps would lose data" in shop.refused()
    shop.apply("--allow-data-loss")
    assert shop.values("customer", "code") == [(1,), (22,), (3,)]
    versions = shop.values("historicalcustomer", "code", order="history_id")
    assert versions == [(1,), (22,), (None,), (1,), (1,), (4,), (4,)]
    (kept,) = shop.rows('SELECT "table", "column", rows FROM crm_archive')
    assert kept[:2] == ("shop_historicalcustomer", "code")
    assert "x3" in str(kept[2])


def test_a_backfill_stands_in_for_what_cannot_be_converted_in_the_history(shop: Shop):
    shop.execute("UPDATE shop_customer SET code = '' WHERE id = 3")
    shop.edit("customer", ("code: text", "code: {type: integer, required: true}"))
    plan = shop.plan()
    assert "1 record holds no integer:\n        3: '': there is no value.\n" in plan
    assert "1 version in the history holds no integer. Give it a 'backfill:', or leave 'required' out." in plan
    shop.edit("customer", ("code: {type: integer,", "code: {type: integer, backfill: 0,"))
    shop.apply("--allow-data-loss")
    assert shop.values("customer", "code") == [(1,), (22,), (0,)]
    versions = shop.values("historicalcustomer", "code", order="history_id")
    assert versions == [(1,), (22,), (0,), (1,), (1,), (4,), (4,)]


def test_values_that_would_become_equal_are_named(shop: Shop):
    shop.execute("UPDATE shop_customer SET city = '7' WHERE id = 1")
    shop.execute("UPDATE shop_customer SET city = '07' WHERE id = 2")
    shop.edit("customer", ("city: text", "city: {type: integer, unique: true}"))
    assert "these values would occur more than once: 7\n" in shop.plan()
    shop.refused()


def test_a_column_cannot_become_shorter_or_unique_than_its_values(shop: Shop):
    shop.execute("UPDATE shop_customer SET city = CASE WHEN id < 3 THEN 'Rome' ELSE '' END")
    shop.execute("INSERT INTO shop_customer (name, city) VALUES ('Dee', '')")
    shop.edit("customer", ("max_length: 80", "max_length: 2"), ("city: text", "city: {type: text, unique: true}"))
    assert_golden(shop.plan(), "shrink_and_unique_refused")
    shop.refused("--allow-data-loss")
    shop.execute("UPDATE shop_customer SET name = 'X'")
    shop.execute("UPDATE shop_customer SET city = 'Oslo' WHERE id = 1")
    assert "6 versions in the history have more letters: archived, then replaced" in shop.plan()
    shop.apply("--allow-data-loss")
    versions = shop.values("historicalcustomer", "name", order="history_id")
    assert versions == [("Ad",), ("Bo",), ("Cy",), ("Ad",), ("Ad",), ("Go",), ("Go",)]
    (archived,) = shop.rows("SELECT rows FROM crm_archive WHERE \"column\" = 'name'")
    assert "Gone" in str(archived)
    assert shop.values("customer", "name", "city") == [("X", "Oslo"), ("X", "Rome"), ("X", None), ("X", None)]
    shop.edit("customer", ("city: {type: text, unique: true}", "city: text"))
    shop.apply()
    assert shop.values("customer", "city") == [("Oslo",), ("Rome",), ("",), ("",)]


def test_a_link_leads_elsewhere_only_where_it_is_empty(shop: Shop):
    shop.edit("purchase", ("link, to: customer", "link, to: helper"), ("links, to: helper", "links, to: customer"))
    shop.edit("customer", ("code: text", "code: {type: link, to: helper}"))
    assert_golden(shop.plan(), "relink_refused")
    shop.refused("--allow-data-loss")
    for table in ("item", "purchase_helpers", "purchase"):
        shop.execute(f"DELETE FROM shop_{table}")
    shop.execute("UPDATE shop_customer SET code = ''")
    shop.apply()
    assert "customer_id" in shop.columns()["shop_purchase_helpers"]
    assert "code_id" in shop.columns()["shop_customer"]
    shop.edit("purchase", ("customer: {type: link, to: helper, required: true}", "customer: text"))
    shop.apply()
    assert "customer" in shop.columns()["shop_purchase"]


def test_a_type_that_looks_the_same_to_the_database_is_tried_too(shop: Shop):
    shop.edit(
        "purchase",
        ('number: {type: sequence, format: "P-{n:04}"}', "number: {type: text, unique: true, max_length: 80}"),
    )
    shop.edit("customer", ("city: text", "city: {type: text, max_length: 60}"))
    shop.apply()
    shop.edit("customer", ("city: {type: text, max_length: 60}", "city: {type: choice, choices: [Rome]}"))
    assert "1 record holds no choice:\n        1: Oslo: 'Oslo' is none of the choices. Known: Rome.\n" in shop.plan()
    shop.edit("customer", ("choices: [Rome]", "choices: {Rome: Roma, oslo: Oslo}"))
    shop.apply()
    assert shop.values("customer", "city") == [("oslo",), ("Rome",), ("",)]


def test_a_table_that_is_made_anew_gives_out_no_number_of_a_deleted_record(shop: Shop):
    """The history goes by the number: a new record would have the story of the deleted one."""
    (last,) = shop.rows("SELECT max(id) FROM shop_historicalcustomer WHERE history_type = '-'")
    shop.edit("customer", ("code: text", "code: {type: text, max_length: 40}"), ("max_length: 80", "max_length: 70"))
    shop.apply()
    shop.shell("from django.apps import apps; apps.get_model('shop', 'customer').objects.create(name='New')")
    assert shop.rows("SELECT id FROM shop_customer WHERE name = 'New'") == [(last[0] + 1,)]
