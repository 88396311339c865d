"""Two people at the trash at once: what one has restored, the other does not delete for good, and is told so."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Event

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.capabilities.trash import pages, purging, soft_delete
from crm.capabilities.trash.soft_delete import NotInTrash, delete_from_trash, restore
from tests.support.pages import address, said
from tests.support.records import entity, make, model
from tests.support.threads import database_of_threads, in_threads

MEANWHILE = "It was restored or deleted again meanwhile. Look at the trash again."
RESTORED, DELETED = "Ada restored.", "1 deleted for good."


@pytest.fixture
def customer(transactional_db, admin_user, tmp_path):
    """A customer in the trash of a database that threads can write to."""
    record = make("customer", name="Ada")
    record.delete()
    with database_of_threads(tmp_path):
        yield record


@pytest.fixture
def in_trash(db):
    record = make("customer", name="Ada")
    record.delete()
    return record


def switch_off(monkeypatch):
    """Take away what looks whether records are in the trash still."""
    monkeypatch.setattr(soft_delete, "lock_in_trash", lambda record: None)
    monkeypatch.setattr(soft_delete, "_check_are_in_trash", lambda model, keys: None)


def press(user, record, act):
    client = Client()
    client.force_login(user)
    data = {"act": act, "sure": "yes", "record": [record.pk]}
    answer = client.post(address("customer", "trash"), data)
    return [str(message) for message in get_messages(answer.wsgi_request)]  # A page's context is that of any thread.


def both(user, record):
    """Restore and delete for good in two threads at once; return what each is told, and whether the record is live."""
    told = in_threads(2, lambda index: press(user, record, ("restore", "delete")[index]))
    (lives,) = in_threads(1, lambda _: model("customer").objects.filter(pk=record.pk).exists())
    return told, lives


def meet_before(monkeypatch, *names):
    """Let the two threads wait for one another before a function of the page: both have read the trash by then."""
    barrier = Barrier(2)
    for name in names:
        act = getattr(pages, name)
        monkeypatch.setattr(pages, name, lambda *args, act=act: (barrier.wait(timeout=20), act(*args))[1])


def restore_first(monkeypatch):
    """Let the deletion go on when the restoring is done."""
    is_restored = Event()
    restore_on_page, delete_on_page = pages._restore, pages._delete

    def restore_and_tell(*args):
        try:
            return restore_on_page(*args)
        finally:
            is_restored.set()

    def wait_and_delete(*args):
        is_restored.wait(timeout=20)
        return delete_on_page(*args)

    monkeypatch.setattr(pages, "_restore", restore_and_tell)
    monkeypatch.setattr(pages, "_delete", wait_and_delete)


@pytest.mark.parametrize("time", range(3))
def test_of_two_at_once_the_second_is_refused(customer, admin_user, monkeypatch, time):
    meet_before(monkeypatch, "_restore", "_delete")
    told, lives = both(admin_user, customer)
    is_restored = told[0] == [RESTORED]
    assert lives is is_restored
    if is_restored:
        assert told[1] == [f"Ada was not deleted. {MEANWHILE}"]
    else:
        assert told == [[f"Ada was not restored. {MEANWHILE}"], [DELETED]]


def test_what_was_restored_after_the_other_had_read_the_trash_stays(customer, admin_user, monkeypatch):
    restore_first(monkeypatch)
    meet_before(monkeypatch, "_restore", "_delete")
    assert both(admin_user, customer) == ([[RESTORED], [f"Ada was not deleted. {MEANWHILE}"]], True)


def test_without_looking_again_both_would_be_told_that_it_worked(customer, admin_user, monkeypatch):
    switch_off(monkeypatch)
    restore_first(monkeypatch)
    meet_before(monkeypatch, "_restore", "_delete")
    assert both(admin_user, customer) == ([[RESTORED], [DELETED]], False), "the test above would notice"


def meet_after_looking(monkeypatch):
    """Let both look whether the record is in the trash before either writes, if no lock keeps them apart."""
    barrier, look = Barrier(2), soft_delete.lock_in_trash

    def slowly(record):
        look(record)
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=0.5)

    monkeypatch.setattr(soft_delete, "lock_in_trash", slowly)
    monkeypatch.setattr(soft_delete, "_check_are_in_trash", lambda model, keys: None)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time anyway")
@pytest.mark.parametrize("is_locked", [True, False])
def test_the_lock_keeps_both_from_looking_at_once(customer, admin_user, monkeypatch, is_locked):
    if not is_locked:
        monkeypatch.setattr(soft_delete, "lock_record", lambda record: None)
        monkeypatch.setattr(soft_delete, "check_removals", lambda *args: [])
        monkeypatch.setattr(soft_delete, "_ask_the_gate", lambda *args: None)
    meet_after_looking(monkeypatch)
    meet_before(monkeypatch, "_restore", "_delete")
    told, _lives = both(admin_user, customer)
    assert (told == [[RESTORED], [DELETED]]) is not is_locked


# One after the other


def test_a_page_that_is_out_of_date_says_so(in_trash, signed_in):
    restore(in_trash)
    data = {"act": "delete", "sure": "yes", "record": [in_trash.pk]}
    answer = signed_in.post(address("customer", "trash"), data)
    assert said(answer) == ["1 of those that you ticked is not in the trash any more."]
    assert model("customer").objects.filter(pk=in_trash.pk).exists()


def test_another_deletion_than_the_page_showed_is_not_made_for_good(in_trash, signed_in):
    seen = str(in_trash.deleted_in)
    restore(in_trash)
    model("customer").objects.get(pk=in_trash.pk).delete()
    data = {"act": "delete", "sure": "yes", "record": [in_trash.pk], f"deletion_{in_trash.pk}": seen}
    assert (
        "It was restored and deleted again meanwhile"
        in said(signed_in.post(address("customer", "trash"), data, follow=True))[0]
    )
    assert model("customer")._base_manager.filter(pk=in_trash.pk).exists()


def test_the_confirmation_carries_the_deletion_that_it_shows(in_trash, signed_in):
    page = signed_in.post(address("customer", "trash"), {"act": "delete", "record": [in_trash.pk]}).content.decode()
    assert f'name="deletion_{in_trash.pk}" value="{in_trash.deleted_in}"' in page


def test_what_was_read_before_it_was_restored_is_not_deleted_for_good(in_trash):
    stale = type(in_trash)._base_manager.get(pk=in_trash.pk)
    restore(in_trash)
    with pytest.raises(NotInTrash, match="It was restored or deleted again meanwhile"):
        delete_from_trash(stale)
    assert model("customer").objects.filter(pk=in_trash.pk).exists()


@pytest.mark.parametrize("looks", [True, False])
def test_purge_leaves_what_was_restored_since_it_read_the_trash(in_trash, monkeypatch, looks):
    model("customer")._base_manager.update(deleted_at=timezone.now() - timedelta(days=99))
    expired = list(purging.expired(entity("customer")))
    restore(type(in_trash)._base_manager.get(pk=in_trash.pk))
    if not looks:
        switch_off(monkeypatch)
    assert purging._remove(expired) == ((0, 0) if looks else (1, 0))
    assert model("customer").objects.filter(pk=in_trash.pk).exists() is looks


def test_nothing_live_goes_along_for_good(shop):
    order = shop.order.objects.create(name="One", buyer=shop.buyer.objects.create(name="Ann"))
    line = shop.line.objects.create(order=order, name="x", price=1)
    order.delete()
    shop.line._base_manager.update(deleted_at=None, deleted_in=None)
    with pytest.raises(ValidationError, match="It would take x along, which is not in the trash"):
        delete_from_trash(order)
    assert shop.line.objects.filter(pk=line.pk).exists()


def test_a_record_does_not_come_back_without_what_was_purged_meanwhile(shop, monkeypatch):
    order = shop.order.objects.create(name="One", buyer=shop.buyer.objects.create(name="Ann"))
    shop.line.objects.create(order=order, name="x", price=1)
    order.delete()
    read = soft_delete.went_along

    def read_and_lose(record):
        along = read(record)
        shop.line._base_manager.all().delete()
        return along

    monkeypatch.setattr(soft_delete, "went_along", read_and_lose)
    with pytest.raises(NotInTrash):
        restore(order)
