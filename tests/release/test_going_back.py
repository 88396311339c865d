"""Files of another time beside a database that a later release has changed: choices, left-overs, types."""

from __future__ import annotations

from tests.release.branches import in_repository
from tests.release.shop import Shop

EXCHANGE = ("{open: Open, done: Done}, default: open", "{waiting: {was: open}, done: Done}, default: waiting")


def states(shop: Shop) -> set[str]:
    rows = [*shop.values("purchase", "state"), *shop.values("historicalpurchase", "state", order="history_id")]
    return {state for (state,) in rows}


def test_an_exchanged_choice_is_exchanged_back_and_forth(shop: Shop):
    repository = in_repository(shop)
    repository.git("checkout", "-qb", "later")
    repository.edit("purchase", EXCHANGE)
    repository.apply()
    repository.commit("Waiting")
    repository.git("checkout", "-q", "main")
    told = repository.plan()
    assert "? 2 records hold 'waiting' in purchase.state, which is none of its choices here." in told
    assert "exchanged it with 'open': apply exchanges it back" in " ".join(told.split())
    repository.apply_in_turn()
    assert states(repository) == {"open"}
    assert "'waiting'" not in repository.plan(expect=3)
    repository.git("checkout", "-q", "later")
    assert "2 records hold 'open' in purchase.state" in repository.plan()
    repository.apply()
    assert states(repository) == {"waiting"}


def test_a_choice_that_no_release_exchanged_gets_one_by_was(shop: Shop):
    shop.execute("UPDATE shop_purchase SET state = 'lost'")
    told = " ".join(shop.plan(expect=3).split())
    assert "2 records hold 'lost' in purchase.state" in told and "as in 'open: {was: lost}', and apply." in told
    shop.edit("purchase", ("{open: Open", "{open: {label: Open, was: lost}"))
    assert "~ exchange choices of purchase.state: 'open' for 'lost' — converts" in shop.plan()
    shop.apply()
    assert states(shop) == {"open"}


def test_a_migration_is_forgotten_with_its_last_column(shop: Shop):
    repository = in_repository(shop)
    repository.git("checkout", "-qb", "later")
    repository.add_field("customer", "nick: text", "rank: integer")
    repository.apply()
    repository.commit("Nick and rank")
    repository.git("checkout", "-q", "main")
    repository.apply_in_turn("--drop-left-over", "customer.nick")
    assert "was run in this database, and its file is not here" in repository.plan(expect=3)
    repository.apply("--drop-left-over", "customer.rank")
    repository.git("checkout", "-q", "later")
    repository.apply()
    assert {"nick", "rank"} <= set(repository.columns()["shop_customer"])


def test_values_that_a_type_cannot_take_are_told_the_way_through(shop: Shop):
    shop.edit("customer", ("city: text", "city: tags"))
    told = shop.plan()
    assert "A text field does not convert to a tags field. To keep the values, leave 'city' as it is" in told
    shop.edit("customer", ("city: tags", "places: tags"))
    assert "A text field does not convert to a tags field." in shop.plan()
    shop.edit("customer", ("places: tags", "places: {type: tags, was: city}"))
    told = shop.plan()
    assert "does not convert to a tags field" in told and "write 'was:" not in told
    shop.edit("customer", ("places: {type: tags, was: city}", "town: text"))
    assert "write 'was: city' at the new field" in shop.plan()


MERGED = """
from django.apps import apps
print(sorted(apps.get_model("shop", "purchase").objects.values_list("doubled", flat=True), key=str))
"""


def test_a_merge_of_a_renamed_field_that_is_computed_from_is_quiet(shop: Shop):
    repository = in_repository(shop)
    shop.add_field("customer", "size: {type: integer, default: 2}")
    shop.add_field("purchase", "doubled: {type: integer, compute: customer.size * 2}")
    repository.apply()
    repository.commit("Computed")
    repository.git("checkout", "-qb", "other")
    repository.add_field("helper", "nick: text")
    repository.apply()
    repository.commit("Nick")
    repository.git("checkout", "-q", "main")
    repository.apply_in_turn("--drop-left-over")
    repository.edit("customer", ("size: {type: integer,", "capacity: {type: integer, was: size,"))
    repository.edit("purchase", ("customer.size", "customer.capacity"))
    repository.apply()
    repository.commit("Capacity")
    repository.git("merge", "-q", "-X", "theirs", "other", "-m", "Merged")
    repository.git("checkout", "-q", "other", "--", "migrations/applied.json")
    repository.execute("UPDATE shop_purchase SET doubled = 7")
    ended = repository.run("apply", "--yes")
    said = (ended.stdout + ended.stderr).decode()
    assert "failed" not in said and "could not" not in said and said.rstrip().endswith("Applied."), said
    assert repository.shell(MERGED).stdout.decode().strip() == "[4, 4]"
    repository.plan(expect=0)
