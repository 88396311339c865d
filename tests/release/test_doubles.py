"""A field that becomes unique, or is compared in another form: the records that would be doubles are counted and named."""

from __future__ import annotations

from tests.release.shop import Shop

MAKE = """
from django.apps import apps
Customer = apps.get_model("shop", "customer")
for name, code in (("Dee", "X3"), ("Eve", "x\\u00a03"), ("Fay", "x 3"), ("Gil", "Ä"), ("Hal", "A\\u0308"), ("Ian", ""), ("Joe", "")):
    Customer.objects.create(name=name, code=code)
"""


def test_doubles_are_named_before_a_field_becomes_unique(shop: Shop):
    shop.shell(MAKE)
    shop.edit("customer", ("code: text", "code: {type: text, unique: true}"))
    said = shop.plan()
    assert "6 records would be doubles in code" in said
    assert "'x3' (Cy, id 3) = 'X3' (Dee, id 5)" in said
    assert "'Ä' (Gil, id 8)" in said
    assert "Ian" not in said  # two records may have nothing
    assert "These steps are refused" in shop.refused()
    shop.shell(
        "from django.apps import apps; C = apps.get_model('shop', 'customer'); "
        "C.objects.filter(name__in=['Dee', 'Fay', 'Hal']).delete()"
    )
    shop.apply()
    assert shop.values("customer", "_code_key")[2:4] == [("x3",), ("x 3",)]
    assert [code for (code,) in shop.values("customer", "code")][2:4] == ["x3", "x\u00a03"]


def test_a_group_with_an_empty_part_is_no_double(shop: Shop):
    shop.shell(MAKE)
    shop.edit("customer", ("  since: date", "  since: date\nunique: [[city, code]]"))
    said = shop.plan()
    assert "keep city + code of customer from occurring twice" in said
    assert "doubles" not in said
    shop.apply()
    said = shop.shell(
        "from django.apps import apps; C = apps.get_model('shop', 'customer'); "
        "[C(name='N', city='Rome').full_clean() or C.objects.create(name='N', city='Rome') for _ in range(2)]; "
        "C.objects.create(name='N', city='Rome', code='7');\n"
        "try: C(name='N', city='ROME', code='7 ').full_clean()\nexcept Exception as error: print(error)"
    )
    assert "City and Code already exists" in said.stdout.decode()


def test_what_is_compared_follows_a_rename_another_type_and_another_choice(shop: Shop):
    """The twin columns move along, and hold the comparison form of the new values."""
    shop.edit(
        "customer",
        ("code: text", "code: {type: text, unique: true}"),
        ("vip: boolean", "vip: boolean\n  kind: {type: choice, choices: {a: A, b: B}, default: a}"),
        ("  since: date", "  since: date\nunique: [[kind, name]]"),
    )
    shop.apply()
    shop.edit(
        "customer",
        ("code: {type: text, unique: true}", "key: {type: phone, strict: false, unique: true, was: code}"),
        ("{a: A, b: B}, default: a", "{c: {label: C, was: a}, b: B}, default: c"),
    )
    shop.execute("UPDATE shop_customer SET code = '(1) 2-3' WHERE name = 'Ada'")
    said = shop.apply()
    assert "compare the new values of customer.key" in said
    assert "compare customer.code no longer" not in said
    assert shop.values("customer", "_key_key", "_kind_key", "_name_key") == [
        ("123", "c", "ada"),
        ("22", "c", "bob"),
        ("x3", "c", "cy"),
    ]
    shop.execute("UPDATE shop_customer SET key = '1-2 3' WHERE name = 'Bob'")
    shop.edit("customer", ("key: {type: phone, strict: false,", "key: {type: text,"))
    assert "compare the new values of customer.key" in shop.apply()
    assert shop.values("customer", "_key_key")[:2] == [("(1) 2-3",), ("1-2 3",)]
    shop.edit("customer", ("key: {type: text,", "key: {type: phone, strict: false,"))
    said = shop.refused()
    assert "compare the new values of customer.key" in said
