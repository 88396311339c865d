"""A `was:` that was carried out may stay: for everything that is planned later it is as if it were not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.shop import Shop
from tests.support.workplace import copied

RENAMED = (
    ("  code: text\n", "  ref: {type: text, was: code}\n"),
    (
        "  since: date\n",
        "  start: {type: date, was: since}\n  kind: {type: choice, choices: [a, b]}\n  size: integer\n",
    ),
    ("groups: tags", "labels: {type: tags, was: groups}"),
)
SECOND = (("  kind: {type", "  sort: {was: kind, type"), ("  size: integer", "  width: {type: integer, was: size}"))
CHANGES = {
    "required": (
        ("ref: {type: text", "ref: {type: text, required: true"),
        ("start: {type: date", "start: {type: date, required: true"),
    ),
    "unique": (("ref: {type: text", "ref: {type: text, unique: true"),),
    "shorter": (("ref: {type: text", "ref: {type: text, max_length: 1"),),
    "converted": (("ref: {type: text", "ref: {type: integer"),),
    "choices": (("choices: [a, b]", "choices: [b]"),),
    "limits": (("width: {type: integer", "width: {type: integer, max: 5, min: 3"),),
    "computed": (("width: {type: integer", "width: {type: integer, compute: 2 * 3"),),
    "removed": (("  name: {type: text, required: true, max_length: 80}\n", "  title: text\n"), ("{name}", "{title}")),
}
FILL = """
from django.apps import apps
rows = apps.get_model("shop", "client").objects
rows.update(sort="a", width=9)
rows.filter(name="Bob").update(ref="1")
"""


@pytest.fixture(scope="module")
def renamed_shop(full_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose customers, and fields of theirs, were renamed in earlier releases."""
    with copied(full_shop, tmp_path_factory.mktemp("renamed")) as shop:
        shop.edit("customer", *RENAMED)
        shop.apply()
        shop.edit("customer", *SECOND)
        shop.rename("customer", "client")
        shop.edit("client", ("fields:\n", "was: customer\nfields:\n"))
        shop.edit(
            "purchase", ("customer: {type: link, to: customer,", "client: {type: link, was: customer, to: client,")
        )
        shop.edit("app", ("[purchase, customer]", "[purchase, client]"))
        shop.apply()
        shop.shell(FILL)
        yield shop


@pytest.fixture
def old_names(renamed_shop: Shop, tmp_path: Path) -> Iterator[Shop]:
    with copied(renamed_shop, tmp_path) as shop:
        yield shop


def steps(text: str) -> str:
    """Return what a plan says of steps and rules, without the lines of the files."""
    return re.sub(r"\(?shop/[\w/.:]+\)?", "", text.partition("  Definitions:")[0])


@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_is_the_same_with_it_and_without(old_names: Shop, change: str):
    old_names.edit("client", *CHANGES[change])
    with_it = steps(old_names.plan())
    text = (old_names.folder / "client.yaml").read_text()
    for was in ("was: customer\n", ", was: code", ", was: since", ", was: groups", "was: kind, ", ", was: size"):
        assert was in text
        text = text.replace(was, "")
    old_names.write("client", text)
    assert with_it == steps(old_names.plan())


def test_a_narrower_limit_is_counted(old_names: Shop):
    old_names.edit("client", *CHANGES["limits"])
    assert "! 3 of 3 customers break the rule at shop/client.yaml" in old_names.plan()


def test_links_of_former_names_follow_the_next_rename_of_their_entity(old_names: Shop):
    before = old_names.values("historicalclient_labels", "id", "history_id", "client_id")
    assert before
    old_names.rename("client", "buyer")
    old_names.edit("buyer", ("was: customer", "was: client"))
    old_names.edit(
        "purchase", ("client: {type: link, was: customer, to: client,", "buyer: {type: link, was: client, to: buyer,")
    )
    old_names.edit("app", ("[purchase, client]", "[purchase, buyer]"))
    assert "x " not in old_names.plan()
    old_names.apply()
    assert old_names.values("historicalbuyer_labels", "id", "history_id", "buyer_id") == before


def test_rows_of_a_renamed_entity_do_not_take_a_field_that_is_called_as_it_was(old_names: Shop):
    old_names.write("visit", "fields: {customer: text, day: date}")
    old_names.apply()
    old_names.add_field("client", "visits: {type: table, of: visit}")
    assert "rename" not in old_names.plan()
    old_names.apply()
    assert {"customer", "client_id"} <= set(old_names.columns()["shop_visit"])


def test_a_column_that_comes_back_is_no_lost_rename(old_names: Shop):
    old_names.edit("client", ("width: {type: integer", "width: {type: integer, compute: days_since(start)"))
    old_names.apply("--allow-data-loss")
    old_names.edit("client", (", compute: days_since(start)", ""), ("  city: text\n", ""))
    assert "names nothing that is there" not in old_names.plan()
