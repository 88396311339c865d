"""Why a plan cannot be made, or cannot be carried out."""

from __future__ import annotations


class NotApplied(Exception):
    """Nothing was changed; the message says why."""


class NotFinished(Exception):
    """The database serves the new definitions, but a task of their release failed; the message says which."""
