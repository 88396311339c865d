"""A branch that makes a field stricter comes to a database whose rows do not fit: `plan` says so, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader

from crm.release.pending_rows import unfit_rows
from tests.release.branches import cloned, in_repository
from tests.release.shop import Shop
from tests.support.records import make


def test_a_server_whose_rows_do_not_fit_is_told_before_anything_is_run(shop: Shop, full_shop: Shop, tmp_path: Path):
    branch = in_repository(shop)
    shop.execute("UPDATE shop_purchase SET total = 1 WHERE total IS NULL")
    shop.execute("UPDATE shop_historicalpurchase SET total = 1 WHERE total IS NULL")
    shop.execute("UPDATE shop_customer SET code = '3' WHERE code = 'x3'")
    shop.edit("purchase", ("total: {type: money, index: true}", "total: {type: money, required: true, index: true}"))
    shop.edit("customer", ("code: text", "code: integer"), ("city: text", "city: {type: text, max_length: 3}"))
    shop.execute("UPDATE shop_customer SET city = 'Ulm'")
    shop.apply("--allow-data-loss")
    branch.commit("Stricter")
    with cloned(branch, full_shop, tmp_path) as server:
        insert = "INSERT INTO shop_purchase (number, customer_id, state, created, updated) VALUES "
        moments = "'2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00'"
        server.execute(insert + ", ".join(f"('X-{number}', 1, 'open', {moments})" for number in range(11)))
        plan = server.plan()
        print(plan)
        assert "cannot be run: purchase.total becomes required, and 12 records have no value: 2, 3, 4, 5, 6, 7" in plan
        assert (
            "cannot be run: the history of purchase.total becomes required, and 2 versions have no value: 3, 4." in plan
        )
        assert "customer.code becomes integer, and 1 record has none: 3: x3: 'x3' is not a number." in plan
        assert "customer.city takes 3 letters, and 2 records have more: 1, 2." in plan
        assert "Mend these records with the files that this database was brought to (git checkout)" in plan
        assert "Versions are not edited: let the branch that made the migration make it anew" in plan
        assert "and that is in the way" in server.refused()
        server.execute("UPDATE shop_purchase SET total = 1 WHERE total IS NULL")
        server.execute("UPDATE shop_historicalpurchase SET total = 1 WHERE total IS NULL")
        server.execute("UPDATE shop_customer SET code = '3', city = ''")
        server.apply()
        assert server.values("customer", "code") == [(3,), (3,), (3,)]


def test_a_branch_that_brings_values_along_is_told_nothing(shop: Shop, full_shop: Shop, tmp_path: Path):
    branch = in_repository(shop)
    shop.edit("purchase", ("total: {type: money, index: true}", "total: {type: money, required: true, backfill: 5}"))
    shop.edit("customer", ("since: date", "since: {type: date, required: true, backfill: 2020-01-01}"))
    shop.edit("customer", ("vip: boolean", "rank: {type: integer, required: true, backfill: 3}\n  vip: boolean"))
    shop.apply()
    branch.commit("Stricter, with values")
    with cloned(branch, full_shop, tmp_path) as server:
        assert "cannot be run" not in server.plan()
        server.apply()
        assert [float(total) for (total,) in server.values("purchase", "total")] == [9.5, 5]


@pytest.mark.django_db
@pytest.mark.parametrize("is_in_trash", [True, False])
def test_what_lies_in_the_trash_is_no_double_of_what_is_there(is_in_trash):
    state = MigrationLoader(connection).project_state()
    customers = [make("customer", vat_number="GB1") for _ in range(2)]
    if is_in_trash:
        customers[0].delete()
    once = models.UniqueConstraint(fields=["vat_number"], name="once")
    migration = type("Migration", (migrations.Migration,), {"operations": [migrations.AddConstraint("customer", once)]})
    told = [one.sentence for one in unfit_rows("travel", [migration("0099_once", "travel")], state)]
    assert bool(told) != is_in_trash and all("1 value occurs more than once: GB1." in text for text in told)
