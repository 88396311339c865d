"""Fields that are added, and what the rows that are there get in them."""

from __future__ import annotations

import re

from tests.release.shop import Shop, assert_golden
from tests.support.workplace import POSTGRES


def test_existing_records_get_the_backfill_or_the_default(shop: Shop):
    shop.add_field(
        "customer",
        "nick: text",
        "score: {type: integer, default: 5}",
        "level: {type: text, required: true, backfill: basic}",
        "grade: {type: text, required: true, backfill: old, default: new}",
        "nation: {type: country, required: true, backfill: Germany}",
        "phone: {type: phone, required: true, backfill: '+442079460018'}",
        "extra: {type: json, required: true, backfill: {a: [1]}}",
        "born: {type: date, default: today}",
        "joined: {type: date, default: today, backfill: 2020-01-31}",
        "seen: {type: datetime, required: true, default: now}",
        "active: boolean",
        "loud: {type: boolean, default: true}",
        "friend: {type: link, to: customer}",
        "friends: {type: links, to: customer}",
        "home: address",
        "photo: image",
    )
    assert_golden(shop.plan(), "add_fields")
    shop.apply()
    (first, *others) = shop.values("customer", "nick", "score", "level", "grade", "nation", "phone", "joined", "born")
    assert [str(value) for value in first] == ["", "5", "basic", "old", "DE", "+442079460018", "2020-01-31", "None"]
    assert others == [first, first]
    assert {bool(active) for (active,) in shop.values("customer", "active")} == {False}
    assert {bool(loud) for (loud,) in shop.values("customer", "loud")} == {True}
    assert None not in {seen for (seen,) in shop.values("customer", "seen")}
    made = shop.shell(
        "from django.apps import apps; model = apps.get_model('shop', 'customer'); "
        "one = model.objects.create(name='Dee', level='gold', nation='PT', phone='+442079460018', extra=[]); "
        "print(one.grade, one.joined == one.born, one.loud, one.history.count())"
    )
    assert made.stdout.decode().split() == ["new", "True", "True", "1"]


def test_existing_records_get_computed_values(shop: Shop):
    shop.add_field("item", "double: {type: integer, compute: position * 2}")
    shop.add_field("purchase", "furthest: {type: integer, compute: max(items.double)}")
    assert "+ add the field item.double (integer, computed) — safe" in shop.plan()
    before = shop.rows("SELECT max(id), count(*) FROM shop_item")
    shop.apply()
    assert shop.values("item", "position", "double", order="position")[::2] == [(1, 2), (2, 4), (3, 6)]
    assert shop.values("purchase", "furthest") == [(6,), (6,)]
    assert shop.rows("SELECT max(id), count(*) FROM shop_item") == before


def test_a_required_field_without_a_value_for_existing_records_is_refused(shop: Shop):
    shop.add_field("customer", "must: {type: integer, required: true}", "file: {type: file, required: true}")
    shop.add_field("item", "chosen: {type: choice, choices: [a, b], required: true}")
    assert_golden(shop.plan(), "add_required_fields")
    assert "These steps are refused:\n  add the field customer.file (file)\n" in shop.refused("--allow-data-loss")


def test_the_history_of_deleted_records_counts_too(shop: Shop):
    for table in ("item", "purchase_helpers", "purchase", "customer_groups", "customer"):
        shop.execute(f"DELETE FROM shop_{table}")
    shop.add_field("customer", "must: {type: integer, required: true}")
    assert "7 versions in the history would have no value. Give it a 'backfill:'" in shop.plan()
    shop.execute("DELETE FROM shop_historicalcustomer_groups")
    shop.execute("DELETE FROM shop_historicalcustomer")
    shop.apply()


def test_existing_records_get_numbers_slugs_and_uuids_as_new_ones_do(shop: Shop):
    shop.add_field(
        "customer",
        "no: {type: sequence, format: 'C-{n:03}', start: 7}",
        "slug: {type: slug, from: city}",
        "word: slug",
        "key: uuid",
    )
    assert_golden(shop.plan(), "add_given_fields")
    shop.apply()
    assert shop.values("customer", "no", "slug", "word") == [
        ("C-007", "oslo", None),
        ("C-008", "rome", None),
        ("C-009", None, None),
    ]
    keys = {str(key).replace("-", "") for (key,) in shop.values("customer", "key")}
    assert len(keys) == 3 and all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
    made = shop.shell(
        "from django.apps import apps; print(apps.get_model('shop', 'customer').objects.create(name='Dee').no)"
    )
    assert made.stdout.decode().strip() == "C-010"


def test_a_field_that_becomes_required_fills_or_names_the_empty_records(shop: Shop):
    shop.edit("customer", ("city: text", "city: {type: text, required: true}"))
    shop.edit("customer", ("since: date", "since: {type: date, required: true}"))
    assert_golden(shop.plan(), "become_required_refused")
    shop.refused()
    shop.edit("customer", ("city: {type: text,", "city: {type: text, backfill: Bern,"))
    shop.edit("customer", ("since: {type: date,", "since: {type: date, backfill: 2000-01-01, default: today,"))
    shop.edit("customer", ("code: text", "code: {type: text, required: true, default: none}"))
    assert_golden(shop.plan(), "become_required")
    shop.apply()
    assert [(city, str(since)) for city, since in shop.values("customer", "city", "since")] == [
        ("Oslo", "2024-02-29"),
        ("Rome", "2000-01-01"),
        ("Bern", "2000-01-01"),
    ]


def test_the_history_must_be_filled_too_when_a_field_becomes_required(shop: Shop):
    shop.execute("UPDATE shop_customer SET since = '2001-01-01'")
    shop.edit("customer", ("since: date", "since: {type: date, required: true}"))
    assert "4 versions in the history have no value. Give it a 'backfill:'" in shop.plan()
    shop.refused()
    shop.edit("customer", ("since: {type: date,", "since: {type: date, backfill: 2000-01-01,"))
    shop.apply()
    assert {str(since) for (since,) in shop.values("customer", "since")} == {"2001-01-01"}


def test_two_new_constraints_of_one_entity_are_both_kept(shop: Shop):
    shop.edit("item", ("unique: [[purchase, position]]", "unique: [[purchase, product], [purchase, position, amount]]"))
    assert_golden(shop.plan(), "constraints")
    shop.apply()
    shop.edit("item", ("[purchase, product]", "[position]"))
    assert "6 records would be doubles in position" in shop.plan()
    shop.refused()
    if POSTGRES:
        names = shop.rows("SELECT conname FROM pg_constraint WHERE conname LIKE 'shop_item_%_once' ORDER BY 1")
    else:
        names = shop.rows("SELECT sql FROM sqlite_master WHERE name = 'shop_item'")
    assert "shop_item_purchase_product_once" in str(names) and "shop_item_purchase_position_amount_once" in str(names)
