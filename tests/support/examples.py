"""How many examples properties see, and which: the same in every run, unless the environment asks for others.

`PROPERTY_SEED` asks for other examples, and `PROPERTY_TIMES` for so many times as many; the nightly run asks for both.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings

SEED = int(os.environ.get("PROPERTY_SEED", "0"))
TIMES = int(os.environ.get("PROPERTY_TIMES", "1"))
MANY = 100
"""The examples of a property that does not say how many, as Hypothesis has it."""


def register_profile() -> None:
    """Let properties that say nothing themselves see the same examples in every run, however busy the machine is."""
    settings.register_profile(
        "same", deadline=None, database=None, print_blob=True, derandomize=not SEED, max_examples=MANY * TIMES
    )
    settings.load_profile("same")


def examples(count: int, part: int = 0) -> Callable[[Any], Any]:
    """Return a decorator that shows a property so many examples; another `part` sees others."""

    def decorate(test: Any) -> Any:
        slow = settings(max_examples=count * TIMES, suppress_health_check=list(HealthCheck))
        return seed(10_000 * SEED + part)(slow(test))

    return decorate
