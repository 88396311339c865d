"""Every way in against every guard: each refuses what it stands for, and lets it through once it is taken away.

A way in or a guard that is not in the tables below fails the first tests. A pair that is no such pair says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from properties.world import installed

from crm.builders import delete_confirmation
from crm.capabilities.history.revert import revert_record
from crm.capabilities.history.undo import UNDO_OF_OWN
from crm.capabilities.transfer import keys
from crm.capabilities.transfer.importing import ImportRefused
from crm.kernel.contributions import ConflictError
from crm.kernel.guard import Guard, WayIn, WayOut
from crm.records import gate
from crm.records.chunks import chunks
from crm.records.intended_write import IntendedWrite
from crm.records.stored import as_stored
from crm.records.uniqueness import ValueTaken
from crm.wiring import CAPABILITIES
from tests.contracts.gated import DOCUMENTS, DRIVERS, OF_NEW, REMOVERS, Added, Gated, by_import
from tests.support.pages import form_data

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(DOCUMENTS) as business:
        made = Gated(business)
        ContentType.objects.get_for_models(made.Item, made.Box, made.Friend, made.Mark)  # As `migrate` makes them.
        yield made, made.addresses()
        ContentType.objects.filter(app_label=business.label).delete()
        ContentType.objects.clear_cache()


@pytest.fixture
def gated(built, db, settings):
    made, addresses = built
    settings.ROOT_URLCONF = addresses
    made.begin()
    return made


@dataclass
class Scenario:
    """What a guard refuses: a record that `start`s so is to `change` so, after what happens `late`."""

    change: dict[str, Any]
    start: dict[str, Any] = field(default_factory=dict)
    late: Callable[[], Any] = lambda: None
    is_new: bool = False


def taken_code(gated: Gated) -> Scenario:
    box = gated.Box.objects.create(name="elsewhere")
    return Scenario({"code": "taken"}, late=lambda: gated.make(code="taken", box=box))


def full_box(gated: Gated) -> Scenario:
    box = gated.Box.objects.create(name="full", most=1)
    return Scenario({"box": box}, late=lambda: gated.make(box=box))


def hidden_upload(gated: Gated) -> Scenario:
    name = f"{gated.business.label}/item/paper/{'0' * 32}/secret.txt"
    default_storage.delete(name)
    default_storage.save(name, ContentFile(b"secret"))
    gated.make(hidden=True, paper=name)
    return Scenario({"paper": name})


SCENARIOS: dict[str, Callable[[Gated], Scenario]] = {
    "record as it was": lambda gated: Scenario({"owner": gated.clerk}, {"owner": gated.other}),
    "record as it will be": lambda gated: Scenario({"owner": gated.other}),
    "fields": lambda gated: Scenario({"secret": "told"}),
    "locked": lambda gated: Scenario({"amount": 6}, {"approved": True, "amount": 5}),
    "state": lambda gated: Scenario({"state": "sent"}),
    "not asked for": lambda gated: Scenario({"extra": "x"}),
    "links": lambda gated: Scenario({"friend": gated.Friend.objects.create(name="Hidden", hidden=True)}),
    "uploads": hidden_upload,
    "limits": lambda gated: Scenario({"amount": 500}),
    "rules": lambda gated: Scenario({"amount": 13}),
    "uniqueness": taken_code,
    "row limits": full_box,
    "initial state": lambda gated: Scenario({"state": "done"}, is_new=True),
}

HELD, OPEN, NONE = "held by the way in itself", "open by design", "does not occur"
NOT_ASKED = (HELD, "the form does not ask for it, and reads nothing that it did not ask for")
PICKED = (HELD, "its input offers the records that the user sees, and takes no other")
ACCEPTED = (HELD, "its input takes what the type accepts, within the limits of the field")
PUT_BACK = (HELD, "what is not asked for is put back as it was before any guard is asked")
AS_IT_WAS = (NONE, "what comes back is as it was: no value is another one")
UPLOADED = (NONE, "it takes an upload, and no name of one")
DEFINED = (OPEN, "an action has the rights of the definitions")
OWN = (OPEN, "it was the record's own before")
NO_NEW = (NONE, "it makes no new record")
EXCEPT: dict[tuple[str, str], tuple[str, str]] = {
    ("form", "record as it was"): (HELD, "the page of a record that is not theirs to change asks for nothing"),
    ("form", "fields"): NOT_ASKED,
    ("form", "locked"): NOT_ASKED,
    ("form", "state"): NOT_ASKED,
    ("form", "not asked for"): PUT_BACK,
    ("form", "links"): PICKED,
    ("form", "uploads"): UPLOADED,
    ("form", "limits"): ACCEPTED,
    ("form", "initial state"): NOT_ASKED,
    ("quick form", "record as it was"): (NONE, "it changes no record"),
    ("quick form", "fields"): NOT_ASKED,
    ("quick form", "locked"): (NONE, "it changes no record"),
    ("quick form", "state"): NOT_ASKED,
    ("quick form", "not asked for"): PUT_BACK,
    ("quick form", "links"): PICKED,
    ("quick form", "uploads"): UPLOADED,
    ("quick form", "limits"): ACCEPTED,
    ("quick form", "initial state"): NOT_ASKED,
    ("rows", "fields"): NOT_ASKED,
    ("rows", "state"): NOT_ASKED,
    ("rows", "not asked for"): PUT_BACK,
    ("rows", "links"): PICKED,
    ("rows", "uploads"): UPLOADED,
    ("rows", "limits"): ACCEPTED,
    ("rows", "row limits"): (
        NONE,
        "a row stays with its parent; the parent's form counts all it holds (test_row_limits)",
    ),
    ("rows", "initial state"): NOT_ASKED,
    ("bulk edit", "record as it was"): (HELD, "rows that are not theirs to change are left out before"),
    ("bulk edit", "fields"): NOT_ASKED,
    ("bulk edit", "state"): NOT_ASKED,
    ("bulk edit", "not asked for"): PUT_BACK,
    ("bulk edit", "links"): PICKED,
    ("bulk edit", "uploads"): UPLOADED,
    ("bulk edit", "limits"): ACCEPTED,
    ("bulk edit", "uniqueness"): (HELD, "it offers no field whose values are unique"),
    ("bulk edit", "initial state"): NO_NEW,
    ("code", "not asked for"): PUT_BACK,
    ("import", "links"): (HELD, "a cell means none but records that the user sees; the guard alone: see below"),
    ("import", "limits"): (HELD, "a cell is read within the limits of its type, once for equal cells"),
    ("revert", "not asked for"): OWN,
    ("revert", "uploads"): OWN,
    ("revert", "initial state"): (NONE, "a deleted record comes back in its last state: test_revert"),
    ("undo", "not asked for"): OWN,
    ("undo", "uploads"): OWN,
    ("undo", "initial state"): NO_NEW,
    ("restore", "fields"): AS_IT_WAS,
    ("restore", "locked"): AS_IT_WAS,
    ("restore", "state"): AS_IT_WAS,
    ("restore", "not asked for"): AS_IT_WAS,
    ("restore", "links"): AS_IT_WAS,
    ("restore", "uploads"): AS_IT_WAS,
    ("restore", "limits"): AS_IT_WAS,
    ("restore", "initial state"): NO_NEW,
    ("step", "record as it was"): (HELD, "asked before all else: its other answers would tell of the record"),
    ("step", "record as it will be"): (OPEN, "an action may lead out of the rows that its role may change"),
    ("step", "fields"): DEFINED,
    ("step", "locked"): DEFINED,
    ("step", "state"): DEFINED,
    ("step", "not asked for"): PUT_BACK,
    ("step", "links"): DEFINED,
    ("step", "uploads"): (NONE, "it sets no upload"),
    ("step", "initial state"): NO_NEW,
}
ALONG = {"restore": {"record as it was": ["record as it will be"], "record as it will be": ["record as it was"]}}
"""Guards that must be taken away too: what comes back is as it was, so both ask the same."""
PAIRS = [(way_in, guard) for way_in in DRIVERS for guard in SCENARIOS]


def test_every_way_in_and_every_guard_has_its_place_here():
    assert set(DRIVERS) == set(gate.WAYS_IN), "a way in that this table does not hold against the guards"
    assert set(SCENARIOS) == set(gate.GUARDS), "a guard that this table does not hold the ways in against"
    assert set(EXCEPT) <= set(PAIRS)
    assert all(one.summary.endswith(".") for one in (*gate.GUARDS.values(), *gate.WAYS_IN.values()))


def take_away(monkeypatch: Any, *names: str) -> None:
    left = {name: guard for name, guard in gate.GUARDS.items() if name not in names}
    assert len(left) == len(gate.GUARDS) - len(names)
    monkeypatch.setattr(gate, "GUARDS", left)


def go(gated: Gated, way_in: str, guard: str) -> str:
    """Try what a guard refuses, by a way in: what it came to is `written`, `refused` or `kept out by the database`."""
    scenario = SCENARIOS[guard](gated)
    is_new = scenario.is_new or way_in == "quick form"
    offending = (
        scenario.start | scenario.change if way_in == "restore" and guard != "record as it was" else scenario.start
    )
    with transaction.atomic():
        record = gated.make(**offending)
        if way_in == "restore":
            gated.Item.objects.get(pk=record.pk).delete()
        scenario.late()
    before = set(gated.Item._base_manager.values_list("pk", flat=True))
    driver = OF_NEW[way_in] if scenario.is_new and way_in in OF_NEW else DRIVERS[way_in]
    try:
        with transaction.atomic():
            driver(gated, record, scenario.change)
    except (IntegrityError, ValidationError, ImportRefused) as error:
        if not isinstance(error, (ValidationError, ImportRefused)) or re.search(
            "was taken meanwhile|The database refused", str(error)
        ):
            return "kept out by the database"
    rows = gated.Item.objects.all() if way_in == "restore" else gated.Item.objects.filter(**scenario.change)
    rows = rows.exclude(pk__in=before) if is_new else rows.filter(pk=record.pk)
    return "written" if rows.exists() else "refused"


@pytest.mark.parametrize(("way_in", "guard"), [pair for pair in PAIRS if pair not in EXCEPT])
def test_each_guard_refuses_at_each_way_in_and_nothing_else_does(gated, monkeypatch, way_in, guard):
    sid = transaction.savepoint()
    assert go(gated, way_in, guard) == "refused"
    transaction.savepoint_rollback(sid)
    take_away(monkeypatch, guard, *ALONG.get(way_in, {}).get(guard, []))
    if guard != "uniqueness":
        assert go(gated, way_in, guard) == "written"


@pytest.mark.parametrize("way_in", [one for one in DRIVERS if (one, "uniqueness") not in EXCEPT])
def test_a_value_that_was_taken_since_the_guard_looked_is_refused_in_words(gated, monkeypatch, way_in):
    """The database keeps it out at each way in, and no way in fails with the error of the database."""
    kept_out, look = [], ValueTaken.__init__
    monkeypatch.setattr(ValueTaken, "__init__", lambda self, *args: kept_out.append(args) or look(self, *args))
    take_away(monkeypatch, "uniqueness")
    assert go(gated, way_in, "uniqueness") == ("kept out by the database" if way_in == "restore" else "refused")
    assert bool(kept_out) == (way_in != "restore"), "what is restored is asked about once more instead"


@pytest.mark.parametrize(("way_in", "guard"), [pair for pair, (kind, _why) in EXCEPT.items() if kind == HELD])
def test_what_a_way_in_holds_by_itself_is_held_without_the_guard(gated, monkeypatch, way_in, guard):
    take_away(monkeypatch, guard)
    assert go(gated, way_in, guard) == "refused"


@pytest.mark.parametrize(("way_in", "guard"), [pair for pair, (kind, _why) in EXCEPT.items() if kind == OPEN])
def test_what_is_open_by_design_goes_through(gated, way_in, guard):
    assert go(gated, way_in, guard) == "written"


@pytest.mark.parametrize("way_in", [one for one in DRIVERS if one not in ("quick form", "restore")])
def test_every_way_in_writes_what_no_guard_refuses(gated, way_in):
    """Without this, a driver that did nothing would look like a gate that holds."""
    record = gated.make()
    DRIVERS[way_in](gated, record, {"amount": 7})
    assert gated.Item.objects.get(pk=record.pk).amount == 7


def test_the_quick_form_adds_and_the_trash_gives_back_what_no_guard_refuses(gated):
    DRIVERS["quick form"](gated, None, {"amount": 7})
    assert gated.Item.objects.get(key="quick").amount == 7
    record = gated.make()
    record.delete()
    DRIVERS["restore"](gated, record, {})
    assert gated.Item.objects.filter(pk=record.pk).exists()


# What the table points to


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_cell_by_id_reaches_no_hidden_record(gated, monkeypatch, is_there):
    """`#id` names a record without a key; were it found, the guard would refuse it."""
    hidden = gated.Friend.objects.create(name="", hidden=True)
    record = gated.make()
    if not is_there:
        monkeypatch.setattr(keys.access, "viewer_rows", lambda model: model._default_manager.all())
    by_import(gated, record, {"friend": f"#{hidden.pk}"})
    record.refresh_from_db()
    assert record.friend is None
    if not is_there:
        take_away(monkeypatch, "links")
        by_import(gated, record, {"friend": f"#{hidden.pk}"})
        record.refresh_from_db()
        assert record.friend == hidden, "with the book and the guard off, it is reached"


def test_a_link_to_a_hidden_record_stays_in_a_row_whatever_is_sent(gated):
    hidden = gated.Friend.objects.create(name="Secret name", hidden=True)
    record = gated.make(friend=hidden)
    client, url = gated.client(), gated.url(gated.Box, "change", gated.box.pk)
    page = client.get(url).content.decode()
    assert "Secret name" not in page and "Hidden friend" in page
    for friend in ("", gated.Friend.objects.create(name="Seen").pk):
        DRIVERS["rows"](gated, record, {"amount": 7, "friend": friend})
        record.refresh_from_db()
        assert (record.amount, record.friend) == (7, hidden)
        gated.force(record, {"amount": 1})


def test_a_row_of_others_that_nobody_touched_does_not_stand_in_the_way(gated):
    theirs, mine = gated.make(owner=gated.other), gated.make()
    DRIVERS["rows"](gated, mine, {"amount": 7})
    mine.refresh_from_db()
    assert mine.amount == 7
    DRIVERS["rows"](gated, theirs, {"DELETE": True})
    assert gated.Item.objects.filter(pk=theirs.pk).exists(), "it is not theirs to delete"


def test_a_deleted_row_comes_back_in_its_last_state(gated):
    """Going back to a version of the parent brings its rows back, and no state from before an action."""
    version = gated.box.history.first()
    row = gated.make()
    type(version).objects.filter(pk=version.pk).update(history_date=row.history.first().history_date)
    version.refresh_from_db()
    gated.force(row, {"state": "sent"})
    row.save()
    row.delete_for_good()
    revert_record(gated.box, version)
    assert gated.Item.objects.get(key=row.key).state == "sent"


# Ways out: what disappears, and what goes along


HELD_OUT = {
    ("deletion", "item"): "the page of a record that is not theirs to delete answers 403",
    ("for good", "item"): "the trash shows those alone that are theirs to delete",
}


def try_to_remove(gated: Gated, way_out: str, added: Added) -> bool:
    """Remove an item by a way out, and return whether it is gone."""
    with suppress(ValidationError), transaction.atomic():
        REMOVERS[way_out](gated, added)
    return not added.is_there()


def added_for(gated: Gated, way_out: str) -> Added:
    return Added.by(gated, gated.clerk if way_out == UNDO_OF_OWN else gated.other)


def take_deletion_from(gated: Gated, monkeypatch: Any) -> None:
    monkeypatch.delitem(gated.business.entities["item"].grants["clerk"], "delete")


def test_every_way_out_has_its_place_here():
    assert set(REMOVERS) == set(gate.WAYS_OUT), "a way out that is not held against the guards"
    assert {name for name, guard in gate.GUARDS.items() if guard.removal} == {"record as it was", "locked"}
    assert all(way_out.summary.endswith(".") for way_out in gate.WAYS_OUT.values())


@pytest.mark.parametrize("way_out", REMOVERS)
def test_every_way_out_removes_what_no_guard_refuses(gated, way_out):
    assert try_to_remove(gated, way_out, added_for(gated, way_out))


@pytest.mark.parametrize("whose", ["item", "mark"])
@pytest.mark.parametrize("way_out", REMOVERS)
def test_no_way_out_takes_what_is_not_theirs_be_it_along_with_another(gated, monkeypatch, way_out, whose):
    monkeypatch.setattr(delete_confirmation, "_lacks", lambda *_: False)  # The page asks before it deletes, too.
    added = added_for(gated, way_out)
    gated.force(getattr(added, whose), {"owner": gated.other})
    assert not try_to_remove(gated, way_out, added)
    take_away(monkeypatch, "record as it was")
    assert try_to_remove(gated, way_out, added) is ((way_out, whose) not in HELD_OUT)


@pytest.mark.parametrize("way_out", REMOVERS)
def test_without_the_right_to_delete_only_what_one_added_oneself_can_be_taken_back(gated, monkeypatch, way_out):
    added = added_for(gated, way_out)
    take_deletion_from(gated, monkeypatch)
    assert try_to_remove(gated, way_out, added) is (way_out == UNDO_OF_OWN)


def test_what_is_locked_by_now_is_taken_back_by_those_alone_who_may_delete_it(gated, monkeypatch):
    first, second = added_for(gated, UNDO_OF_OWN), added_for(gated, UNDO_OF_OWN)
    for added in (first, second):
        gated.force(added.item, {"approved": True})
    assert try_to_remove(gated, UNDO_OF_OWN, first)
    take_deletion_from(gated, monkeypatch)
    gated.clerk = type(gated.clerk).objects.get(pk=gated.clerk.pk)
    assert not try_to_remove(gated, UNDO_OF_OWN, second)
    take_away(monkeypatch, "locked")
    assert try_to_remove(gated, UNDO_OF_OWN, second)


def test_the_number_of_queries_does_not_grow_with_the_removals(gated):
    def queries(count: int) -> int:
        keys = [write.record.pk for write in writes_of(gated, count)]
        with CaptureQueriesContext(connection) as caught:
            assert gate.check_removals({gated.Item: keys}, gated.clerk, "rows") == []
        return len(caught)

    queries(1)  # What is known of the user is asked for once.
    assert queries(3) == queries(40)


def test_a_removal_is_by_a_known_way_out(gated):
    with pytest.raises(LookupError, match="there is no way out 'window'"):
        gate.check_removals({gated.Item: []}, gated.clerk, "window")


# The gate itself


def writes_of(gated: Gated, count: int) -> list[IntendedWrite]:
    box = gated.Box.objects.create(name="large", most=1000)
    made = [gated.make(box=box) for _number in range(count)]
    befores = as_stored(gated.Item, [one.pk for one in made], gated.clerk)
    for number, one in enumerate(made):
        one.amount, one.code = number % 50, f"d{number}"
    return [IntendedWrite(one, befores[one.pk], gated.clerk) for one in made]


def test_the_number_of_queries_does_not_grow_with_the_writes(gated):
    def queries(count: int) -> int:
        writes = writes_of(gated, count)
        with CaptureQueriesContext(connection) as found:
            gate.check_writes(writes)
        return len(found)

    queries(1)  # What is known of the user is asked for once.
    assert queries(3) == queries(40)


def test_a_batch_is_of_one_model_one_user_and_a_known_way_in(gated):
    first, second = writes_of(gated, 2)
    with pytest.raises(ValueError, match="one batch is of one model"):
        gate.check_writes([first, IntendedWrite(second.record, second.before, gated.other)])
    with pytest.raises(LookupError, match="there is no way in 'window'"):
        gate.check_writes([IntendedWrite(first.record, first.before, gated.clerk, "window")])
    assert gate.check_writes([]) == []


def test_what_would_change_nothing_is_not_asked_about(gated):
    theirs = gated.make(owner=gated.other)
    same = as_stored(gated.Item, [theirs.pk])[theirs.pk]
    assert gate.check_writes([IntendedWrite(theirs, same, gated.clerk)]) == []


def test_nothing_is_told_of_a_record_that_is_not_theirs(gated):
    theirs = gated.make(owner=gated.other)
    before = as_stored(gated.Item, [theirs.pk])[theirs.pk]
    theirs.amount, theirs.secret = 13, "x"
    said = gate.check_writes([IntendedWrite(theirs, before, gated.clerk)])
    assert [(one.guard, one.message) for one in said] == [
        ("record as it was", "This is not one of the items that are yours to change.")
    ]


@pytest.mark.parametrize("hook", [Guard("rules", "Another."), WayIn("form", "Another."), WayOut("rows", "Another.")])
def test_two_guards_or_ways_of_one_name_clash(hook):
    with pytest.raises(ConflictError, match="of engine and of somebody else"):
        gate.register(hook, "somebody else")


def test_capabilities_add_theirs_through_their_contract():
    hooks = [hook for one in CAPABILITIES for hook in (*one.guards, *one.ways_in, *one.ways_out)]
    known = (*gate.GUARDS.values(), *gate.WAYS_IN.values(), *gate.WAYS_OUT.values())
    assert len(hooks) == 10 and all(hook in known for hook in hooks)


@pytest.mark.parametrize("way_in", ["form", "quick form", "rows", "bulk edit", "import"])
@pytest.mark.parametrize("kind", ["plain", "odd"])
def test_links_that_are_not_asked_for_stay_as_they_are(gated, way_in, kind):
    friend = gated.Friend.objects.create(name="Seen")
    record = gated.make(kind=kind)
    values = {"marks": friend} if way_in == "bulk edit" else {"kind": kind, "marks": friend}
    DRIVERS[way_in](gated, record, values)
    marked = gated.Item.objects.filter(marks=friend).count()
    assert marked == (1 if kind == "odd" else 0)


@pytest.mark.parametrize("page", ["change", "live"])
@pytest.mark.parametrize("parent", ["another", "abc", "99999999999999999999", ""])
def test_a_row_that_is_sent_with_another_parent_stays_with_its_own(gated, page, parent):
    record = gated.make()
    other = gated.Box.objects.create(name="other")
    client = gated.client()
    url = gated.url(gated.Box, "change", record.box_id)
    data = form_data(client.get(url), "box_form")
    prefix = next(
        key.removesuffix("id") for key, sent in data.items() if key.endswith("-id") and sent == [str(record.pk)]
    )
    sent = data | {f"{prefix}box": other.pk if parent == "another" else parent, f"{prefix}extra": "x"}
    answer = client.post(url if page == "change" else gated.url(gated.Box, "live", record.box_id), sent)
    assert answer.status_code < 500
    record.refresh_from_db()
    assert record.box_id == gated.box.pk


def test_what_is_looked_up_in_pieces_is_looked_up_to_the_last(gated, monkeypatch):
    monkeypatch.setattr(chunks, "__defaults__", (2,))
    writes = writes_of(gated, 5)
    for number, write in enumerate(writes):
        write.record.friend = gated.Friend.objects.create(name=f"f{number}")
    gated.make(code="d4", box=gated.box)
    said = [(one.write, one.guard) for one in gate.check_writes(writes) if one.guard in ("links", "uniqueness")]
    assert said == [(writes[4], "uniqueness")]
