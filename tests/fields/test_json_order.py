"""JSON is compared as data: the order of its keys, which SQLite keeps and PostgreSQL does not, is no change."""

from __future__ import annotations

from types import SimpleNamespace

from crm.fields.identity import Json


def test_the_order_of_keys_is_nothing_that_people_see():
    field, kind = SimpleNamespace(), Json()
    one, other = {"n": 1, "f": {"b": 2, "a": [1]}}, {"f": {"a": [1], "b": 2}, "n": 1}
    assert kind.display(one, field) == kind.display(other, field) == '{"f": {"a": [1], "b": 2}, "n": 1}'
    assert kind.equals(one, other)
    assert kind.display([2, 1], field) != kind.display([1, 2], field)
