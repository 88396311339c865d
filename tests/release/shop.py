"""A small shop, driven as its owner does: the YAML is edited, then `manage.py plan` and `apply` are run."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import psycopg

from tests.support.workplace import POSTGRES, Workplace, database

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
RENEW = os.environ.get("GOLDEN") == "renew"
"""With GOLDEN=renew the golden plans are written anew instead of compared."""

DEFINITIONS = {
    "app": """
name: Corner shop
currency: EUR
roles: {clerk: {can: [view, add]}}
menu: {Goods: [purchase, customer]}
""",
    "customer": """
label: Customer
title: "{name}"
fields:
  name: {type: text, required: true, max_length: 80}
  code: text
  city: text
  vip: boolean
  groups: tags
  since: date
""",
    "helper": """
fields:
  name: {type: text, required: true}
""",
    "item": """
fields:
  position: {type: integer, required: true}
  product: {type: text, required: true}
  amount: text
unique: [[purchase, position]]
""",
    "purchase": """
title: "{number}"
fields:
  number: {type: sequence, format: "P-{n:04}"}
  customer: {type: link, to: customer, required: true}
  state: {type: choice, choices: {open: Open, done: Done}, default: open}
  total: {type: money, index: true}
  helpers: {type: links, to: helper}
  items: {type: table, of: item, order_by: position}
""",
}
RECORDS = """
from datetime import date
from django.apps import apps
from crm.models import Tag
Customer, Helper, Item, Purchase = (apps.get_model("shop", name) for name in ("customer", "helper", "item", "purchase"))
ada = Customer.objects.create(name="Ada", code="1", city="Rome", vip=True, since=date(2024, 2, 29))
bob = Customer.objects.create(name="Bob", code="22", city="Rome")
cy = Customer.objects.create(name="Cy", code="x3")
ada.groups.add(Tag.objects.create(scope="shop.customer.groups", name="gold"))
ada.city = "Oslo"
ada.save()
Customer.objects.create(name="Gone", code="4").delete()
helpers = [Helper.objects.create(name=name) for name in ("Hal", "Ina")]
for buyer, total in ((ada, "9.50"), (bob, None)):
    purchase = Purchase.objects.create(customer=buyer, total=total)
    purchase.helpers.set(helpers)
    for position, amount in enumerate(("5", "", " 70 "), 1):
        Item.objects.create(purchase=purchase, position=position, product=f"Thing {position}", amount=amount)
"""


@dataclass(frozen=True)
class Shop(Workplace):
    """The shop's folder and database."""

    def write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.yaml").write_text(text.lstrip("\n"), encoding="utf-8")

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Exchange pieces of a file; each must be there."""
        path = self.folder / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{old!r} is not in {path.name}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def add_field(self, name: str, *lines: str) -> None:
        self.edit(name, ("fields:\n", "fields:\n" + "".join(f"  {line}\n" for line in lines)))

    def rename(self, old: str, new: str) -> None:
        (self.folder / f"{old}.yaml").rename(self.folder / f"{new}.yaml")

    def remove(self, name: str) -> None:
        (self.folder / f"{name}.yaml").unlink()

    def plan(self, expect: int = 2) -> str:
        """Return what `plan` prints, without the SQL, which differs between databases."""
        text = self.run("plan", expect=expect).stdout.decode()
        return re.sub(r"\n\n  SQL:\n.*?(?=\n\nPlan: )", "", text, flags=re.DOTALL)

    def apply(self, *flags: str) -> str:
        """Apply, and check that nothing is left to do."""
        said = self.run("apply", "--yes", *flags).stdout.decode()
        self.plan(expect=0)
        return said

    def refused(self, *flags: str) -> str:
        """Try to apply, check that nothing was changed, and return why."""
        before = self.state()
        error = self.run("apply", "--yes", *flags, expect=1).stderr.decode()
        assert self.state() == before
        return error

    def state(self) -> tuple:
        """Return what a refused apply must leave alone: the folder's files, the tables, and the migrations run."""
        paths = [path for path in self.folder.rglob("*.*") if path.is_file() and ".git" not in path.parts]
        files = {path.name: path.read_bytes() for path in paths if path.suffix != ".pyc"}
        return files, self.columns(), self.rows("SELECT app, name FROM django_migrations ORDER BY id")

    def columns(self) -> dict[str, list[str]]:
        """Return the columns of the shop's own tables."""
        if self.database_url:
            found = self.rows(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            )
        else:
            found = self.rows("SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c")
        tables: dict[str, list[str]] = {}
        for table, column in sorted(found):
            if table.startswith("shop_"):
                tables.setdefault(table, []).append(column)
        return tables

    def values(self, table: str, *columns: str, order: str = "id") -> list[tuple]:
        return self.rows(f"SELECT {', '.join(columns)} FROM shop_{table} ORDER BY {order}")

    def execute(self, sql: str) -> None:
        """Change the database directly, past the application."""
        if self.database_url:
            with psycopg.connect(self.database_url, autocommit=True) as connection:
                connection.execute(sql)
        else:
            with closing(sqlite3.connect(self.var / "shop.sqlite3", isolation_level=None)) as connection:
                connection.execute(sql)

    def shell(self, code: str) -> CompletedProcess[bytes]:
        return self.run("shell", "--verbosity=0", "--command", code)

    def migrations(self) -> list[str]:
        return sorted(path.stem for path in (self.folder / "migrations").glob("0*.py"))


@contextmanager
def new_shop(place: Path, definitions: dict[str, str] | None = None) -> Iterator[Shop]:
    """Write the definitions into a new folder, beside a new and empty database."""
    with database("postgresql" if POSTGRES else "sqlite") as url:
        shop = Shop(place / "shop", place / "var", url)
        shop.folder.mkdir(parents=True)
        shop.var.mkdir()
        for name, text in (definitions or DEFINITIONS).items():
            shop.write(name, text)
        yield shop


def assert_golden(text: str, name: str) -> None:
    """Compare a text with the golden one of that name."""
    path = GOLDEN / f"{name}.txt"
    if RENEW:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"tests/golden/{path.name} is missing: write it with GOLDEN=renew"
    assert text == path.read_text(encoding="utf-8"), f"tests/golden/{path.name} differs; renew it with GOLDEN=renew"
