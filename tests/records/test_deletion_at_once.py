"""A deletion and a new link to what it deletes, at once: whoever comes second waits, and sees what the first one did."""

from __future__ import annotations

import time
from threading import Barrier, Event

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, models, transaction

from crm.capabilities.transfer.runs import import_file
from crm.capabilities.trash import soft_delete
from crm.capabilities.trash.soft_delete import restore
from crm.records import deletion, link_guards, locks
from crm.records.computed_updates import defer_recompute
from tests.support.records import entity, make, model
from tests.support.threads import in_threads

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a database with concurrent writers is needed: set DATABASE_URL to it"
)
ERRORS = (ValidationError, models.ProtectedError)


def one_after_the_other(first, second):
    """Do two acts at once: the second begins when the first is written, and not yet ended. Return what each was told.

    The first ends after a while; by then the second has ended, unless a lock lets it wait.
    """
    written = Event()

    def run(index):
        try:
            with transaction.atomic():
                if index:
                    assert written.wait(timeout=30)
                with defer_recompute():
                    (first, second)[index]()
                if not index:
                    written.set()
                    time.sleep(0.7)
        except ERRORS as error:
            return type(error).__name__, " ".join(getattr(error, "messages", [str(error)]))
        finally:
            written.set()
        return ""

    return in_threads(2, run)


def adding(name, **links):
    """Return an act that adds a record as a user does, past no guard."""

    def add():
        made = make(name)  # whatever else it needs is there
        made.delete_for_good()
        made.pk, made._state.adding = None, True
        for link, target in links.items():
            setattr(made, link, target)
        made.save_as(None)

    return add


def deleting(record):
    return lambda: model(record.definition.name).objects.get(pk=record.pk).delete()


def moving(passenger, booking):
    def move():
        mine = model("passenger").objects.get(pk=passenger.pk)
        mine.booking = booking
        mine.save_as(None)

    return move


def strays(name, link):
    """Return how many live records link to one in the trash."""
    return model(name).objects.filter(**{f"{link}__deleted_at__isnull": False}).count()


GONE = ("ValidationError", "It was deleted meanwhile.")
NO_BOOKING = ("ValidationError", "There is no such booking.")
pytestmark = [needs_postgresql, pytest.mark.django_db(transaction=True)]


def test_what_is_added_while_its_parent_goes_finds_no_parent():
    booking = make("booking", seats=5)
    assert one_after_the_other(deleting(booking), adding("passenger", booking=booking)) == ["", NO_BOOKING]
    assert strays("passenger", "booking") == 0


def test_what_was_added_goes_along_with_its_parent():
    booking = make("booking", seats=5)
    assert one_after_the_other(adding("passenger", booking=booking), deleting(booking)) == ["", ""]
    assert strays("passenger", "booking") == 0
    assert model("passenger")._base_manager.filter(booking=booking, deleted_at__isnull=False).count() == 1


def test_what_is_moved_to_a_parent_that_goes_stays_where_it_was():
    booking, old = make("booking", seats=5), make("booking", seats=5)
    passenger = make("passenger", booking=old)
    assert one_after_the_other(deleting(booking), moving(passenger, booking)) == ["", NO_BOOKING]
    passenger.refresh_from_db()
    assert passenger.booking_id == old.pk


def test_what_was_moved_away_does_not_go_along():
    booking, new = make("booking", seats=5), make("booking", seats=5)
    passenger = make("passenger", booking=booking)
    assert one_after_the_other(moving(passenger, new), deleting(booking)) == ["", ""]
    assert model("passenger").objects.get(pk=passenger.pk).booking_id == new.pk


def test_a_record_that_is_linked_to_meanwhile_is_protected():
    invoice = make("invoice")
    said = one_after_the_other(adding("payment", invoice=invoice), deleting(invoice))
    assert [one and one[0] for one in said] == ["", "ProtectedError"]
    assert strays("payment", "invoice") == 0 and model("invoice").objects.filter(pk=invoice.pk).exists()


def test_nothing_links_to_a_protected_record_that_goes():
    invoice = make("invoice")
    said = one_after_the_other(deleting(invoice), adding("payment", invoice=invoice))
    assert said == ["", ("ValidationError", "There is no such invoice.")]
    assert strays("payment", "invoice") == 0


def test_nothing_is_restored_that_needs_a_record_that_goes():
    customer = make("customer", name="Ann")
    invoice = make("invoice", customer=customer)
    invoice.delete()
    said = one_after_the_other(deleting(customer), lambda: restore(invoice))
    assert said == ["", ("ValidationError", "Its customer Ann (in the trash) must be restored first.")]
    assert strays("invoice", "customer") == 0


def test_a_record_that_is_needed_by_one_that_was_restored_is_protected():
    customer = make("customer", name="Ann")
    invoice = make("invoice", customer=customer)
    invoice.delete()
    said = one_after_the_other(lambda: restore(invoice), deleting(customer))
    assert said[0] == "" and said[1][0] == "ProtectedError"
    assert strays("invoice", "customer") == 0


def test_an_import_links_to_nothing_that_goes():
    customer, plans = make("customer", email="ann@example.com"), []

    def bring_in():
        plans.append(import_file(entity("note"), "n.csv", b"key,customer,subject\n,ann@example.com,Hello\n")[1])

    assert one_after_the_other(deleting(customer), bring_in) == ["", ""]
    assert not plans[0].is_sound and not model("note").objects.exists()


def test_two_deletions_of_one_record_are_one():
    """The second would else take the record away from the rows that went along with the first."""
    booking = make("booking", seats=5)
    passenger = make("passenger", booking=booking)
    assert one_after_the_other(deleting(booking), deleting(booking))[0] == ""
    gone = model("booking")._base_manager.get(pk=booking.pk)
    assert model("passenger")._base_manager.get(pk=passenger.pk).deleted_in == gone.deleted_in


@pytest.mark.parametrize("off", ["of the link", "of the deletion"])
def test_without_either_lock_a_row_is_left_in_a_parent_that_is_gone(monkeypatch, off):
    """The controls: it takes both locks."""
    booking, invoice = make("booking", seats=5), make("invoice")
    if off == "of the link":
        monkeypatch.setattr(link_guards, "keep_from_deletion", lambda rows: None)
        acts = [(deleting(booking), adding("passenger", booking=booking))]
        acts += [(deleting(invoice), adding("payment", invoice=invoice))]
    else:
        monkeypatch.setattr(deletion, "lock_for_deletion", lambda rows, keys: keys)
        acts = [(adding("passenger", booking=booking), deleting(booking))]
        acts += [(adding("payment", invoice=invoice), deleting(invoice))]
    assert [one_after_the_other(*pair) for pair in acts] == [["", ""], ["", ""]]
    assert (strays("passenger", "booking"), strays("payment", "invoice")) == (1, 1)


def test_without_the_lock_it_is_restored(monkeypatch):
    monkeypatch.setattr(soft_delete, "keep_from_deletion", lambda rows: None)
    customer = make("customer", name="Ann")
    invoice = make("invoice", customer=customer)
    invoice.delete()
    assert one_after_the_other(deleting(customer), lambda: restore(invoice)) == ["", ""]
    assert strays("invoice", "customer") == 1


def test_links_to_one_record_do_not_wait_for_one_another():
    """A lock that only deletions wait for: other writes of the target go on."""
    booking = make("booking", seats=5)
    rows = model("booking")._base_manager.filter(pk=booking.pk)

    def lock(_index, for_deletion=False):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            locks.keep_from_deletion(rows.all())
            locks.lock_in_order(rows.all())
            return bool(locks.lock_for_deletion(rows.all(), [booking.pk])) if for_deletion else True

    with transaction.atomic():
        locks.keep_from_deletion(rows.all())
        assert in_threads(1, lock) == [True]
        with pytest.raises(OperationalError, match="lock timeout"):
            in_threads(1, lambda index: lock(index, for_deletion=True))


@pytest.mark.parametrize("times", range(3))
def test_a_row_is_saved_while_its_parent_goes_without_a_deadlock(times):
    """A row is locked before the parent that it is added up in; a deletion takes its locks in the same order."""
    booking = make("booking", seats=5)
    passenger = make("passenger", booking=booking)
    begun = Barrier(2)

    def save():
        mine = model("passenger").objects.get(pk=passenger.pk)
        mine.first_name = "Zoe"
        begun.wait(timeout=20)
        mine.full_clean()
        time.sleep(0.1)
        mine.save()

    def delete():
        begun.wait(timeout=20)
        deleting(booking)()

    assert at_once(save, delete) in (["", ""], [GONE, ""])
    assert strays("passenger", "booking") == 0


def at_once(*acts):
    """Do acts at once, each in a transaction of its own; return what each was told."""

    def run(index):
        try:
            with transaction.atomic(), defer_recompute():
                acts[index]()
        except ERRORS as error:
            return type(error).__name__, " ".join(error.messages)
        return ""

    return in_threads(len(acts), run)
