"""Hostile requests: pages are asked with made-up parameters, and their forms are sent with what nobody types."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any

from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client

from crm.blueprint.nodes import Entity
from crm.kernel.contributions import Kind
from tests.fuzz.addresses import Address, all_addresses, choose
from tests.fuzz.hostile import KEYS, VALUES, files
from tests.support.records import business, model

MOST_SECONDS, MOST_BYTES = 1.0, 2_000_000
WEIGHTS = [6, 4, 1]
"""How often each of the people asks: an admin, somebody of a role, somebody who is not signed in."""
COMMON = [
    "q",
    "p",
    "o",
    "e",
    "all",
    "ot",
    "pop",
    "_popup",
    "_to_field",
    "_changelist_filters",
    "_quick",
    "on",
    "at",
    "format",
]
COMMON += [
    "page",
    "term",
    "app_label",
    "model_name",
    "field_name",
    "s",
    "extended",
    "next",
    "version",
    "change",
    "record",
    "sort",
]


@dataclass
class Request:
    """What is sent; `files` are names of hostile files by input, so that a request can be told and made again."""

    method: str
    url: str
    data: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    charset: str = ""
    role: str = ""

    def __str__(self) -> str:
        shown = {key: str(value)[:60] for key, value in list(self.data.items())[:12]}
        return f"{self.role} {self.method} {self.url[:200]} {shown} {self.files or ''}{self.charset}"


@dataclass
class Finding:
    """A request whose answer was an error, slow or large."""

    what: str
    request: Request
    trace: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.request}\n{self.trace}"


class _Forms(HTMLParser):
    """Collects the inputs of every form of a page that is posted: name → value, and the names of those that take files."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, Any], list[str]]] = []
        self.select, self.inside = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name") or ""
        if tag == "form":
            is_sent = (found.get("method") or "").lower() == "post" and "logout" not in (found.get("action") or "")
            self.inside = is_sent
            self.forms += [(found.get("action") or "", {}, [])] if is_sent else []
        if not self.inside or "__prefix__" in name:
            return
        _, data, uploads = self.forms[-1]
        if tag == "select" and name:
            self.select = name
            data.setdefault(name, "")
        elif tag == "option" and self.select and ("selected" in found or not data.get(self.select)):
            data[self.select] = found.get("value") or ""
        elif tag == "textarea" and name:
            data.setdefault(name, "")
        elif tag in ("input", "button") and name:
            if found.get("type") == "file":
                uploads.append(name)
            else:
                data[name] = found.get("value") or ("on" if found.get("type") == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        self.select = "" if tag == "select" else self.select
        self.inside = self.inside and tag != "form"


class Fuzzer:
    """Sends hostile requests as several people, each undone again, and collects what they bring to light."""

    def __init__(self, clients: dict[str, Client], seed: int = 7):
        self.clients, self.dice = clients, random.Random(seed)
        for client in clients.values():
            client.raise_request_exception = False
        self.addresses = [
            one for one in all_addresses() if "static" not in one.route and "password_change" not in one.route
        ]
        self.words = sorted({*_words_of_panels(), *_words_of_actions()})
        self.forms: dict[tuple[str, str], list[tuple[str, dict[str, Any], list[str]]]] = {}
        self.findings: list[Finding] = []
        self.sent = 0
        self.seen: dict[int, int] = {}

    def run(self, count: int) -> list[Finding]:
        """Send requests, each address as often as any other, and return the findings."""
        order: list[Address] = []
        while self.sent < count:
            if not order:
                order = self.addresses[:]
                self.dice.shuffle(order)
            address, role = order.pop(), self.dice.choices(list(self.clients), WEIGHTS)[0]
            is_post = self.dice.random() < 0.5
            request = self._post(address, role) if is_post else self._get(address, role)
            request.role = role
            self._send(request)
        return self.findings

    # What is sent

    def _get(self, address: Address, role: str) -> Request:
        url = choose(address, self.words, self.dice)
        known = _filters(address)
        names = known if known and self.dice.random() < 0.6 else [*COMMON, *_parameters(address)]
        data = {self.dice.choice(names): self._value(address) for _ in range(self.dice.choice([0, 1, 1, 2, 4]))}
        if self.dice.random() < 0.01:
            data = {f"unknown{number}": "1" for number in range(1_500)}
        return Request("GET", url, data, charset=self._charset())

    def _post(self, address: Address, role: str) -> Request:
        url = choose(address, self.words, self.dice, hostile=0.1)
        forms = self._forms(url, role)
        if not forms or self.dice.random() < 0.15:
            names = self.dice.sample([*COMMON, *_parameters(address)], 3)
            return Request("POST", url, {name: self._value(address) for name in names}, charset=self._charset())
        action, data, uploads = self.dice.choice(forms)
        data = dict(data)
        for name in self.dice.sample(sorted(data), min(len(data), self.dice.choice([0, 1, 1, 2, 5]))):
            if name != "csrfmiddlewaretoken":
                data[name] = self._posted(name, address)
        if "_selected_action" in data or "action" in data:
            data |= self._action(address)
        entity = _entity_of(address)
        names = [leaf.name for leaf in entity.leaves][:40] if entity else []
        chosen = {name: self.dice.choice(list(files(names))) for name in uploads if self.dice.random() < 0.9}
        target = action if action.startswith("/") else url
        return Request("POST", target, data, chosen, self._charset())

    def _posted(self, name: str, address: Address) -> Any:
        if name.endswith(("TOTAL_FORMS", "INITIAL_FORMS")):
            return self.dice.choice(["2001", "999999999999", "-1", "x", "61", "0", "9" * 400])
        return self._value(address)

    def _action(self, address: Address) -> dict[str, Any]:
        """Return a bulk action on rows, or on what is none."""
        entity = _entity_of(address)
        steps = [
            f"act_{name}" for read in (entity.read.values() if entity else ()) for name in getattr(read, "actions", ())
        ]
        names = ["edit", "edit", "delete_selected", "export", "nope", *steps]
        keys = (
            [str(key) for key in address.model._base_manager.values_list("pk", flat=True)[:3]] if address.model else []
        )
        chosen = self.dice.choice(
            [keys, keys, self.dice.sample(KEYS, 2), self.dice.sample(KEYS, 3), [str(number) for number in range(3_000)]]
        )
        fields = [leaf.name for leaf in entity.leaves] if entity else []
        field = self.dice.choice([*fields, "nope"])
        more = {"crm_field": field, "crm_save": "1", field: self._value(address)} if self.dice.random() < 0.5 else {}
        more |= self.dice.choice([{"post": "yes"}, {"workflow_go": "1", "comment": self._value(address)}, {}])
        across = self.dice.choice(["0", "1", "x"])
        return {
            "action": self.dice.choice(names),
            "_selected_action": chosen,
            "select_across": across,
            "index": "0",
            **more,
        }

    def _value(self, address: Address) -> str:
        if address.model is not None and self.dice.random() < 0.25:
            return self.dice.choice(
                [str(key) for key in address.model._base_manager.values_list("pk", flat=True)[:3]] or ["1"]
            )
        return self.dice.choice(VALUES)

    def _charset(self) -> str:
        return self.dice.choice(["utf-7", "utf-16", "utf-32", "nope"]) if self.dice.random() < 0.02 else ""

    def _forms(self, url: str, role: str) -> list[tuple[str, dict[str, Any], list[str]]]:
        """Return the forms of a page, which is asked once for each role."""
        if (url, role) not in self.forms:
            answer = self._send(Request("GET", url, role=role))
            parser = _Forms()
            if (
                answer is not None
                and answer.status_code == 200
                and "html" in answer.get("Content-Type", "")
                and not answer.streaming
            ):
                parser.feed(answer.content.decode("utf-8", "replace"))
            self.forms[url, role] = parser.forms
        return self.forms[url, role]

    # What is answered

    def _send(self, request: Request) -> Any:
        """Send a request within a transaction that is rolled back, and hold the answer against the limits."""
        answer, took, trace = self._timed(request)
        if took > MOST_SECONDS:  # What is loaded and compiled the first time does not count.
            answer, again, trace = self._timed(request)
            took = min(took, again)
        self.sent += 1
        if answer is None:
            self.findings.append(Finding("exception", request, trace))
            return None
        self.seen[answer.status_code] = self.seen.get(answer.status_code, 0) + 1
        size = 0 if answer.streaming else len(answer.content)
        if answer.status_code >= 500:
            self.findings.append(Finding(str(answer.status_code), request, trace))
        elif took > MOST_SECONDS:
            self.findings.append(Finding(f"{took:.2f} s", request))
        elif size > MOST_BYTES:
            self.findings.append(Finding(f"{size:,} bytes", request))
        return answer

    def _timed(self, request: Request) -> tuple[Any, float, str]:
        client, traces, answer = self.clients[request.role], list[str](), None
        cookies = client.cookies.output(header="")

        def note(**_: Any) -> None:
            traces.append(traceback.format_exc())

        got_request_exception.connect(note)
        start = time.process_time()
        try:
            with undone():
                answer = self._answer(client, request)
        except Exception:  # noqa: BLE001  (whatever a middleware lets through is a finding)
            traces.append(traceback.format_exc())
        finally:
            got_request_exception.disconnect(note)
            client.cookies = SimpleCookie(cookies)  # those of a session that was taken back are no use
        return answer, time.process_time() - start, "".join(traces)[-3_000:]

    def _answer(self, client: Client, request: Request) -> Any:
        headers = {}
        if request.method == "GET":
            if request.charset:
                headers = {"CONTENT_TYPE": f"text/html; charset={request.charset}"}
            return client.get(request.url, request.data, **headers)
        entity = _entity_of(Address(request.url.strip("/"), None), request.url)
        known = files([leaf.name for leaf in entity.leaves][:40] if entity else [])
        uploads = {name: SimpleUploadedFile(word, known[word]) for name, word in request.files.items()}
        if request.charset:
            boundary = f"multipart/form-data; boundary=BoUnDaRyStRiNg; charset={request.charset}"
            return client.post(request.url, {**request.data, **uploads}, headers={"content-type": boundary})
        return client.post(request.url, {**request.data, **uploads})


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is written within."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _entity_of(address: Address, url: str = "") -> Entity | None:
    parts = (url or f"/{address.route}").strip("/").split("/")
    if len(parts) < 3 or parts[1] != business().label:
        return None
    return next((one for one in business().entities.values() if one.class_name.lower() == parts[2]), None)


def _parameters(address: Address) -> list[str]:
    """Return the parameters of an entity's list, and the names of its inputs."""
    entity = _entity_of(address)
    if entity is None:
        return []
    names = [leaf.name for leaf in entity.leaves]
    return [f"{name}{suffix}" for name in names for suffix in ("", "_min", "_max", "_after", "_before", "__gt", "__in")]


def _filters(address: Address) -> list[str]:
    """Return the parameters that a list takes."""
    entity = _entity_of(address)
    if entity is None or not address.route.endswith((f"/{entity.class_name.lower()}/", "export/", "as-of/")):
        return []
    panels = admin.site._registry[model(entity.name)].list_filter
    return ["q", "o", "p", "all", *(name for panel in panels for name in panel.expected_parameters())]


def _words_of_panels() -> Iterator[str]:
    for entity in business().entities.values():
        yield from admin.site._registry[model(entity.name)].contributions.by_kind(Kind.PANEL)


def _words_of_actions() -> Iterator[str]:
    for entity in business().entities.values():
        for read in entity.read.values():
            yield from getattr(read, "actions", {})
