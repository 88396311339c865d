"""Plan and apply as a whole: from an empty database, from committed migrations, with mistakes, and asked or not."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.release.shop import Shop, assert_golden
from tests.support.workplace import POSTGRES, ROOT, copied


@pytest.mark.starts(7)
def test_a_first_apply_makes_all_tables_and_a_second_has_nothing_to_do(empty_shop: Shop):
    empty_shop = empty_shop.cold()
    assert_golden(empty_shop.plan(), "first_plan")
    assert empty_shop.columns() == {}
    assert "There is nobody to ask: use --yes." in empty_shop.run("apply", expect=1).stderr.decode()
    assert empty_shop.columns() == {}
    said = empty_shop.apply()
    (name,) = empty_shop.migrations()
    assert re.fullmatch(r"0001_initial_[0-9a-f]{6}", name)
    assert said.endswith(f"Wrote shop/migrations/{name}.py; commit it with the definitions.\nApplied.\n")
    assert empty_shop.run("apply").stdout.decode() == "shop: nothing to do; the definitions are in force.\n"
    assert_golden(json.dumps(empty_shop.columns(), indent=1), "first_tables")
    assert empty_shop.rows("SELECT business, migration FROM crm_release") == [("shop", name)]
    empty_shop.run("migrate", "--check")


def test_an_empty_database_is_brought_up_from_the_committed_migrations(shop: Shop, empty_shop: Shop):
    shop.add_field("customer", "nick: {type: text, required: true, backfill: none}")
    shop.edit("item", ("amount: text", "amount: integer"))
    shop.apply()
    shutil.rmtree(empty_shop.folder)
    shutil.copytree(shop.folder, empty_shop.folder)
    plan = empty_shop.plan()
    assert "migrations to run: " in plan
    first, second = names = shop.migrations()
    assert plan.endswith(f"shop.{first}, shop.{second}\n\nPlan: no change of the database.\n")
    empty_shop.apply()
    assert empty_shop.columns() == shop.columns()
    assert empty_shop.migrations() == names


def test_a_database_that_lags_behind_catches_up_before_its_rows_are_looked_at(shop: Shop, full_shop: Shop, tmp_path):
    shop.add_field("customer", "nick: text")
    shop.apply()
    with copied(full_shop, tmp_path / "behind") as other:
        behind = Shop(shop.folder, other.var, other.database_url)
        behind.edit("customer", ("fields:\n", "fields:\n  must: {type: integer, required: true}\n"))
        name = shop.migrations()[-1]
        assert f"This database has 1 migration to run: shop.{name}\n  So its rows were not looked at" in behind.plan()
        assert "3 records" in behind.run("apply", "--yes", expect=1).stdout.decode()
        assert "to run" not in behind.plan()


def test_definitions_that_were_edited_before_the_first_apply_come_into_force_by_it(shop: Shop, empty_shop: Shop):
    """As for someone who clones the folder, adds a field, and only then starts the application."""
    shutil.rmtree(empty_shop.folder)
    shutil.copytree(shop.folder, empty_shop.folder)
    empty_shop.add_field("customer", "nick: text")
    assert "There is nobody to ask: use --yes." in empty_shop.run("apply", expect=1).stderr.decode()
    assert empty_shop.columns() == {}
    said = empty_shop.apply()
    assert "Ran them. Now its rows can be looked at." in said and said.endswith("Applied.\n")
    assert "nick" in str(empty_shop.columns()) and len(empty_shop.migrations()) == 2
    assert empty_shop.run("apply").stdout.decode() == "shop: nothing to do; the definitions are in force.\n"


@pytest.mark.parametrize("command", ["export customer", "import customer x.csv", "rules", "recompute", "purge", "demo"])
def test_a_command_that_needs_records_says_that_there_are_no_tables_yet(empty_shop: Shop, command: str):
    error = empty_shop.run(*command.split(), expect=1).stderr.decode()
    assert error.startswith("CommandError: This database has ") and error.endswith("Run: manage.py apply\n")


def test_a_mistake_in_the_yaml_is_told_and_nothing_changes(shop: Shop):
    shop.edit("customer", ("code: text", "code: txet"))
    shop.write("helper", "fields: {name: text")
    before = shop.state()
    for command in (("plan",), ("apply", "--yes")):
        error = shop.run(*command, expect=1).stderr.decode()
        assert error.startswith("shop/customer.yaml:5:9: unknown field type 'txet'\n      code: txet\n            ^\n")
        assert "shop/helper.yaml:1:9: this is not YAML: a '{' is not closed" in error
        assert "2 problems in the definitions" in error
    assert shop.state() == before
    shop.run("check")


def test_a_label_or_a_new_choice_needs_no_migration(shop: Shop):
    shop.edit(
        "customer", ("label: Customer", "label: Client"), ("vip: boolean", "vip: {type: boolean, help: Treat well}")
    )
    shop.edit("purchase", ("done: Done}", "done: Done, lost: {label: Lost, color: red}}"))
    assert_golden(shop.plan(), "labels_and_choices")
    shop.apply()
    (name,) = shop.migrations()
    assert shop.rows("SELECT migration FROM crm_release ORDER BY id") == [(name,), ("",)]
    shop.shell("from django.apps import apps; assert apps.get_model('shop', 'customer')._meta.verbose_name == 'client'")


@pytest.mark.starts(1)
def test_two_applies_at_the_same_time_are_one_too_many(shop: Shop, tmp_path: Path):
    """The first is asked at a terminal, and holds the lock while it waits for the answer."""
    shop.add_field("customer", "nick: text")
    terminal, other_end = pty.openpty()
    environment = {
        **os.environ,
        "BUSINESS": str(shop.folder),
        "VAR_DIR": str(shop.var),
        "DATABASE_URL": shop.database_url,
    }
    command = [sys.executable, str(ROOT / "manage.py"), "apply"]
    first = subprocess.Popen(command, env=environment, stdin=other_end, stdout=other_end, stderr=other_end, cwd=ROOT)
    os.close(other_end)
    try:
        said = b""
        while b"Type yes:" not in said:
            said += os.read(terminal, 4096)
        assert "Another apply is at work in this folder." in shop.refused()
        if POSTGRES:
            elsewhere = Shop(shutil.copytree(shop.folder, tmp_path / "other" / "shop"), shop.var, shop.database_url)
            assert "Another apply is at work in this database." in elsewhere.refused()
        os.write(terminal, b"yes\n")
        first.wait(timeout=60)
    finally:
        first.kill()
        os.close(terminal)
    assert first.returncode == 0
    shop.plan(expect=0)


def test_a_migration_that_fails_leaves_everything_as_it_was(shop: Shop):
    shop.add_field("customer", "nick: {type: text, required: true, backfill: none}")
    shop.write("extra", "fields: {name: text}")
    shop.execute("CREATE TABLE shop_extra (id integer)")
    assert "The database refused, and is as it was: " in shop.refused()
    assert shop.run("check")
    shop.execute("DROP TABLE shop_extra")
    shop.apply()


def test_a_snapshot_that_no_longer_fits_the_engine_is_replaced(shop: Shop):
    snapshot = shop.folder / "migrations" / "applied.json"
    snapshot.write_text(snapshot.read_text().replace('"date"', '"dat"'))
    assert "do not fit this version of the engine" in shop.run("check", expect=1).stderr.decode()
    assert "Plan: no change of the database." in shop.plan()
    shop.apply()
    shop.run("check")


@pytest.mark.parametrize("text", ["{", '{"format": 99, "definitions": {}}'])
def test_a_snapshot_that_is_damaged_is_written_anew(shop: Shop, text: str):
    (shop.folder / "migrations" / "applied.json").write_text(text)
    error = shop.run("check", expect=1).stderr.decode()
    assert error.startswith("Error: applied.json is ")
    assert "run: manage.py apply" in error.lower()
    shop.edit("item", ("amount: text", "amount: integer"))
    shop.apply()
    assert shop.values("item", "amount") == [(5,), (None,), (70,)] * 2
    shop.run("check")
