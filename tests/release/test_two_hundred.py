"""Two hundred linked entities are planned and applied like two."""

from __future__ import annotations

import time
from pathlib import Path

from tests.release.shop import new_shop

COUNT = 200


def definition(number: int) -> str:
    """Each entity links to the one before, to one far away, and to several; every tenth has rows."""
    rows = f"  parts: {{type: table, of: e{number + 1:03}}}\n" if number % 10 == 0 else ""
    return (
        f"fields:\n  name: {{type: text, required: true}}\n  amount: money\n"
        f"  before: {{type: link, to: e{(number - 1) % COUNT:03}}}\n"
        f"  far: {{type: link, to: e{number * 7 % COUNT:03}}}\n"
        f"  others: {{type: links, to: e{(number + 5) % COUNT:03}}}\n{rows}"
    )


def test_two_hundred_entities_apply_and_leave_nothing_to_do(tmp_path: Path):
    definitions = {"app": "name: Large", **{f"e{number:03}": definition(number) for number in range(COUNT)}}
    with new_shop(tmp_path, definitions) as shop:
        began = time.monotonic()
        plan = shop.plan()
        planned = time.monotonic()
        shop.run("apply", "--yes")
        applied = time.monotonic()
        shop.plan(expect=0)
        print(f"plan {planned - began:.1f} s, apply {applied - planned:.1f} s, plan {time.monotonic() - applied:.1f} s")
        assert plan.count("add the entity ") == COUNT
        assert len(shop.columns()) == 4 * COUNT
