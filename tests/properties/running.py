"""How many businesses a property sees, and which: those of several seeds (tests/support/examples.py).

`PROPERTY_SHRINK=0` shows the first example that fails as it was found.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.support.examples import SEED, TIMES
from tests.support.passes import is_postgresql

EXAMPLES = 11
"""After the plainest example of all and ten others, Hypothesis begins to vary what it had: a new seed shows more."""
SHRINK = os.environ.get("PROPERTY_SHRINK", "1") != "0"
SETTINGS = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    print_blob=True,
    report_multiple_bugs=False,
    phases=[Phase.generate, Phase.shrink] if SHRINK else [Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def parts(count: int) -> list[int]:
    """Return the parts that this run checks: by day, one database sees the even ones and the other the odd ones."""
    every = range(count)
    return list(every) if TIMES > 1 else list(every[is_postgresql() :: 2])


def check(holds: Callable[..., None], part: int, seeds: int, **made_up: SearchStrategy) -> None:
    """Check a property on the examples of one part: those of so many seeds."""
    for number in range(seeds * TIMES):
        seed(10_000 * SEED + 100 * part + number)(SETTINGS(given(**made_up)(holds)))()
