"""`was:` keeps everything: rows, versions, many-to-many rows, links from elsewhere, numbers, tags and permissions."""

from __future__ import annotations

import pytest
from django.apps import apps

from crm.models import Tag
from crm.release.data_migrations import rename_field
from tests.release.shop import Shop, assert_golden


def rename_all(shop: Shop) -> None:
    for old, new in (("customer", "client"), ("helper", "aide"), ("purchase", "sale")):
        shop.rename(old, new)
        shop.edit(new, ("fields:\n", f"was: {old}\nfields:\n"))
    shop.edit(
        "client", ("city: text", "town: {type: text, was: city}"), ("groups: tags", "labels: {type: tags, was: groups}")
    )
    shop.edit(
        "sale",
        ("{number}", "{no}"),
        ("number: {type: sequence,", "no: {type: sequence, was: number,"),
        ("customer: {type: link, to: customer,", "client: {type: link, to: client, was: customer,"),
        ("helpers: {type: links, to: helper}", "aides: {type: links, to: aide, was: helpers}"),
        ("order_by: position", "order_by: place"),
    )
    shop.edit("item", ("position: {type: integer,", "place: {type: integer, was: position,"))
    shop.edit("item", ("[[purchase, position]]", "[[sale, place]]"))
    shop.edit("app", ("purchase, customer", "sale, client"))


TABLES = {
    ("customer", "id, name, code, city, vip, since, created"): ("client", "id, name, code, town, vip, since, created"),
    ("historicalcustomer", "history_id, id, name, city"): ("historicalclient", "history_id, id, name, town"),
    ("customer_groups", "id, customer_id, tag_id"): ("client_labels", "id, client_id, tag_id"),
    ("historicalcustomer_groups", "id, history_id, customer_id"): (
        "historicalclient_labels", "id, history_id, client_id",
    ),
    ("helper", "id, name"): ("aide", "id, name"),
    ("historicalhelper", "history_id, id, name"): ("historicalaide", "history_id, id, name"),
    ("purchase", "id, number, customer_id, state, total"): ("sale", "id, no, client_id, state, total"),
    ("historicalpurchase", "history_id, id, number, customer_id"): ("historicalsale", "history_id, id, no, client_id"),
    ("purchase_helpers", "id, purchase_id, helper_id"): ("sale_aides", "id, sale_id, aide_id"),
    ("historicalpurchase_helpers", "id, history_id, purchase_id, helper_id"): (
        "historicalsale_aides", "id, history_id, sale_id, aide_id",
    ),
    ("item", "id, purchase_id, position, product, amount"): ("item", "id, sale_id, place, product, amount"),
    ("historicalitem", "history_id, id, purchase_id, position"): ("historicalitem", "history_id, id, sale_id, place"),
}  # fmt: skip
GRANT = """
from django.contrib.auth.models import Group, Permission
group = Group.objects.create(name="Made by hand")
names = ["change_customer", "delete_purchase", "view_historicalcustomer"]
group.permissions.set(Permission.objects.filter(codename__in=names))
"""
USE = """
from django.apps import apps
from django.contrib.auth.models import Group
Client, Sale = (apps.get_model("shop", name) for name in ("client", "sale"))
ada = Client.objects.get(name="Ada")
sale = Sale.objects.create(client=ada)
sale.aides.set([1])
print(sale.no, ada.history.count(), [str(tag) for tag in ada.labels.all()])
print(sorted(Group.objects.get(name="Made by hand").permissions.values_list("codename", flat=True)))
print(sorted(Group.objects.get(name="shop.clerk").permissions.values_list("codename", flat=True)))
"""


def test_a_rename_of_entities_fields_and_links_keeps_every_row(shop: Shop):
    shop.shell(GRANT)
    before = {old: shop.values(old[0], old[1], order="1, 2") for old in TABLES}
    rename_all(shop)
    assert_golden(shop.plan(), "renames")
    shop.apply()
    for old, new in TABLES.items():
        assert shop.values(new[0], new[1], order="1, 2") == before[old], new
    assert not {table for table in shop.columns() if "customer" in table or "helper" in table or "purchase" in table}
    assert shop.rows("SELECT scope FROM crm_tag") == [("shop.client.labels",)]
    (said, by_hand, clerk) = shop.shell(USE).stdout.decode().splitlines()
    assert said == "P-0003 3 ['gold']"
    assert by_hand == "['change_client', 'delete_sale', 'view_historicalclient']"
    assert clerk == str(
        sorted(f"{verb}_{name}" for verb in ("add", "view") for name in ("aide", "client", "item", "sale"))
    )


def test_an_entity_with_a_trash_keeps_it_when_it_is_renamed(shop: Shop):
    shop.edit("customer", ("fields:\n", "trash: {restore_for: 30d}\nfields:\n"))
    shop.apply()
    shop.execute("UPDATE shop_customer SET deleted_at = '2026-11-01' WHERE id = 3")
    shop.rename("customer", "client")
    shop.edit("client", ("trash:", "was: customer\ntrash:"))
    shop.edit("purchase", ("to: customer", "to: client"))
    shop.edit("app", ("purchase, customer", "purchase, client"))
    said = shop.plan()
    assert "rename the entity customer to client" in said
    shop.apply()
    assert [key for (key,) in shop.rows("SELECT id FROM shop_client WHERE deleted_at IS NOT NULL")] == [3]
    assert "nothing to do" in shop.run("plan").stdout.decode()


def test_a_rename_is_done_before_everything_else_of_the_same_plan(shop: Shop):
    shop.rename("customer", "client")
    shop.edit(
        "client",
        ("fields:\n", "was: customer\nfields:\n  must: {type: integer, required: true}\n"),
        ("  city: text\n", ""),
        ("code: text", "no: {type: integer, was: code, min: 0}"),
    )
    shop.edit("purchase", ("to: customer", "to: client"))
    shop.edit("app", ("purchase, customer", "purchase, client"))
    assert_golden(shop.plan(), "rename_and_change_refused")
    shop.refused("--allow-data-loss")
    shop.execute("UPDATE shop_customer SET code = '3' WHERE id = 3")
    shop.edit("client", ("must: {type: integer,", "must: {type: integer, backfill: 9,"))
    shop.apply("--allow-data-loss")
    assert shop.values("client", "no", "must") == [(1, 9), (22, 9), (3, 9)]
    versions = shop.values("historicalclient", "no", order="history_id")
    assert versions == [(1,), (22,), (None,), (1,), (1,), (4,), (4,)]
    archived = shop.rows('SELECT "table", "column" FROM crm_archive ORDER BY id')
    assert archived == [("shop_historicalclient", "city"), ("shop_client", "city"), ("shop_historicalclient", "no")]


def test_names_may_be_handed_on(shop: Shop):
    shop.rename("helper", "aide")
    shop.rename("customer", "helper")
    shop.edit("aide", ("fields:\n", "was: helper\nfields:\n"))
    shop.edit("helper", ("fields:\n", "was: customer\nfields:\n"))
    shop.edit(
        "helper", ("  code: text\n  city: text", "  city: {type: text, was: code}\n  town: {type: text, was: city}")
    )
    shop.edit("purchase", ("links, to: helper", "links, to: aide"), ("link, to: customer", "link, to: helper"))
    shop.edit("app", ("purchase, customer", "purchase, helper"))
    shop.apply()
    assert shop.values("aide", "name") == [("Hal",), ("Ina",)]
    assert shop.values("helper", "name", "city", "town") == [
        ("Ada", "1", "Oslo"),
        ("Bob", "22", "Rome"),
        ("Cy", "x3", ""),
    ]
    assert shop.values("purchase_helpers", "purchase_id", "aide_id") == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_links_of_an_entity_to_itself_follow_its_rename(shop: Shop):
    shop.add_field("customer", "boss: {type: link, to: customer}", "friends: {type: links, to: customer}")
    shop.apply()
    shop.execute("UPDATE shop_customer SET boss_id = 1 WHERE id = 2")
    shop.execute("INSERT INTO shop_customer_friends (from_customer_id, to_customer_id) VALUES (1, 2)")
    shop.rename("customer", "client")
    shop.edit("client", ("fields:\n", "was: customer\nfields:\n"), ("to: customer", "to: client"))
    shop.edit("purchase", ("to: customer", "to: client"))
    shop.edit("app", ("purchase, customer", "purchase, client"))
    shop.apply()
    assert shop.values("client_friends", "from_client_id", "to_client_id") == [(1, 2)]
    assert shop.values("client", "boss_id") == [(None,), (1,), (None,)]
    assert shop.values("historicalclient_friends", "from_client_id", order="id") == []
    dee = "print(apps.get_model('shop', 'client').objects.create(name='Dee').history.count())"
    assert shop.shell(f"from django.apps import apps; {dee}").stdout == b"1\n", (
        "a deleted record's number was given out"
    )


def test_a_was_that_names_nothing_beside_what_is_removed_is_refused(shop: Shop):
    shop.edit("customer", ("city: text", "town: {type: text, was: citty}"))
    shop.rename("helper", "aide")
    shop.edit("aide", ("fields:\n", "was: helpr\nfields:\n"))
    shop.edit("purchase", ("to: helper", "to: aide"))
    plan = shop.plan()
    assert "  x add the field customer.town (text) — refused  (shop/customer.yaml:6:27)" in plan
    assert "'was: citty' names nothing that is there. Did you mean 'city'? If it is new, leave 'was' out." in plan
    assert "'was: helpr' names nothing that is there. Did you mean 'helper'?" in plan
    assert "add the field customer.town" in shop.refused("--allow-data-loss")


def test_two_that_take_the_same_place_are_refused(shop: Shop):
    shop.edit("customer", ("city: text", "town: {type: text, was: city}\n  place: {type: text, was: city}"))
    plan = shop.plan()
    assert "  x rename the field customer.city to town, with its history — refused  (shop/customer.yaml:6:27)" in plan
    assert "place is to take the place of city, too (shop/customer.yaml:7:28): only one can, so leave 'was' out" in plan


def test_a_was_that_names_nothing_does_nothing(shop: Shop):
    shop.edit("customer", ("city: text", "city: {type: text, was: never}"), ("fields:\n", "was: nobody\nfields:\n"))
    assert "Plan: no change of the database." in shop.plan()


@pytest.mark.django_db
def test_the_tags_and_numbers_of_a_field_whose_name_begins_alike_stay_where_they_are():
    scopes = ["travel.customer.nam", "travel.customer.nam:2026", "travel.customer.names", "travel.customer.nam_old"]
    for scope in scopes:
        Tag.objects.create(scope=scope, name="gold")
    rename_field(apps, None, label="travel", entity="customer", before="nam", after="name")
    assert sorted(Tag.objects.values_list("scope", flat=True)) == [
        "travel.customer.nam_old",
        "travel.customer.name",
        "travel.customer.name:2026",
        "travel.customer.names",
    ]
