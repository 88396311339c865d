"""A business whose every text that people are shown holds markup; as a script, it looks for it on all pages."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
MARK = "<xss-mark>"
EVIL = f"\"'>{MARK}"
TEXTS = {"name", "label", "plural", "help", "message", "confirm", "else"}
"""The keys whose values people read."""
FEW = ("booking", "hotel", "thing")
"""The entities whose pages every run visits: they have all capabilities, and fields of all types; the night has all."""
HEADED = {"menu", "tabs"}
"""The keys whose maps, and those within, have headings for keys."""


def marked(data: Any, key: str = "", is_headed: bool = False) -> Any:
    """Return definitions whose texts hold markup."""
    if isinstance(data, dict):
        headed = is_headed or key in HEADED
        return {f"{one} {EVIL}" if _is_heading(one, headed) else one: _value(one, value, headed, key)
                for one, value in data.items()}  # fmt: skip
    return [marked(one, "", is_headed) for one in data] if isinstance(data, list) else data


def _is_heading(key: str, is_headed: bool) -> bool:
    return is_headed and key != "related"


def _value(key: str, value: Any, is_headed: bool, above: str) -> Any:
    if isinstance(value, str) and (above == "choices" or (key in TEXTS and above not in {"fields", "list"})):
        return f"{value} {EVIL}"
    return marked(value, key, is_headed)


def with_help(entity: dict[str, Any]) -> dict[str, Any]:
    """Give every field a label and a help of its own, every choice a label, and a short form of the first fields."""
    fields = {}
    for name, field in entity.get("fields", {}).items():
        options = {"type": field} if isinstance(field, str) else dict(field)
        if options["type"] == "choice" and isinstance(options["choices"], list):
            options["choices"] = {one: one.capitalize() for one in options["choices"]}
        fields[name] = {"label": name.capitalize(), "help": f"The {name}.", **options}
    return {"label": "Record", "plural": "Records", **entity, "fields": fields}


def write(folder: Path, sources: list[Path]) -> None:
    """Write the marked definitions of some businesses into a folder; those of the first are in the app's menu."""
    from properties.strategies import dump

    from crm.blueprint.reader import read_file

    folder.mkdir()
    for source in reversed(sources):
        for path in source.glob("*.yaml"):
            data = read_file(path, path.name).data
            made = data if path.name == "app.yaml" else with_help(data)
            if path.name == "app.yaml" and "menu" in data:
                made = {**data, "menu": {**data["menu"], "More": [one.stem for other in sources[1:]
                        for one in other.glob("*.yaml") if one.stem != "app"]}}  # fmt: skip
            (folder / path.name).write_text(dump(marked(made)), encoding="utf-8")


class Raw(HTMLParser):
    """Finds the marker as an element, or in an attribute that a script reads as a program."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == MARK.strip("<>"):
            self.found.append(f"raw after {self.text!r}")
        for name, value in attrs:
            if "xss-mark" in name or (re.match(r"(x-|@|:|on)", name) and MARK in (value or "")):
                self.found.append(f"in the attribute {name} of {tag}")

    def handle_data(self, data: str) -> None:
        self.text = data.strip()[-80:] or self.text


def raw_markers(html: str) -> list[str]:
    """Return where the marker stands in a page as markup."""
    parser = Raw()
    parser.feed(html)
    return parser.found


class Visitor:
    """Looks at pages, and follows their links: at one page of each kind, whichever record it shows."""

    def __init__(self, client: Any, label: str, entities: set[str]) -> None:
        self.client, self.label, self.entities = client, label, entities
        self.seen: set[str] = set()
        self.findings: dict[str, str] = {}
        self.marked_pages = 0

    def look(self, address: str, answer: Any) -> Iterator[str]:
        """Note what a page holds, and yield where it leads."""
        if answer.status_code >= 500:
            self.findings[f"{address} answers {answer.status_code}"] = address
        if answer.streaming or "html" not in answer.get("Content-Type", ""):
            return
        html = answer.content.decode()
        self.marked_pages += "xss-mark" in html
        for finding in raw_markers(html):
            self.findings.setdefault(finding, address)
        for link in re.findall(r"""(?:href|src|data-url|data-panel)=["'](/admin/[^"'#?]*)""", html):
            if not re.search("/logout/|/jsi18n/|password_change", link):
                yield link

    def is_asked(self, address: str) -> bool:
        """Return whether an address is to be visited: it belongs to no entity, or to one of this run's."""
        names = address.split("/")
        return names[2] != self.label or len(names) < 5 or names[3] in self.entities

    def visit(self, addresses: list[str]) -> None:
        """Look at some pages, and at all that they lead to."""
        waiting = list(addresses)
        while waiting:
            address = waiting.pop(0)
            kind = re.sub(r"\d+", "0", address)
            if kind not in self.seen:
                self.seen.add(kind)
                waiting += filter(self.is_asked, self.look(address, self.client.get(address)))

    def send(self, address: str, **data: Any) -> None:
        """Look at what is answered to something sent."""
        list(self.look(f"{address} {data}"[:200], self.client.post(address, data, follow=True)))


def visit_everything(client: Any) -> Visitor:
    """Look at the pages of every entity of this process's business, and at what they say of wrong values."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from tests.support.examples import TIMES
    from tests.support.pages import address
    from tests.support.records import business, make

    entities = business().entities if TIMES > 1 else FEW
    visitor = Visitor(client, business().label, {name.replace("_", "") for name in entities})
    records = {name: [make(name, full=True), make(name)] for name in entities}
    visitor.visit(["/admin/", "/admin/search/?s=a", "/admin/?q=a", "/admin/crm/", "/admin/nothing/"])
    types: set[Any] = set()
    for name, (record, _) in records.items():
        url, names = address(name), [leaf.name for leaf in record.definition.leaves]
        wrong = dict.fromkeys(names, "\x01x")
        visitor.visit([f"{url}add/?_quick=1", f"{url}{record.pk}/as-of/?on=2020-01-01", f"{url}999999/change/"])
        chosen = {"_selected_action": [record.pk]}
        for action in ("edit", "delete_selected", "export", "act"):
            visitor.send(url, action=action, **chosen)
        for leaf in record.definition.leaves:
            if leaf.type not in types:
                types.add(leaf.type)
                visitor.send(url, action="edit", crm_field=leaf.name, **chosen)
                visitor.visit([f"{url}?{leaf.name}{end}=zzz" for end in ("", "_min", "_after")])
        visitor.send(f"{url}add/", **wrong)
        visitor.send(f"{url}{record.pk}/change/", **wrong)
        visitor.send(f"{url}import/", file=SimpleUploadedFile("x.csv", f"{','.join(names)}\nx".encode()))
    return visitor


def main() -> None:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    settings.ALLOWED_HOSTS, settings.AXES_ENABLED = ["*"], False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    stranger, client = Client(), Client(raise_request_exception=False)
    client.force_login(get_user_model()._default_manager.create_superuser("root", "root@example.org", "root"))
    visitor = visit_everything(client)
    list(visitor.look("/admin/login/", stranger.get("/admin/login/")))
    for finding, address in visitor.findings.items():
        print(f"{address}: {finding}")
    print(f"{visitor.marked_pages} pages of {len(visitor.seen)} addresses")


if __name__ == "__main__":
    main()
