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
