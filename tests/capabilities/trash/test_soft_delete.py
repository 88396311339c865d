"""Deleting puts a record away with what goes along; restoring brings all of it back, or nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.utils import timezone

from crm.capabilities.history.timeline import read_timeline
from crm.capabilities.trash.purging import purge
from crm.capabilities.trash.soft_delete import restore
from crm.records.changes import change_scope
from crm.records.deletion import collect_deletion
from crm.records.rules import RuleBroken


@pytest.fixture
def order(shop):
    """An order of Ann with two lines, a remark of a line and one of its own."""
    ann = shop.buyer.objects.create(name="Ann", email="a@b.c")
    order = shop.order.objects.create(name="One", buyer=ann)
    first = shop.line.objects.create(order=order, name="x", price=Decimal(5))
    shop.line.objects.create(order=order, name="y", price=Decimal(7))
    shop.remark.objects.create(name="of line", line=first)
    shop.remark.objects.create(name="of order", order=order)
    return order


def rows(model):
    """Return every row of a table, whatever lies in the trash."""
    return list(model._base_manager.order_by("pk").values())


def spent(shop):
    return shop.buyer.objects.get(name="Ann").spent


def test_a_deleted_record_leaves_with_its_rows_and_cascades_and_comes_back_the_same(shop, order):
    tables = (shop.buyer, shop.order, shop.line, shop.remark)
    before = [rows(one) for one in tables]
    count, by_model = order.delete()
    assert count == 5 and by_model[shop.remark._meta.label] == 2
    assert not shop.order.objects.exists() and not shop.line.objects.exists() and not shop.remark.objects.exists()
    assert shop.line._base_manager.count() == 2
    assert spent(shop) == 0
    assert str(order) == "One (in the trash)"
    assert restore(order) == 5
    after = [rows(one) for one in tables]
    assert after[1:] == before[1:]
    assert [{**one, "updated": 0} for one in after[0]] == [{**one, "updated": 0} for one in before[0]]
    assert spent(shop) == 12


@pytest.mark.parametrize("way", ["record", "rows"])
def test_what_protects_refuses(shop, order, way):
    with pytest.raises(ProtectedError) as caught:
        order.buyer.delete() if way == "record" else shop.buyer.objects.all().delete()
    assert caught.value.protected_objects == {order}
    assert shop.buyer.objects.count() == 1
    order.delete()
    shop.buyer.objects.all().delete()
    assert not shop.buyer.objects.exists()


def test_rows_deleted_on_their_own_are_gone_for_good(shop, order):
    shop.line.objects.filter(name="y").delete()
    assert shop.line._base_manager.count() == 1
    assert spent(shop) == 5


def test_restoring_one_of_several_deleted_together_leaves_the_others(shop, order):
    other = shop.order.objects.create(name="Two", buyer=order.buyer)
    with change_scope(source="test"):
        shop.order.objects.all().delete()
    order.refresh_from_db()
    restore(order)
    assert list(shop.order.objects.values_list("name", flat=True)) == ["One"]
    assert shop.order._base_manager.get(pk=other.pk).deleted_at


def test_a_required_target_must_be_restored_first(shop, order):
    buyer = order.buyer
    order.delete()
    buyer.delete()
    with pytest.raises(ValidationError, match=r"Its buyer Ann \(in the trash\) must be restored first"):
        restore(order)
    assert not shop.order.objects.exists() and not shop.line.objects.exists()
    restore(buyer)
    restore(order)
    assert spent(shop) == 12


def test_a_row_that_is_needed_is_named_with_the_record_that_brings_it_back(shop, order):
    other = shop.order.objects.create(name="Two", buyer=order.buyer)
    shop.remark.objects.create(name="of both", order=other, line=shop.line.objects.get(name="x"))
    other.delete()
    order.delete()
    with pytest.raises(ValidationError, match=r"Its line x \(in the trash\) must be restored first, with One\."):
        restore(other)
    restore(order)
    restore(other)


def test_a_unique_value_can_be_taken_meanwhile_and_then_refuses(shop):
    ann = shop.buyer.objects.create(name="Ann", email="a@b.c")
    with pytest.raises(ValidationError, match="already exists"):
        shop.buyer(name="Ben", email="a@b.c").full_clean(exclude=["deleted_at"])
    ann.delete()
    ben = shop.buyer(name="Ben", email="a@b.c")
    ben.full_clean()
    ben.save()
    assert ben.number != ann.number
    with pytest.raises(ValidationError, match="Ann cannot come back: Ben has the same email meanwhile"):
        restore(ann)
    ben.delete()
    restore(ann)


def test_a_group_of_unique_values_counts_what_is_there_alone(shop, order):
    twin = shop.line(order=order, name="x", price=1)
    with pytest.raises(ValidationError, match="already exists"):
        twin.full_clean(exclude=["deleted_at"])


def test_a_broken_rule_refuses_and_nothing_comes_back(shop, order):
    order.delete()
    shop.order._base_manager.update(most=1)
    with pytest.raises(RuleBroken, match="Too many lines"):
        restore(order)
    assert not shop.order.objects.exists() and not shop.line.objects.exists()
    assert spent(shop) == 0


def test_an_optional_link_keeps_its_target_and_is_emptied_when_that_is_purged(shop, order):
    note = shop.note.objects.create(name="n", about=order)
    order.delete()
    note.refresh_from_db()
    assert str(note.about) == "One (in the trash)"
    order.delete()
    note.refresh_from_db()
    assert note.about is None
    assert not shop.line._base_manager.exists() and not shop.remark._base_manager.exists()


def test_the_story_says_who_deleted_and_who_restored(shop, order, admin_user):
    with change_scope(admin_user, "wrong one"):
        order.delete()
    with change_scope(admin_user):
        restore(order)
    order.refresh_from_db()
    restored, deleted = read_timeline(order)[:2]
    assert (restored.kind, restored.user) == ("restored", "admin")
    assert (deleted.kind, deleted.user, deleted.reason, deleted.version) == ("deleted", "admin", "wrong one", None)
    assert {part.kind for part in deleted.parts} == {"deleted"}


def test_purge_removes_what_is_too_old_rows_first(shop, order):
    business = shop.order.definition.business
    buyer = order.buyer
    order.delete()
    buyer.delete()
    assert purge(business)[0] == {"buyer": 0, "order": 0, "line": 0, "remark": 0}
    old = timezone.now() - timedelta(days=3)
    for one in (shop.order, shop.line, shop.remark):
        one._base_manager.update(deleted_at=old)
    assert purge(business, dry_run=True)[0] == {"buyer": 0, "order": 1, "line": 2, "remark": 2}
    assert shop.order._base_manager.count() == 1
    assert purge(business)[0] == {"buyer": 0, "order": 1, "line": 2, "remark": 2}
    assert shop.order.history.filter(id=order.pk).exists()
    shop.buyer._base_manager.update(deleted_at=timezone.now() - timedelta(days=31))
    assert purge(business) == ({"buyer": 1, "order": 0, "line": 0, "remark": 0}, {})


def test_purge_keeps_what_another_record_in_the_trash_still_needs(shop, order):
    buyer = order.buyer
    order.delete()
    buyer.delete()
    shop.buyer._base_manager.update(deleted_at=timezone.now() - timedelta(days=31))
    gone, kept = purge(order.definition.business)
    assert gone["buyer"] == 0 and kept == {"buyer": 1}


def test_records_that_protect_one_another_go_together(shop):
    """Nothing of what is ticked stays behind to point to what goes; one alone is refused."""
    ann = shop.buyer.objects.create(name="Ann", email="a@example.org")
    ben = shop.buyer.objects.create(name="Ben", email="b@example.org", guarantor=ann)
    with pytest.raises(ProtectedError):
        ann.delete()
    assert collect_deletion(shop.buyer, [ann.pk]).protected == {shop.buyer: [ben.pk]}
    assert collect_deletion(shop.buyer, [ann.pk, ben.pk]).protected == {}
    shop.buyer.objects.filter(pk__in=[ann.pk, ben.pk]).delete()
    assert not shop.buyer.objects.exists()
