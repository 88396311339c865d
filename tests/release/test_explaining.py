"""What `manage.py explain` tells of a field: where it comes from, how it is computed, and what it became."""

from __future__ import annotations

import pytest

from tests.release.shop import Shop
from tests.support.workplace import copied

COMPUTED = {
    "item": ["double: {type: integer, compute: position * 2}"],
    "purchase": [
        "furthest: {type: integer, compute: max(items.double)}",
        "far: {type: boolean, compute: furthest > 4 and created < now()}",
    ],
}


@pytest.fixture(scope="module")
def counting(full_shop: Shop, tmp_path_factory: pytest.TempPathFactory):
    with copied(full_shop, tmp_path_factory.mktemp("counting")) as shop:
        for entity, lines in COMPUTED.items():
            shop.add_field(entity, *lines)
        shop.apply()
        yield shop


def explained(shop: Shop, name: str) -> list[str]:
    return shop.run("explain", name).stdout.decode().splitlines()


def below(lines: list[str], heading: str) -> list[str]:
    """Return the lines of a part, without their indent."""
    start = lines.index(heading) + 1
    end = lines.index("", start) if "" in lines[start:] else len(lines)
    return [line.strip() for line in lines[start:end]]


def test_a_field_of_its_own_row(counting: Shop):
    lines = explained(counting, "item.double")
    assert lines[0] == "item.double: Double (integer), defined at shop/item.yaml:2:3"
    assert "  compute: position * 2  [shop/item.yaml:2:27]" in lines
    assert below(lines, "It is computed") == ["kept: in a column that the database computes", "reads item.position"]
    assert below(lines, "Computed from it") == [
        "purchase.furthest: max(items.double)  [shop/purchase.yaml:3:38]",
    ]
    assert "form input: none; the form shows the value" in below(lines, "It became")


def test_a_field_that_reads_other_records(counting: Shop):
    lines = explained(counting, "purchase.furthest")
    assert below(lines, "It is computed") == [
        "kept: in a column that the engine keeps true, in the transaction of whatever it depends on",
        "reads item.purchase (link)",
        "reads item.double (computed)",
    ]
    assert below(lines, "Computed from it") == [
        "purchase.far: furthest > 4 and created < now()  [shop/purchase.yaml:4:33]",
    ]
    assert any(line.startswith("column shop_purchase.furthest ") for line in below(lines, "It became"))


def test_a_field_that_depends_on_the_moment(counting: Shop):
    lines = explained(counting, "purchase.far")
    assert below(lines, "It is computed") == [
        "kept: nowhere; it is worked out whenever it is asked for",
        "reads purchase.furthest (computed)",
        "reads purchase.created",
    ]
    assert "Computed from it" not in lines
    assert not any(line.startswith("column shop_purchase.") for line in below(lines, "It became"))


def test_a_given_field_names_what_is_computed_from_it(counting: Shop):
    lines = explained(counting, "item.position")
    assert "It is computed" not in lines
    assert below(lines, "Computed from it") == ["item.double: position * 2  [shop/item.yaml:2:36]"]
    assert "form input: number" in below(lines, "It became")


def test_a_name_that_is_not_there(counting: Shop):
    said = counting.run("explain", "item.dubble", expect=1).stderr.decode()
    assert "'item' has no field 'dubble'. Did you mean 'double'?" in said


def test_rules_conditions_and_roles(shop: Shop):
    shop.edit(
        "customer",
        ("  vip: boolean\n", "  vip: boolean\n  discount: integer\n"),
        ("title: ", "rules:\n  - {check: discount < 50 or vip, message: Too much}\ntitle: "),
        (
            "fields:\n",
            "show:\n  discount: {visible_if: vip}\naccess:\n  clerk: {view: {except: [city], rows: vip}}\nfields:\n",
        ),
    )
    shop.apply()
    lines = explained(shop, "customer.vip")
    assert below(lines, "Rules that read it")[0].startswith("customer: discount < 50 or vip  [shop/customer.yaml:")
    assert below(lines, "In a form") == ["discount: visible_if: vip"]
    assert below(lines, "Who may") == ["clerk: view where vip"]
    assert below(explained(shop, "customer.city"), "Who may") == ["clerk: nothing"]
    assert below(explained(shop, "purchase.state"), "Who may") == ["clerk: view, add"]
    assert any("choices: {open: {label: Open" in line for line in explained(shop, "purchase.state"))
