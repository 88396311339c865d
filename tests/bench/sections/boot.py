"""Boot: how long a process takes until it could answer its first request."""

from __future__ import annotations

from contenders import ready
from options import Options
from report import ratio, show, spread

RUNS = 15
CODE = (
    "import django; django.setup()\n"
    "from django.conf import settings; import importlib; importlib.import_module(settings.ROOT_URLCONF)"
)


def run(kind: str, options: Options) -> None:
    """Start each contender in turn, over and over."""
    runs = 5 if options.quick else RUNS
    with ready(kind) as found:
        contenders = (found.ours, found.baseline, found.plain)
        taken: dict[str, list[float]] = {one.name: [] for one in contenders}
        for turn in range(runs + 1):
            for one in contenders:
                seconds = one.run("-c", CODE)
                if turn:
                    taken[one.name].append(seconds * 1000)
    rows = [[name, spread(values, "ms"), ratio(values, taken[found.baseline.name])] for name, values in taken.items()]
    show(f"boot · {runs} runs each, in turn", ["process", "start to urlconf", "ratio to baseline"], rows)
