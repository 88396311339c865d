"""How many examples a property sees, and which: the same in every run, unless the environment asks for others.

`PROPERTY_SEED` asks for other examples, `PROPERTY_TIMES` for so many times as many, and `PROPERTY_SHRINK=0` shows the
first example that fails as it was found.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

EXAMPLES = 11
"""After the plainest example of all and ten others, Hypothesis begins to vary what it had: a new seed shows more."""
SEED = int(os.environ.get("PROPERTY_SEED", "0"))
TIMES = int(os.environ.get("PROPERTY_TIMES", "1"))
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


def check(holds: Callable[..., None], part: int, seeds: int, **made_up: SearchStrategy) -> None:
    """Check a property on the examples of one part: those of so many seeds."""
    for number in range(seeds * TIMES):
        seed(10_000 * SEED + 100 * part + number)(SETTINGS(given(**made_up)(holds)))()
