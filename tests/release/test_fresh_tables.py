"""A new database gets the tables of the last migration at once, unless a migration does more than `apply` writes."""

from __future__ import annotations

import shutil
from functools import partial

import pytest
from django.db import migrations, models

from crm.release import data_migrations, fresh_tables
from tests.release.shop import Shop

SQL = "CREATE TABLE shop_prices (amount integer)"
OURS = [
    migrations.CreateModel("Thing", [("id", models.AutoField(primary_key=True))]),
    migrations.AddField("thing", "name", models.TextField(null=True)),
    migrations.RemoveConstraint("thing", "thing_once"),
    migrations.RunPython(partial(data_migrations.fill_keys, label="shop"), data_migrations.do_nothing),
]
THEIRS = [
    migrations.RunSQL(SQL),
    migrations.RunPython(lambda apps, editor: None),
    migrations.RunPython(migrations.RunPython.noop),
    migrations.SeparateDatabaseAndState([migrations.RunSQL(SQL)]),
    type("AddFieldAndMore", (migrations.AddField,), {})("thing", "name", models.TextField(null=True)),
]


@pytest.mark.parametrize("operation", OURS, ids=lambda operation: type(operation).__name__)
def test_what_apply_writes_does_nothing_but_to_tables_and_rows(operation):
    assert fresh_tables._is_ours(operation)


@pytest.mark.parametrize("operation", THEIRS, ids=lambda operation: type(operation).__name__)
def test_what_people_write_is_run(operation):
    assert not fresh_tables._is_ours(operation)


def test_a_migration_that_people_have_added_to_is_run_on_a_new_database(shop: Shop, empty_shop: Shop):
    shop.add_field("customer", "nick: text")
    shop.apply()
    shutil.rmtree(empty_shop.folder)
    shutil.copytree(shop.folder, empty_shop.folder)
    path = empty_shop.folder / "migrations" / f"{shop.migrations()[-1]}.py"
    path.write_text(
        path.read_text().replace("operations = [", f"operations = [\n        migrations.RunSQL({SQL!r}),", 1)
    )
    empty_shop.run("apply", "--yes")
    assert empty_shop.columns() == {**shop.columns(), "shop_prices": ["amount"]}
