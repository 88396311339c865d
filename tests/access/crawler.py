"""A crawler that looks at every page that someone may open, and at what happens when addresses are made up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localdate

from crm.blueprint.nodes import Entity, Field
from crm.records.access import can_view_field
from tests.support.examples import TIMES
from tests.support.pages import address
from tests.support.people import client_of
from tests.support.records import business, model

LEAVE = re.compile(r"/logout/|/jsi18n/|/static/|password_change|/delete/|/discard|/revert/")
PREFIX = "Canary"
"""What every secret text begins with: the crawler looks for it, so that finding alone tells nothing."""
VERBS = ("view", "change")


def body_of(answer: Any) -> str:
    """Return what an answer says: its text, and that of the parts of a workbook."""
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if data[:2] == b"PK":
        archive = ZipFile(BytesIO(data))
        data = b"\n".join(archive.read(name) for name in archive.namelist())
    return unescape(data.decode("utf-8", "replace"))


def links_of(body: str) -> Iterator[str]:
    """Yield the pages that a page leads to; what may stand behind a question mark, `made_up` says."""
    for found in re.findall(r"""(?:href|src|data-url|data-panel)=["']([^"'#?]+)""", body):
        if found.startswith(("/admin/", "/media/", "/files/")) and not LEAVE.search(found):
            yield unescape(found)


def kinds(leaves: Iterable[Field], user: Any) -> list[Field]:
    """Return one leaf of each type that a user may see, change, or neither; every night, all of them."""
    if TIMES > 1:
        return list(leaves)
    return list({(leaf.type, *(can_view_field(user, leaf, verb) for verb in VERBS)): leaf for leaf in leaves}.values())


def made_up(entity: Entity, hidden: list[Any], user: Any) -> Iterator[str]:
    """Yield addresses that no page links to, but that someone curious would try.

    A list that holds no record tells none, however it is sorted and filtered: it is visited as it is.
    """
    url, name = address(entity.name), entity.name
    records = list(model(name)._base_manager.all())
    leaves = entity.leaves if records else []
    panels = ["timeline", *dict.fromkeys(link.entity.name for link in entity.pointing_here())]
    yield f"{url}?q={PREFIX}"
    yield f"{url}?all="
    today = f"as-of/?on={localdate().isoformat()}"
    yield from (f"{url}{today}", f"{url}{today}&q={PREFIX}")
    yield from (f"{url}{today}&{leaf.name}={PREFIX}" for leaf in kinds(leaves, user))
    columns = len(admin.site.get_model_admin(model(name)).list_display)
    yield from (f"{url}?o={number}" for number in range(1, columns + 1) if records)
    for leaf in kinds(leaves, user):
        for lookup in ("", "__startswith"):
            yield f"{url}?{leaf.name}{lookup}={PREFIX}"
            if leaf.target is not None:
                yield f"{url}?{leaf.name}__{leaf.target.leaves[0].name}{lookup}={PREFIX}"
    for leaf in entity.leaves:
        if leaf.type.reference(leaf) is not None:
            for record in hidden if leaf.target is None else (one for one in hidden if one.definition is leaf.target):
                yield f"{address(name, 'add')}?{leaf.name}={record.pk}"
            for term in ("", PREFIX):
                query = f"app_label={business().label}&model_name={model(name)._meta.model_name}&field_name={leaf.name}"
                yield f"{reverse('admin:autocomplete')}?{query}&term={term}"
    for format in ("csv", "xlsx", "json"):
        yield f"{url}export/?format={format}"
        yield f"{url}export/?format={format}&q={PREFIX}"
    for record in records:
        here = address(name, "change", record.pk)
        yield from (here, here.replace("/change/", "/history/"), here.replace("/change/", "/delete/"))
        yield here.replace("change/", today)
        yield from (here.replace("/change/", f"/panel/{panel}/") for panel in panels)
        for leaf in entity.leaves:
            value = getattr(record, leaf.name, None) if leaf.type.input in ("file", "image") else None
            if value:
                yield value.url


def posts(client: Client, entity: Entity, hidden: list[Any], user: Any) -> Iterator[tuple[str, str]]:
    """Yield what is answered to things sent: imports, bulk changes, forms that are followed live."""
    url = address(entity.name)
    keys = [str(record.pk) for record in model(entity.name)._base_manager.all()]
    given = [leaf for leaf in entity.leaves if leaf.stored and not getattr(leaf.options, "required", True)]
    for name in ["created", *(leaf.name for leaf in given)]:
        file = SimpleUploadedFile("x.csv", "\n".join([f"id,{name}", *(f"{key}," for key in keys)]).encode())
        yield f"{url}import/ {name}", body_of(client.post(f"{url}import/", {"file": file}, follow=True))
    for action in ("edit", "delete_selected", "export_selected", "export"):
        data = {"action": action, "_selected_action": keys}
        yield f"{url} {action}", body_of(client.post(url, data))
        yield f"{url} {action} all", body_of(client.post(url, {**data, "select_across": "1"}))
    for leaf in kinds(entity.leaves, user) if keys else []:
        data = {"action": "edit", "_selected_action": keys, "crm_field": leaf.name}
        yield f"{url} edit {leaf.name}", body_of(client.post(url, data))
    for key in keys:
        yield f"{url}{key}/live/", body_of(client.post(f"{url}{key}/live/", {}))
        yield f"{url}{key}/change/ posted", body_of(client.post(f"{url}{key}/change/", {}))
    links = {leaf.name: one.pk for leaf in entity.leaves if leaf.target for one in hidden}
    yield f"{url}add/ posted", body_of(client.post(f"{url}add/", links))


def crawl(user: Any, hidden: list[Any], entities: Sequence[str] = (), most: int = 3000) -> dict[str, str]:
    """Visit everything as a user, or only so many addresses and what is sent to some entities: address → text."""
    client = client_of(user)
    waiting, seen = [reverse("admin:index")], dict[str, str]()
    chosen = [entity for entity in business().entities.values() if not entities or entity.name in entities]
    for entity in chosen:
        waiting += made_up(entity, hidden, user)
    while waiting and len(seen) < most:
        url = waiting.pop(0)
        if url in seen:
            continue
        answer = client.get(url)
        assert answer.status_code < 500, url
        seen[url] = body_of(answer)
        if answer.status_code == 200 and "html" in answer.get("Content-Type", ""):
            waiting += [link for link in links_of(seen[url]) if link not in seen]
    for entity in chosen:
        for url, text in posts(client, entity, hidden, user):
            seen[url] = text
    return seen
