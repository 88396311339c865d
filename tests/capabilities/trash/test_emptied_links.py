"""A link that a deletion for good empties is written like any other: rules hold, and the version of it is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from properties.world import installed

from crm.capabilities.trash.purging import purge
from crm.records.changes import change_scope
from crm.records.rules import RuleBroken
from tests.capabilities.trash.conftest import Models


@pytest.fixture
def order(shop):
    return shop.order.objects.create(name="One", buyer=shop.buyer.objects.create(name="Ann"))


def gone_long_ago(shop, order):
    order.delete()
    shop.order._base_manager.update(deleted_at=timezone.now() - timedelta(days=3))


@pytest.mark.parametrize("way", ["record", "rows"])
def test_its_version_is_kept_without_the_reason_of_the_deletion(shop, order, way):
    note = shop.note.objects.create(name="n", about=order)
    key = order.pk
    gone_long_ago(shop, order)
    with change_scope(reason="The customer is dead"):
        if way == "record":
            order.delete_for_good()
        else:
            type(shop.order.objects.all())(shop.order).filter(pk=key).delete_for_good()
    note.refresh_from_db()
    newest, made = note.history.all()
    assert note.about is None and made.about_id == key and newest.about_id is None
    assert newest.history_type == "~" and not newest.history_change_reason


def test_a_rule_refuses_to_lose_the_link_and_nothing_is_gone(shop, order):
    note, key = shop.note.objects.create(name="n", about=order, pinned=True), order.pk
    gone_long_ago(shop, order)
    with pytest.raises(RuleBroken, match="A pinned note is about an order"):
        order.delete_for_good()
    assert shop.order._base_manager.filter(pk=key).exists()
    gone, kept = purge(shop.order.definition.business)
    assert gone["order"] == 0 and kept["order"] == 1
    note.refresh_from_db()
    assert note.about_id == key and note.history.count() == 1


def test_links_of_what_goes_along_are_nobodys_concern(shop, order):
    line = shop.line.objects.create(order=order, name="x", price=1)
    shop.remark.objects.create(name="r", line=line, order=order)
    gone_long_ago(shop, order)
    order.delete_for_good()
    assert not shop.remark._base_manager.exists() and not shop.line._base_manager.exists()


CHAIN = {
    "app.yaml": {"name": "Chain"},
    "box.yaml": {"fields": {"name": "text"}},
    "item.yaml": {
        "fields": {"name": "text", "price": "money", "box": {"type": "link", "to": "box", "on_delete": "cascade"}},
    },
    "memo.yaml": {
        "fields": {
            "name": "text",
            "about": {"type": "link", "to": "item", "on_delete": "empty"},
            "worth": {"type": "money", "compute": "about.price"},
            "box": {"type": "link", "to": "box", "on_delete": "cascade"},
        },
    },
}


@pytest.fixture(scope="module")
def chain(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(CHAIN) as business:
        yield Models(business.label)


def test_a_link_to_what_goes_along_is_emptied_with_a_version(chain, db):
    """Nothing points to the box by a link that is emptied; something points so to what goes along with it."""
    box = chain.box.objects.create(name="b")
    item = chain.item.objects.create(name="i", box=box)
    memo = chain.memo.objects.create(name="m", about=item)
    box.delete()
    memo.refresh_from_db()
    assert memo.about is None and [one.about_id for one in memo.history.all()] == [None, item.pk]


def test_no_link_is_emptied_of_what_goes_along_itself(chain, db):
    """Its history would tell of a change that nobody made."""
    box = chain.box.objects.create(name="b")
    memo = chain.memo.objects.create(name="m", box=box, about=chain.item.objects.create(name="i", box=box))
    versions, key = type(memo).history, memo.pk
    box.delete()
    assert [one.history_type for one in versions.filter(id=key)] == ["-", "+"]


@pytest.mark.parametrize("way", ["record", "rows", "along"])
def test_what_was_computed_along_an_emptied_link_is_worked_out_anew(chain, db, way):
    box = chain.box.objects.create(name="b")
    item = chain.item.objects.create(name="i", price=5, box=box)
    memo = chain.memo.objects.create(name="m", about=item)
    memo.refresh_from_db()
    assert memo.worth == 5
    {"record": item.delete, "rows": chain.item.objects.all().delete, "along": box.delete}[way]()
    memo.refresh_from_db()
    assert (memo.about, memo.worth) == (None, None)
    assert [(one.about_id is None, one.worth) for one in memo.history.all()][0] == (True, None)
