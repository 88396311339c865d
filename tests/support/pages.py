"""Pages read and filled in as a browser does: what a form would send is read from its HTML."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.support.records import model


def address(name: str, page: str = "changelist", *args: Any) -> str:
    """Return the address of an entity's page in the admin: its list, `add`, `change`, or a capability's."""
    meta = model(name)._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def bring_back(client: Client, record: Any, version: int, **data: str) -> HttpResponse:
    """Bring a version of a record back as a person does: open the page, and press its button."""
    url = address(record.definition.name, "revert", record.pk, version)
    seen = re.search(r'name="seen" value="([^"]*)"', client.get(url).content.decode())
    assert seen, f"{url} does not ask"
    return client.post(url, {"seen": seen[1], **data}, follow=True)


class _Form(HTMLParser):
    """Collects what the form with an id would send."""

    def __init__(self, form_id: str):
        super().__init__()
        self.form_id, self.inside = form_id, False
        self.data: dict[str, list[str]] = {}
        self.select: tuple[str, bool] | None = None
        self.first_option: str | None = None
        self.textarea, self.text = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name") or ""
        if tag == "form":
            self.inside = found.get("id") == self.form_id
        if not self.inside or "disabled" in found:
            return
        if tag == "input" and name and found.get("type") not in {"submit", "button", "file", "checkbox", "radio"}:
            self._add(name, found.get("value") or "")
        elif tag == "input" and found.get("type") in {"checkbox", "radio"} and "checked" in found:
            self._add(name, found.get("value") or "on")
        elif tag == "textarea":
            self.textarea, self.text = name, ""
        elif tag == "select":
            self.select, self.first_option = (name, "multiple" in found), None
        elif tag == "option" and self.select:
            self.first_option = (found.get("value") or "") if self.first_option is None else self.first_option
            if "selected" in found:
                self._add(self.select[0], found.get("value") or "")

    def handle_data(self, data: str) -> None:
        self.text += data if self.textarea else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.textarea:
            self._add(self.textarea, self.text.removeprefix("\n"))
            self.textarea = ""
        elif tag == "select" and self.select:
            name, multiple = self.select
            if not multiple and name not in self.data and self.first_option is not None:
                self._add(name, self.first_option)
            self.select = None
        elif tag == "form":
            self.inside = False

    def _add(self, name: str, value: str) -> None:
        if "__prefix__" not in name:
            self.data.setdefault(name, []).append(value)


def form_data(page: HttpResponse, form_id: str) -> dict[str, list[str]]:
    """Return what a browser would send for the form with this id."""
    parser = _Form(form_id)
    parser.feed(page.content.decode())
    assert parser.data, f"there is no form {form_id!r} on the page"
    return parser.data


def fill_in(client: Client, url: str, form_id: str, **changes: Any) -> HttpResponse:
    """Open a form, change some of its inputs, and send it; a list sends several values, None leaves the input out."""
    page = client.get(url)
    assert page.status_code == 200, page.status_code
    data: dict[str, Any] = {**form_data(page, form_id), **changes}
    return client.post(url, {key: value for key, value in data.items() if value is not None})


def save(client: Client, name: str, record: Any = None, /, query: str = "", **changes: Any) -> HttpResponse:
    """Add a record through its form, or change one."""
    url = address(name, "change", record.pk) if record else address(name, "add")
    return fill_in(client, url + query, f"{model(name)._meta.model_name}_form", **changes)


def text_of(page: HttpResponse) -> str:
    """Return a page's text as people read it, without the marks."""
    html = re.sub(r"(?s)<(script|style|template)\b.*?</\1>", " ", page.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def rows_of(page: HttpResponse) -> list[Any]:
    """Return the records that a list shows."""
    return list(page.context["cl"].result_list)


def said(page: HttpResponse) -> list[str]:
    """Return the messages that a page shows."""
    return [str(one) for one in page.context["messages"]]
