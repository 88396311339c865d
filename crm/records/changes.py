"""The change scope: who changes records, why, and which writes belong together."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse

from crm.fields.actor import ACTOR
from crm.records.access import as_viewer

REASON = "change_reason"
"""The name of the input that asks for the reason, in every form."""
MAX_REASON = 500


@dataclass
class Change:
    """One act of one person: everything that is written within has the same `id`."""

    user: Any = None
    reason: str = ""
    source: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)


_current: ContextVar[Change | None] = ContextVar("change", default=None)


def current_change() -> Change:
    """Return the change scope in force; outside of any, a new one that belongs to the system."""
    return _current.get() or Change(source="system")


@contextmanager
def change_scope(user: Any = None, reason: str = "", source: str = "") -> Iterator[Change]:
    """Open a change scope: history and `default: me` take the user, the reason and the id from it."""
    change = Change(user, reason[:MAX_REASON], source)
    token, actor = _current.set(change), ACTOR.set(getattr(user, "pk", None))
    try:
        yield change
    finally:
        _current.reset(token)
        ACTOR.reset(actor)


@contextmanager
def ensure_change_scope() -> Iterator[Change]:
    """Stay in the change scope in force; outside of any, open one, so that all writes of an act belong together."""
    current = _current.get()
    if current is not None:
        yield current
        return
    with change_scope(source="system") as change:
        yield change


class ChangeMiddleware:
    """Opens a change scope for each request, which is answered for the eyes of whoever asks.

    Stands behind the authentication.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        reason = request.POST.get(REASON, "").strip() if request.method == "POST" and user and user.is_staff else ""
        known = user if user and user.is_authenticated else None
        with change_scope(known, reason, "admin"), as_viewer(known):
            return self.get_response(request)
