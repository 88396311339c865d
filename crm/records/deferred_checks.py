"""Checks of what was written: asked at once, or at the end of an act whose writes belong together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

Check = Callable[[type[models.Model], Any, Collection[Any]], None]
"""Called with the model, the subject (a rule, a table of rows) and the primary keys; raises RuleBroken."""

_waiting: ContextVar[dict[tuple[Check, type[models.Model], Any], set[Any]] | None] = ContextVar("checks", default=None)


@contextmanager
def defer_checks() -> Iterator[None]:
    """Put off the checks to the end of an act, when everything that belongs together is written."""
    if _waiting.get() is not None:
        yield
        return
    token = _waiting.set({})
    try:
        yield
        waiting = _waiting.get() or {}
    finally:
        _waiting.reset(token)
    for (check, model, subject), keys in waiting.items():
        check(model, subject, keys)


@contextmanager
def skip_checks() -> Iterator[None]:
    """Leave the checks out: values are recomputed for records that were there before a rule as well."""
    token = _waiting.set({})
    try:
        yield
    finally:
        _waiting.reset(token)


def check_or_defer(check: Check, model: type[models.Model], subject: Any, keys: Collection[Any]) -> None:
    """Check written records: now, or at the end of `defer_checks()`, once for all keys of the same subject."""
    waiting = _waiting.get()
    if waiting is None:
        check(model, subject, keys)
    else:
        waiting.setdefault((check, model, subject), set()).update(keys)
