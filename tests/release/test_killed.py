"""Apply is killed at its writes: the tables are the old or the new ones, and the next apply ends well."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from tests.release import killing
from tests.release.shop import Shop, new_shop
from tests.support.examples import TIMES
from tests.support.workplace import copied

POINTS = 20
"""So many writes at least are killed at, of some hundreds; every night, all of them."""
HOOK = "tests.release.killing:install"


def edit(shop: Shop) -> None:
    """Ask for a bit of everything: computed values that are kept, a backfill, a conversion, an entity, a role, a rule."""
    shop.add_field(
        "customer",
        "spent: {type: money, compute: 'sum(purchases.total)'}",
        "doubled: {type: money, compute: 'spent * 2'}",
        "nick: {type: text, required: true, default: none}",
    )
    shop.edit("item", ("amount: text", "amount: integer"))
    shop.write("visit", "fields:\n  day: date\n  who: {type: link, to: customer}\n")
    shop.edit("app", ("roles: {", "roles: {boss: {can: [view, change]}, "))
    with (shop.folder / "customer.yaml").open("a") as file:
        file.write('rules:\n  - {check: "doubled < 10", message: "Too much."}\n')


def outcome(shop: Shop) -> dict[str, list[tuple]]:
    """Return all that an apply has to bring about, without the moments."""
    return {
        "customer": shop.values("customer", "id", "name", "spent", "doubled", "nick"),
        "versions": shop.values("historicalcustomer", "id", "spent", "doubled", "history_type", order="history_id"),
        "item": shop.values("item", "id", "amount"),
        "visit": shop.values("visit", "id"),
        "groups": shop.rows("SELECT name FROM auth_group ORDER BY name"),
        "grants": shop.rows("SELECT COUNT(*) FROM auth_group_permissions"),
        "release": shop.rows("SELECT hash FROM crm_release ORDER BY id DESC LIMIT 1"),
        "pending": shop.rows("SELECT COUNT(*) FROM crm_release WHERE CAST(pending AS text) <> '[]'"),
    }


def check_computed(shop: Shop) -> None:
    """Hold every kept value against one that is worked out from scratch."""
    sums: dict[int, Decimal] = {}
    for customer, total in shop.values("purchase", "customer_id", "total"):
        sums[customer] = sums.get(customer, Decimal(0)) + Decimal(str(total or 0))
    kept = shop.values("customer", "id", "spent", "doubled")
    assert kept and any(sums.values())
    for key, spent, doubled in kept:
        expected = sums.get(key, Decimal(0))
        assert (_decimal(spent), _decimal(doubled)) == (expected, expected * 2), key


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


@contextmanager
def edited(shop: Shop, place: Path) -> Iterator[Shop]:
    with copied(shop, place) as copy:
        edit(copy)
        (place / "kill").mkdir()
        yield copy


def kill(shop: Shop, at: int, monkeypatch: pytest.MonkeyPatch, expect: int = -9, only: str = "") -> list[str]:
    """Apply, and kill it at a write; return all that were counted."""
    place = shop.folder.parent / "kill"
    for name, value in ((killing.PLACE, place), (killing.AT, at), (killing.ONLY, only)):
        monkeypatch.setenv(name, str(value))
    shop.run("apply", "--yes", expect=expect, hook=HOOK)
    _wait_for_sessions_to_end(shop)
    return (place / "writes").read_text().splitlines()


def _wait_for_sessions_to_end(shop: Shop) -> None:
    """PostgreSQL notices after a moment that nobody is there any more."""
    ask = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(100 if shop.database_url else 0):
        if shop.rows(ask) == [(0,)]:
            return
        time.sleep(0.05)


def left_by(shop: Shop) -> str:
    """Return all that the next apply will find: the files, and what is in the database."""
    files = {path.name: path.read_bytes() for path in sorted(shop.var.rglob("*")) if path.is_file()}
    files = {name: data for name, data in files.items() if not name.startswith("shop.sqlite3")}
    if not shop.database_url:
        with closing(sqlite3.connect(shop.var / "shop.sqlite3")) as connection:
            return repr((shop.state()[0], files, list(connection.iterdump())))
    rows = {name: sorted(map(repr, shop.rows(f'SELECT * FROM "{name}"'))) for name in sorted(all_tables(shop))}
    columns = shop.rows("""SELECT table_name, column_name, data_type, column_default, is_nullable
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, column_name""")
    indexes = shop.rows("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef")
    constraints = shop.rows("""SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""")
    return repr((shop.state()[0], files, rows, columns, indexes, constraints))


def points(writes: list[str]) -> list[int]:
    """Choose the writes to be killed at: around every commit and every file, and others in even distances."""
    if TIMES > 1:
        return list(range(1, len(writes) + 1))
    edges = [number for number, what in enumerate(writes, 1) if "COMMIT" in what or "REPLACE" in what]
    rest = [number for number in range(1, len(writes) + 1) if number not in edges]
    most = max(POINTS - len(edges), POINTS // 3)
    return sorted({*edges, *(rest[number * len(rest) // most] for number in range(most))})


def test_an_apply_that_is_killed_anywhere_is_finished_by_the_next(full_shop, tmp_path: Path, monkeypatch):
    with edited(full_shop, tmp_path / "whole") as whole:
        old = whole.columns()
        writes = kill(whole, 0, monkeypatch, expect=0)
        new, expected = whole.columns(), outcome(whole)
        check_computed(whole)
    chosen = points(writes)
    assert len(chosen) >= POINTS
    seen = {"old": 0, "new": 0, "unfinished": 0}
    finished: dict[str, bool] = {}
    """What an apply was left with, and whether that was a release to finish: the same is not finished twice."""
    for at in chosen:
        with edited(full_shop, tmp_path / str(at)) as shop:
            assert len(kill(shop, at, monkeypatch)) == at
            columns = shop.columns()
            assert columns in (old, new), (at, writes[at - 1])
            is_new, left = columns == new, left_by(shop)
            if left not in finished:
                said = shop.apply()
                finished[left] = is_new and outcome_is_pending(said)
                assert ("Applied." in said) != ("nothing to do" in said)
                check_computed(shop)
                assert outcome(shop) == expected, (at, writes[at - 1])
            seen["new" if is_new else "old"] += 1
            seen["unfinished"] += finished[left]
    print(f"{len(chosen)} of {len(writes)} points, {len(finished)} things left: {seen}")
    assert min(seen.values()) > 2, seen


def test_a_first_apply_that_is_killed_leaves_no_table_or_all(tmp_path: Path, monkeypatch):
    """Its two dozen migrations, the engine's own among them, are one transaction."""
    with new_shop(tmp_path / "whole") as whole:
        (whole.folder.parent / "kill").mkdir()
        writes = kill(whole, 0, monkeypatch, expect=0)
        expected = whole.columns()
    commit = writes.index("COMMIT") + 1
    for at in (commit // 3, commit * 2 // 3, commit, commit + 1):
        with new_shop(tmp_path / str(at)) as shop:
            (shop.folder.parent / "kill").mkdir()
            kill(shop, at, monkeypatch)
            is_new = bool(all_tables(shop) - {"django_migrations"})
            assert shop.columns() == (expected if is_new else {}) and is_new == (at > commit)
            said = shop.apply()
            assert said.endswith("Applied.\n") and ("was not finished" in said) == is_new
            assert shop.columns() == expected and len(shop.migrations()) == 1


def all_tables(shop: Shop) -> set[str]:
    if shop.database_url:
        found = shop.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    else:
        found = shop.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {name for (name,) in found}


def outcome_is_pending(said: str) -> bool:
    return "was not finished. Still to do: " in said


def test_values_whose_working_out_is_killed_alone_are_told_and_worked_out_by_the_next(full_shop, tmp_path, monkeypatch):
    with edited(full_shop, tmp_path / "whole") as whole:
        writes = kill(whole, 0, monkeypatch, expect=0)
    within = next(
        number for number, what in enumerate(writes, 1) if what.startswith('UPDATE "shop_customer" SET "spent"')
    )
    with edited(full_shop, tmp_path / "killed") as shop:
        kill(shop, within, monkeypatch, expect=1, only="1")
        plan = shop.plan()
        assert "was not finished. Still to do: work out the computed values; count the records that break new" in plan
        assert plan.endswith("Plan: no change of the database.\n")
        shop.run("check", "--database", "default", "--fail-level", "WARNING", expect=1)
        said = shop.apply()
        assert "1 of 3 customers breaks the rule" in said and said.endswith("Applied.\n")
        check_computed(shop)
        shop.run("check", "--database", "default", "--fail-level", "WARNING")
