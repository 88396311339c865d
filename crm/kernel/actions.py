"""Named actions: what a capability does for others that must not import it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crm.kernel.contributions import ConflictError

_actions: dict[str, tuple[str, Callable[..., Any]]] = {}


def register(name: str, action: Callable[..., Any], origin: str) -> None:
    """Make an action known. Raises ConflictError where another origin has the name."""
    first = _actions.get(name)
    if first and first[0] != origin:
        raise ConflictError(f"two actions are called {name!r}: of {first[0]} and of {origin}")
    _actions[name] = (origin, action)


def run(name: str, **parameters: Any) -> Any:
    """Run an action. Raises LookupError where no capability has it."""
    if name not in _actions:
        raise LookupError(f"no capability has the action {name!r}; known: {', '.join(sorted(_actions)) or 'none'}")
    return _actions[name][1](**parameters)
