"""Who is acting: the user that `default: me` means. The kernel's change scope sets it."""

from __future__ import annotations

from contextvars import ContextVar

ACTOR: ContextVar[int | None] = ContextVar("actor", default=None)


def current_actor() -> int | None:
    """Return the primary key of the acting user, or None for the system itself."""
    return ACTOR.get()
