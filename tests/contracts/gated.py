"""A business in which every guard has something to refuse, and every way in as a person takes it.

A driver gives a record other values by one way in, as a user. It is handed the record as it is and the values by field,
and says nothing: what came of it stands in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import yaml
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import models
from django.test import Client
from django.urls import path, reverse

from crm.builders.admin import register_all
from crm.builders.files import serve_file
from crm.builders.site import Site
from crm.capabilities.history.revert import REVERT, revert_record
from crm.capabilities.history.undo import UNDO, UNDO_OF_OWN, revert_change
from crm.capabilities.transfer.runs import import_file
from crm.capabilities.trash.soft_delete import FOR_GOOD, restore
from crm.capabilities.workflow.transitions import perform
from crm.records.access import as_viewer, group_name
from crm.records.changes import change_scope
from crm.records.gate import DELETION, ROWS_OFF
from crm.records.identity import keys_for_update
from crm.wiring import CAPABILITIES
from tests.capabilities.transfer.files import csv_file
from tests.support.pages import form_data

ITEM = """
title: "{key}"
fields:
  key: {type: text, required: true}
  code: {type: text, unique: true}
  amount: {type: integer, max: 100, default: 1}
  approved: boolean
  secret: text
  owner: user
  friend: {type: link, to: friend, on_delete: empty}
  paper: file
  kind: {type: choice, default: plain, choices: {plain: Plain, odd: Odd}}
  extra: text
  marks: {type: links, to: friend}
  state: {type: choice, default: new, choices: {new: New, sent: Sent, done: Done}}
  hidden: boolean
  next_code: text
  next_amount: {type: integer, default: 1}
  next_extra: text
  next_secret: text
  next_owner: user
  next_friend: {type: link, to: friend, on_delete: empty}
  next_box: {type: link, to: box, on_delete: empty}
rules:
  - {check: amount != 13, message: Thirteen is no amount., field: amount}
show:
  amount: {read_only_if: approved}
  extra: {visible_if: kind == 'odd'}
  marks: {visible_if: kind == 'odd'}
access:
  clerk:
    view: {rows: not hidden}
    add: {rows: owner == user, except: [secret]}
    change: {rows: owner == user, except: [secret]}
    delete: {rows: owner == user}
    import: true
form:
  quick: [key, code, amount, owner, friend, kind, extra, marks, box]
workflow:
  field: state
  actions:
    put:
      from: [new]
      to: sent
      set: {code: next_code, amount: next_amount, extra: next_extra, secret: next_secret, owner: next_owner,
            friend: next_friend, box: next_box}
    finish: {from: [sent], to: done, require: [extra]}
transfer: {match_on: [key]}
trash: {restore_for: 30d}
"""
FRIEND = """
title: "{name}"
fields: {name: text, hidden: boolean}
access: {clerk: {view: {rows: not hidden}}}
list: {search: [name]}
transfer: {match_on: [name]}
"""
BOX = """
title: "{name}"
fields:
  name: text
  most: {type: integer, default: 9}
  items: {type: table, of: item, rows: most}
list: {search: [name]}
transfer: {match_on: [name]}
"""
MARK = """
title: "{name}"
fields:
  name: text
  owner: user
  item: {type: link, to: item, on_delete: cascade}
access: {clerk: {view: true, delete: {rows: owner == user}}}
"""
APP = "{name: Gated, roles: {clerk: {can: [view, add, change, delete, import]}}}"
DOCUMENTS = {
    "app.yaml": yaml.safe_load(APP),
    "item.yaml": yaml.safe_load(ITEM),
    "friend.yaml": yaml.safe_load(FRIEND),
    "box.yaml": yaml.safe_load(BOX),
    "mark.yaml": yaml.safe_load(MARK),
}
NEXT = ("code", "amount", "extra", "secret", "owner", "friend", "box")
"""What the step `put` sets, each from a field of its own."""


class Gated:
    """The models of the business, and a clerk of it."""

    def __init__(self, business: Any):
        self.business = business
        names = ("Item", "Friend", "Box", "Mark")
        self.Item, self.Friend, self.Box, self.Mark = (apps.get_model(business.label, name) for name in names)

    def addresses(self) -> ModuleType:
        """Return a module of addresses that serves the admin of this business."""
        site = Site(name="admin")
        site.__dict__["business"] = self.business
        register_all(self.business, CAPABILITIES, site)
        module = ModuleType("gated_addresses")
        module.urlpatterns = [path("admin/", site.urls), path("files/<path:name>", serve_file, name="file")]  # type: ignore[attr-defined]
        return module

    def begin(self) -> None:
        """Make who and what every scenario has: a clerk, somebody else, and a box."""
        people = get_user_model().objects
        self.clerk = people.create(username="clerk", is_staff=True)
        self.clerk.groups.add(Group.objects.get_or_create(name=group_name(self.business, "clerk"))[0])
        self.other = people.create(username="other", is_staff=True)
        self.box = self.Box.objects.create(name="box")

    def client(self) -> Client:
        made = Client()
        made.force_login(self.clerk)
        return made

    def url(self, model: Any, page: str, *args: Any) -> str:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)

    def make(self, **values: Any) -> Any:
        """Save an item of the clerk's, past the gate and every rule."""
        rest = {name: values.pop(name) for name in ("amount", "code") if name in values}
        made = self.Item.objects.create(
            **{"key": f"k{self.Item._base_manager.count()}", "box": self.box, "owner": self.clerk, **values}
        )
        return self.force(made, rest)

    def force(self, record: Any, values: dict[str, Any]) -> Any:
        """Write values into the table itself, with the keys that they are compared by."""
        written = values | keys_for_update(type(record), values)
        models.QuerySet(type(record)).filter(pk=record.pk).update(**written) if values else None
        record.refresh_from_db()
        return record


def _posted(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return values as a browser sends them."""
    keys = {name: value.pk if isinstance(value, models.Model) else value for name, value in values.items()}
    return {f"{prefix}{name}": "on" if value is True else str(value) for name, value in keys.items()}


def by_form(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    client, url = gated.client(), gated.url(gated.Item, "change", record.pk)
    page = client.get(url)
    client.post(url, {**form_data(page, "item_form"), **_posted(values)})


def by_quick_form(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    """Add another record with the values: the short form changes none."""
    client, url = gated.client(), gated.url(gated.Item, "add") + "?_quick=1"
    page = client.get(url)
    data = form_data(page, "item_form") if page.status_code == 200 else {}
    given = {"key": "quick", "owner": gated.clerk, "box": gated.box, **values}
    client.post(url, {**data, **_posted(given)})


def by_rows(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    client, url = gated.client(), gated.url(gated.Box, "change", record.box_id)
    data = form_data(client.get(url), "box_form")
    prefix = next(
        key.removesuffix("id") for key, one in data.items() if key.endswith("-id") and one == [str(record.pk)]
    )
    client.post(url, {**data, **_posted(values, prefix)})


def by_bulk_edit(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    for name, value in _posted(values).items():
        sent = {"action": "edit", "_selected_action": [record.pk], "crm_field": name, "crm_save": "1", name: value}
        gated.client().post(gated.url(gated.Item, "changelist"), sent)


def by_import(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    _import(gated, {"key": record.key, **values})


def by_import_of_a_new_record(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    _import(gated, {"key": "imported", "owner": gated.clerk, "box": gated.box, **values})


def _import(gated: Gated, values: dict[str, Any]) -> None:
    words = {name: getattr(value, "username", getattr(value, "name", value)) for name, value in values.items()}
    import_file(gated.business.entities["item"], "items.csv", csv_file(list(words), list(words.values())), gated.clerk)


def by_code(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(record, name, value)
    record.save_as(gated.clerk)


def by_code_of_a_new_record(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    given = {"key": "coded", "owner": gated.clerk, "box": gated.box, **values}
    gated.Item(**given).save_as(gated.clerk)


def _with_version(gated: Gated, record: Any, values: dict[str, Any]) -> Any:
    """Let the record have had the values once; return that version."""
    now = {name: getattr(record, gated.Item._meta.get_field(name).attname) for name in values}
    then = {gated.Item._meta.get_field(name).attname: getattr(value, "pk", value) for name, value in values.items()}
    version = record.history.first()
    type(version).objects.filter(pk=version.pk).update(**then)
    with change_scope(source="test") as change:
        record.save()
    assert {name: getattr(record, gated.Item._meta.get_field(name).attname) for name in values} == now
    return type(version).objects.get(pk=version.pk), change


def by_revert(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    version, _change = _with_version(gated, record, values)
    with change_scope(gated.clerk), as_viewer(gated.clerk):
        revert_record(record, version)


def by_undo(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    _version, change = _with_version(gated, record, values)
    with change_scope(gated.clerk), as_viewer(gated.clerk):
        revert_change(change.id, gated.Item)


def by_restore(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    record = gated.Item._base_manager.get(pk=record.pk)
    with change_scope(gated.clerk), as_viewer(gated.clerk):
        restore(record)


def by_step(gated: Gated, record: Any, values: dict[str, Any]) -> None:
    wanted = {name: getattr(record, name) for name in NEXT} | values
    texts = {f"next_{name}": wanted[name] or "" for name in ("code", "extra", "secret")}
    gated.force(record, {f"next_{name}": wanted[name] for name in NEXT} | texts)
    with as_viewer(gated.clerk):
        perform(record, "put", gated.clerk)


Driver = Callable[[Gated, Any, dict[str, Any]], None]
DRIVERS: dict[str, Driver] = {
    "form": by_form,
    "quick form": by_quick_form,
    "rows": by_rows,
    "bulk edit": by_bulk_edit,
    "code": by_code,
    "import": by_import,
    "revert": by_revert,
    "undo": by_undo,
    "restore": by_restore,
    "step": by_step,
}
OF_NEW: dict[str, Driver] = {"code": by_code_of_a_new_record, "import": by_import_of_a_new_record}
"""What a way in does with a record that is not there yet."""


# Ways out


@dataclass
class Added:
    """An item with a mark that goes along, both added by one change; the box as it was before."""

    item: Any
    mark: Any
    change: Any
    box_version: Any

    @classmethod
    def by(cls, gated: Gated, user: Any) -> Added:
        version = gated.box.history.first()
        with change_scope(user, source="test") as change:
            item = gated.make()
            mark = gated.Mark.objects.create(name="mark", item=item, owner=gated.clerk)
        return cls(item, mark, change.id, version)

    def is_there(self) -> bool:
        return type(self.item)._base_manager.filter(pk=self.item.pk, deleted_at=None).exists()


def delete_on_page(gated: Gated, added: Added) -> None:
    gated.client().post(gated.url(gated.Item, "delete", added.item.pk), {"post": "yes"})


def take_off_form(gated: Gated, added: Added) -> None:
    by_rows(gated, added.item, {"DELETE": True})


def delete_for_good(gated: Gated, added: Added) -> None:
    """Delete what lies in the trash for good; where it stays, take it out again, for the next try."""
    gated.Item.objects.get(pk=added.item.pk).delete()
    data = {"act": "delete", "sure": "yes", "record": [added.item.pk]}
    gated.client().post(gated.url(gated.Item, "trash"), data)
    left = gated.Item._base_manager.filter(pk=added.item.pk).first()
    if left is not None:
        restore(left)


def revert_box(gated: Gated, added: Added) -> None:
    with change_scope(gated.clerk), as_viewer(gated.clerk):
        revert_record(gated.box, added.box_version)


def undo_change(gated: Gated, added: Added) -> None:
    with change_scope(gated.clerk), as_viewer(gated.clerk):
        revert_change(added.change, gated.Item)


REMOVERS: dict[str, Callable[[Gated, Added], None]] = {
    DELETION: delete_on_page,
    ROWS_OFF: take_off_form,
    FOR_GOOD: delete_for_good,
    REVERT: revert_box,
    UNDO: undo_change,
    UNDO_OF_OWN: undo_change,
}
