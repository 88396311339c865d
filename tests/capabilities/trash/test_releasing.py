"""A trash comes and goes by plan and apply: nothing is lost on the way in, nothing comes back to life on the way out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.shop import Shop, new_shop

DEFINITIONS = {
    "app": "name: Corner shop\n",
    "customer": 'title: "{name}"\nfields:\n  name: {type: text, required: true}\n  code: {type: text, unique: true}\n',
    "purchase": """
title: "{number}"
fields:
  number: {type: sequence, format: "P-{n:04}"}
  customer: {type: link, to: customer, required: true, on_delete: protect}
  items: {type: table, of: item}
""",
    "item": "fields:\n  product: {type: text, required: true}\nunique: [[purchase, product]]\n",
}
SECTION = "trash: {restore_for: 30d}\n"
RECORDS = """
from django.apps import apps
Customer, Item, Purchase = (apps.get_model("shop", name) for name in ("customer", "item", "purchase"))
ada = Customer.objects.create(name="Ada", code="1")
Customer.objects.create(name="Bob", code="2")
purchase = Purchase.objects.create(customer=ada)
Item.objects.create(purchase=purchase, product="Tea")
"""
DELETE = """
from django.apps import apps
for name in ("purchase", "customer"):
    apps.get_model("shop", name).objects.order_by("id").first().delete()
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with new_shop(tmp_path, DEFINITIONS) as shop:
        shop.run("apply", "--yes")
        shop.shell(RECORDS)
        yield shop


def test_a_trash_comes_and_goes(shop: Shop):
    for name in ("customer", "purchase"):
        shop.write(name, DEFINITIONS[name].lstrip() + SECTION)
    plan = shop.plan()
    assert "let deleted records of item be restored — safe" in plan
    assert "keep purchase + product of item from occurring twice outside the trash — safe" in plan
    assert "losing data" not in plan and "refused" not in plan
    shop.apply()
    shop.shell(DELETE)
    assert shop.values("customer", "name", "deleted_at IS NULL") in (
        [("Ada", 0), ("Bob", 1)],
        [("Ada", False), ("Bob", True)],
    )
    for name in ("customer", "purchase"):
        shop.write(name, DEFINITIONS[name].lstrip())
    assert (
        "remove the trash of customer: what is in it (1 record) is archived, then deleted — loses data" in shop.plan()
    )
    assert "remove the trash of item: what is in it (1 record)" in shop.refused()
    shop.apply("--allow-data-loss")
    assert shop.values("customer", "name") == [("Bob",)]
    assert shop.values("purchase", "id") == shop.values("item", "id") == []
    kept = shop.rows('SELECT "table", rows FROM crm_archive WHERE "column" = \'\' ORDER BY "table"')
    found = {table: rows if isinstance(rows, dict) else json.loads(rows) for table, rows in kept}
    assert found["shop_customer"]["1"]["name"] == "Ada" and found["shop_item"]["1"]["product"] == "Tea"


def test_what_lies_in_the_trash_is_no_double_of_what_is_there(shop: Shop):
    for name in ("customer", "purchase"):
        shop.write(name, DEFINITIONS[name].lstrip() + SECTION)
    shop.apply()
    shop.shell(DELETE + "apps.get_model('shop', 'customer').objects.create(name='Ada', code='3')\n")
    shop.edit("customer", ("name: {type: text, required: true}", "name: {type: text, required: true, unique: true}"))
    assert "doubles" not in shop.plan()
    shop.apply()
