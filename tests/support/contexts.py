"""What `response.context` holds in tests: the context of each template that a view renders, without those of includes.

Django's test client copies the context for every template that is included, of which a form of this admin has
thousands: a third of the time that such a page takes in a test.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from django.test import client
from django.test.utils import ContextList


def keep_contexts_of_whole_templates() -> None:
    """Let the test client of this process keep the contexts of whole templates only."""
    client.store_rendered_templates = _store


def _store(store: dict[str, Any], signal: Any, sender: Any, template: Any, context: Any, **_: Any) -> None:
    store.setdefault("templates", []).append(template)
    if context.template is template:  # That of an include is the template around it.
        store.setdefault("context", ContextList()).append(copy(context))
