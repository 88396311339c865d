"""Measures Formwright beside a Django project that was written by hand; see README.md.

run.py                          everything
run.py boot list                some sections
run.py import --sizes 10000     other sizes
run.py --quick --db sqlite      small, to see that it works
"""

from __future__ import annotations

import argparse
import signal
import sys

from contenders import Failed
from databases import name_of, postgresql_version
from options import Options
from report import versions
from sections import boot, computed, home, lists, plans, transfers

SECTIONS = {
    "boot": boot.run,
    "list": lists.run,
    "home": home.run,
    "computed": computed.run,
    "import": transfers.run_import,
    "export": transfers.run_export,
    "plan": plans.run,
}
ONCE = {"boot"}
"""Sections that no database takes part in."""


def main() -> None:
    """Run the chosen sections on the chosen databases."""
    asked = _arguments()
    kinds = _kinds(asked.db)
    options = Options((1_000,) if asked.quick else tuple(asked.sizes), asked.quick)
    print(f"Formwright beside the baseline · {versions()}, {', '.join(name_of(kind) for kind in kinds)}")
    print("Medians, with the middle half in brackets; a ratio of times below 1 is faster than the baseline.")
    for name in asked.sections or SECTIONS:
        for kind in kinds[:1] if name in ONCE else kinds:
            SECTIONS[name](kind, options)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure Formwright beside a Django project written by hand.")
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[1_000, 10_000, 100_000], help="numbers of rows")
    parser.add_argument("--quick", action="store_true", help="1,000 rows and few runs")
    parser.add_argument("--db", choices=["sqlite", "postgresql", "both"], default="both")
    return parser.parse_args()


def _kinds(asked: str) -> list[str]:
    if asked == "both":
        return ["sqlite", "postgresql"] if postgresql_version() else ["sqlite"]
    if asked == "postgresql" and not postgresql_version():
        sys.exit("No PostgreSQL server answers; BENCH_POSTGRESQL names another.")
    return [asked]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended before its time."))  # so that everything is cleaned up
    try:
        main()
    except Failed as error:
        sys.exit(f"Could not be measured: {error}")
