"""`app.yaml`: the business as a whole."""

from __future__ import annotations

import pytest

from tests.blueprint.writing import business, told

THING = "fields: {n: integer}"


@pytest.mark.parametrize(
    ("app", "found"),
    [
        ("", ["1:1: 'name' is missing"]),
        ("name: ''", ["1:7: 'name' is empty"]),
        ("nme: X", ["1:1: 'name' is missing", "1:1: unknown key 'nme' (Did you mean 'name'?)"]),
        ("name: X\ncurrency: EUX", ["2:11: there is no currency 'EUX' (Did you mean 'XEU'?)"]),
        ("name: X\ncurrency: euro", ["2:11: there is no currency 'euro' (Write EUR for Euro.)"]),
        ("name: X\ncurrency: usd", ["2:11: there is no currency 'usd' (Did you mean 'USD'?)"]),
        ("name: X\ncurrency: £", [
            "2:11: there is no currency '£' (Write GBP for British Pound.)",
        ]),
        ("name: X\ncurrency: POUND", [
            "2:11: there is no currency 'POUND' (Write GBP for British Pound or EGP for Egyptian Pound or FKP for Falkland "
            "Islands Pound.)",
        ]),
        ("name: X\ncurrency: 5", ["2:11: 'currency' takes text, not 5"]),
        ("name: X\ntime_zone: Europe/Lodon", [
            "2:12: there is no time zone 'Europe/Lodon' (Did you mean 'Europe/London'?)",
        ]),
        ("name: X\nregion: UK", ["2:9: there is no region 'UK' (Write GB for United Kingdom.)"]),
        ("name: X\nregion: germany", ["2:9: there is no region 'germany' (Write DE for Germany.)"]),
        ("name: X\nregion: England", [
            "2:9: there is no region 'England' (Regions go by the two letters of ISO 3166, such as GB.)",
        ]),
        ("name: X\nlanguages: [en, xx]", ["2:17: there is no language 'xx'"]),
        ("name: X\nlanguages: []", ["2:12: 'languages' is empty"]),
        ("name: X\nlanguages: en", ["2:12: 'languages' takes a list, such as [one, two], not 'en'"]),
        ("name: X\ncolor: tael", ["2:8: 'color' cannot be 'tael' (Did you mean 'teal'?)"]),
        ("name: X\nroles: {sales: {cn: [view]}}", ["2:17: unknown key 'cn' (Did you mean 'can'?)"]),
        ("name: X\nroles: {sales: {can: [veiw]}}", ["2:23: 'can' cannot be 'veiw' (Did you mean 'view'?)"]),
        ("name: X\nroles: {Sales: {can: 5}, Buyers: {can: 6}}", [
            "2:22: 'can' takes a list, such as [one, two], not 5",
            "2:40: 'can' takes a list, such as [one, two], not 6",
        ]),
        ("name: X\nroles: [sales]", ["2:8: 'roles' takes a map of 'key: value' lines, not a list"]),
        ("name: X\nmenu: {Selling: [thng]}", ["2:18: there is no entity 'thng' (Did you mean 'thing'?)"]),
        ("name: X\nmenu: {Selling: [Thing], Office: [Desk]}", [
            "2:18: 'Thing' does not fit 'Selling' (Names are written in small letters, digits and '_'.)",
            "2:35: 'Desk' does not fit 'Office' (Names are written in small letters, digits and '_'.)",
        ]),
        ("name: X\nmenu: {Selling: thing}", ["2:17: 'Selling' takes a list, such as [one, two], not 'thing'"]),
        ("name: X\nmenu: [thing]", ["2:7: 'menu' takes a map of 'key: value' lines, not a list"]),
    ],
)  # fmt: skip
def test_a_mistake_in_the_app_file_is_told_at_its_place(app: str, found: list[str]):
    assert told(app=app, thing=THING) == [f"app.yaml:{one}" for one in found]


def test_a_whole_app_file_is_taken():
    found = business(
        app="""
        name: Shop
        currency: JPY
        time_zone: Asia/Tokyo
        region: JP
        languages: [ja, en, pt-br]
        color: blue
        roles: {sales: , boss: {label: The boss, can: [view, delete]}}
        menu: {Goods: [thing], Empty: []}
        """,
        thing=THING,
    )
    assert found.roles["sales"].can == ["view"]
    assert found.roles["boss"].label == "The boss"
