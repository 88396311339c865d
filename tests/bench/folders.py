"""The folders of definitions that are measured: the travel agency's without what the baseline lacks, and large ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ENTITIES = ("customer", "trip", "booking", "invoice", "invoice_line", "task")
APP_KEYS = ("name", "currency", "time_zone", "region", "languages", "color", "roles")
ENTITY_KEYS = ("label", "plural", "icon", "title", "fields", "unique", "list", "form", "history", "transfer")


def write_travel(source: Path, place: Path) -> Path:
    """Write the six entities that the baseline has too, from the shipped definitions; return the folder."""
    folder = place / source.name
    folder.mkdir(parents=True)
    app = _read(source / "app.yaml")
    menu = {heading: [name for name in names if name in ENTITIES] for heading, names in app["menu"].items()}
    _write(folder / "app.yaml", {**_only(app, APP_KEYS), "menu": {key: names for key, names in menu.items() if names}})
    for name in ENTITIES:
        _write(folder / f"{name}.yaml", _entity(_read(source / f"{name}.yaml")))
    return folder


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _only(data: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key in keys}


def _entity(data: dict[str, Any]) -> dict[str, Any]:
    """Return an entity without the fields that lead to others than the six or are computed, and what names these."""
    gone = {name for name, options in data["fields"].items() if _target(options) not in (None, *ENTITIES)}
    gone |= {name for name, options in data["fields"].items() if isinstance(options, dict) and "compute" in options}
    found = _only(data, ENTITY_KEYS)
    found["fields"] = {name: options for name, options in data["fields"].items() if name not in gone}
    if "list" in found:
        found["list"] = {key: _kept(value, gone) for key, value in data["list"].items()}
    if "tabs" in found.get("form", {}):
        found["form"] = {**data["form"], "tabs": dict(_tabs(data["form"]["tabs"], gone))}
    return found


def _target(options: Any) -> str | None:
    return (options.get("to") or options.get("of")) if isinstance(options, dict) else None


def _tabs(tabs: dict[str, Any], gone: set[str]) -> Iterator[tuple[str, Any]]:
    for name, tab in tabs.items():
        if isinstance(tab, dict) and "related" in tab:
            if tab["related"] in ENTITIES:
                yield name, tab
        elif isinstance(tab, dict):
            yield name, {heading: _kept(rows, gone) for heading, rows in tab.items()}
        elif _kept(tab, gone):
            yield name, _kept(tab, gone)


def _kept(value: Any, gone: set[str]) -> Any:
    """Return a list, however nested, without the paths that start with a field that is gone."""
    if not isinstance(value, list):
        return value
    left = [_kept(one, gone) for one in value if not (isinstance(one, str) and one.lstrip("-").split(".")[0] in gone)]
    return [one for one in left if one != []]


PLAIN = ("unit_price", "customer.payment_terms", "customer.newsletter")
"""Columns that need no computing, of the same kinds as the computed ones."""


def write_computed(folder: Path, *, shown: bool) -> None:
    """Give the bookings of a folder computed fields of each kind, and their list three columns: these, or plain ones."""
    customer, booking = _read(folder / "customer.yaml"), _read(folder / "booking.yaml")
    customer["fields"]["seats"] = {"type": "integer", "compute": "sum(bookings.seats)"}
    booking["fields"]["total"] = {"type": "money", "compute": "seats * unit_price - discount"}
    booking["fields"]["late"] = {"type": "boolean", "compute": "booked_on < today() and status == 'held'"}
    booking["list"]["columns"] += ["total", "customer.seats", "late"] if shown else list(PLAIN)
    _write(folder / "customer.yaml", customer)
    _write(folder / "booking.yaml", booking)


def write_generated(place: Path, count: int) -> Path:
    """Write a folder of `count` entities with eight fields each, every one linked to two before it."""
    folder = place / "large"
    folder.mkdir(parents=True)
    _write(folder / "app.yaml", {"name": "Large", "currency": "EUR"})
    for index in range(count):
        _write(folder / f"thing_{index}.yaml", {"fields": _fields(index)})
    return folder


def _fields(index: int) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": {"type": "text", "required": True, "max_length": 120},
        "status": {"type": "choice", "choices": ["open", "waiting", "done"], "default": "open"},
        "amount": {"type": "money", "default": 0},
        "quantity": {"type": "integer", "min": 0, "default": 1},
        "starts_on": "date",
        "notes": "long_text",
    }
    for name, target in links_of(index):
        fields[name] = {"type": "link", "to": f"thing_{target}"}
    return fields


def links_of(index: int) -> list[tuple[str, int]]:
    """Return the links of a generated entity: to the one before it, and to the one at half its number."""
    return [("before", index - 1), ("half", index // 2)] if index else []


def add_field(folder: Path) -> None:
    """Add one field to the last entity of a generated folder."""
    path = max(folder.glob("thing_*.yaml"), key=lambda one: int(one.stem.split("_")[1]))
    data = _read(path)
    data["fields"]["remark"] = {"type": "text", "max_length": 100}
    _write(path, data)


MODEL = """
class Thing{index}(models.Model):
    created = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    updated = models.DateTimeField(auto_now=True, editable=False)
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=60, choices=STATUS, default="open", blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True, default=0)
    quantity = models.BigIntegerField(null=True, blank=True, default=1)
    starts_on = models.DateField(null=True, blank=True)
    notes = models.TextField(blank=True, default="")
{links}    history = HistoricalRecords()
"""
LINK = """    {name} = models.ForeignKey(
        "Thing{target}", models.SET_NULL, null=True, blank=True, related_name="{name}_of_{index}"
    )
"""
HEAD = '''"""The generated entities as ordinary models."""

from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

STATUS = [("open", "Open"), ("waiting", "Waiting"), ("done", "Done")]

'''


def write_models(place: Path, count: int, *, more: bool = False) -> None:
    """Write the app `generated` with the models of `count` entities; with `more`, one field is added to the last."""
    package = place / "generated"
    (package / "migrations").mkdir(parents=True, exist_ok=True)
    for module in (package, package / "migrations"):
        (module / "__init__.py").touch()
    text = HEAD
    for index in range(count):
        links = "".join(LINK.format(name=name, target=target, index=index) for name, target in links_of(index))
        text += "\n" + MODEL.format(index=index, links=links)
    if more:
        text += '    remark = models.CharField(max_length=100, blank=True, default="")\n'
    (package / "models.py").write_text(text, encoding="utf-8")
