"""Two branches, going back and forth: what the database has is told, and one apply brings merged branches together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.release.branches import Repository, cloned, in_repository
from tests.release.shop import Shop

NICK = "nick: {type: text, required: true, default: none}"
PHONE = "phone: {type: text, default: '0'}"
WORTH = "worth: {type: money, compute: 'sum(purchases.total)'}"


@pytest.fixture
def repository(shop: Shop) -> Repository:
    return in_repository(shop)


def branch(shop: Repository, name: str, *lines: str) -> None:
    """Add fields to the customer on a branch of its own, from `main`."""
    shop.git("checkout", "-q", "-b", name, "main")
    shop.add_field("customer", *lines)
    shop.apply_in_turn()
    shop.commit(f"Branch {name}")


def merge(shop: Repository, name: str, side: str) -> None:
    """Merge a branch whose definitions can be merged by hand; of the snapshot, one side is kept."""
    shop.git("merge", "-q", name, expect=1)
    text = (shop.folder / "customer.yaml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("<<<<<<<", "=======", ">>>>>>>"))]
    (shop.folder / "customer.yaml").write_text("\n".join(lines) + "\n")
    if side != "both":
        shop.git("checkout", f"--{side}", "migrations/applied.json")


@pytest.mark.parametrize("side", ["ours", "theirs", "both"])
def test_one_apply_brings_two_branches_together_and_nothing_is_lost(repository: Repository, side: str):
    shop = repository
    branch(shop, "a", NICK)
    shop.execute("UPDATE shop_customer SET nick = 'Countess' WHERE name = 'Ada'")
    branch(shop, "b", PHONE, "note: text")
    shop.execute("UPDATE shop_customer SET phone = '123' WHERE name = 'Bob'")
    assert len({*shop.migrations()}) == 2
    merge(shop, "a", side)
    if side == "both":
        error = shop.run("check", expect=1).stderr.decode()
        assert error.startswith("Error: applied.json holds both sides of a merge of Git. Finish the merge of the YAML")
    plan = shop.plan()
    assert "Branches were merged: apply brings their migrations together (0002_release_" in plan
    assert "left over" not in plan and "Plan: " in plan
    said = shop.apply()
    first, _, _, merged = shop.migrations()
    assert (
        merged.startswith("0003_merge_")
        and f"Wrote shop/migrations/{merged}.py" in said
        and said.endswith("Applied.\n")
    )
    assert shop.values("customer", "name", "nick", "phone") == [
        ("Ada", "Countess", "0"), ("Bob", "none", "123"), ("Cy", "none", "0"),
    ]  # fmt: skip
    assert shop.values("historicalcustomer", "nick") and shop.values("historicalcustomer", "note")
    shop.pages()
    shop.run("check", "--database", "default")
    shop.run("migrate", "--check")


def test_a_staging_server_is_fed_by_both_branches_and_the_merge_in_turn(repository, full_shop, tmp_path: Path):
    shop = repository
    branch(shop, "a", NICK)
    branch(shop, "b", PHONE)
    merge(shop, "a", "ours")
    shop.apply()
    shop.commit("Merge")
    with cloned(shop, full_shop, tmp_path) as server:
        server.git("checkout", "-q", "a")
        assert server.apply().endswith("Applied.\n")
        server.execute("UPDATE shop_customer SET nick = 'Countess' WHERE name = 'Ada'")
        server.git("checkout", "-q", "-b", "before", "origin/b~1")
        plan = server.plan()
        assert "The column customer.nick is left over, with 3 values: no file here makes it." in plan
        assert "The migration 0002_release_" in plan and "and its file is not here." in plan
        assert server.apply_in_turn().endswith("Applied.\n")
        left = server.plan(expect=3)
        assert left.startswith("shop: the definitions are in force, but the database differs from its files\n")
        assert "customer.nick" in left and "apply --drop-left-over" in left
        again = server.apply_in_turn()
        assert "Applied." not in again and "nothing to do" not in again and "customer.nick" in again
        server.pages()
        server.execute("UPDATE shop_customer SET phone = '123' WHERE name = 'Bob'")
        server.git("merge", "-q", "--ff-only", "origin/b")
        said = server.apply()
        assert "1 migration to run: shop.0003_merge_" in said and said.endswith("Applied.\n")
        assert server.migrations() == shop.migrations() and server.git("status", "--porcelain") == ""
        assert server.values("customer", "name", "nick", "phone")[:3] == [
            ("Ada", "Countess", "0"), ("Bob", "none", "123"), ("Cy", "none", "0"),
        ]  # fmt: skip
        server.pages()


def test_a_server_that_is_fed_by_a_merge_that_nobody_has_applied_makes_the_same_migration(
    repository, full_shop, tmp_path
):
    shop = repository
    branch(shop, "a", NICK)
    branch(shop, "b", PHONE)
    merge(shop, "a", "theirs")
    shop.commit("Merge")
    with cloned(shop, full_shop, tmp_path) as server:
        assert server.apply().endswith("Applied.\n")
        shop.apply()
        assert server.migrations() == shop.migrations()
        written = [path for path in (shop.folder / "migrations").iterdir() if path.suffix in (".py", ".json")]
        assert {path.suffix for path in written} == {".py", ".json"}
        for path in written:
            assert (server.folder / "migrations" / path.name).read_bytes() == path.read_bytes()
        assert sorted(server.columns()["shop_customer"]) == sorted(shop.columns()["shop_customer"])


def test_what_both_branches_have_added_is_added_once(repository: Repository, full_shop, tmp_path):
    shop, visit = repository, "fields:\n  day: date\n  {}: text\n"
    shop.git("checkout", "-q", "-b", "a", "main")
    shop.add_field("customer", NICK)
    shop.write("visit", visit.format("place"))
    shop.apply()
    shop.commit("a")
    shop.git("checkout", "-q", "-b", "b", "main")
    with cloned(shop, full_shop, tmp_path) as other:
        other.git("checkout", "-q", "b")
        other.add_field("customer", NICK, PHONE)
        other.write("visit", visit.format("weather"))
        other.apply()
        other.commit("b")
        other.git("push", "-q", "origin", "HEAD:refs/heads/theirs")
        shop.git("checkout", "-q", "a")
        merge(shop, "theirs", "ours")
        (shop.folder / "customer.yaml").write_text((other.folder / "customer.yaml").read_text())
        shop.write("visit", "fields:\n  day: date\n  place: text\n  weather: text\n")
        shop.execute("UPDATE shop_customer SET nick = 'Countess' WHERE name = 'Ada'")
        shop.apply()
        shop.commit("Merge")
        assert shop.values("customer", "name", "nick", "phone")[0] == ("Ada", "Countess", "0")
        other.git("pull", "-q", "--ff-only", "origin", "a")
        other.apply()
        assert {name: sorted(columns) for name, columns in other.columns().items()} == {
            name: sorted(columns) for name, columns in shop.columns().items()
        }
        shop.pages("customer", "purchase", "visit")


def test_branches_that_contradict_each_other_are_told_with_the_way_out(repository: Repository, full_shop, tmp_path):
    shop = repository
    branch(shop, "a", "nick: {type: text, max_length: 30}")
    shop.git("checkout", "-q", "-b", "b", "main")
    with cloned(shop, full_shop, tmp_path) as other:
        other.add_field("customer", "nick: integer")
        other.apply()
        other.commit("b")
        other.git("push", "-q", "origin", "HEAD:refs/heads/theirs")
    shop.git("checkout", "-q", "a")
    merge(shop, "theirs", "ours")
    shop.edit("customer", ("  nick: integer\n", ""))
    for words in (("plan",), ("apply", "--yes")):
        error = shop.run(*words, expect=1).stderr.decode()
        assert "The migrations of two branches contradict each other (0002_release_" in error
        assert "customer.nick is added by both, as different columns. Delete the file of the one" in error
    theirs = [name for name in shop.migrations()[1:] if name not in shop.git("ls-tree", "-r", "--name-only", "a")]
    (shop.folder / "migrations" / f"{theirs[0]}.py").unlink()
    shop.apply()
    shop.pages()


def test_branches_that_contradict_each_other_where_both_have_run_can_be_merged(
    repository: Repository, full_shop, tmp_path
):
    shop = repository
    branch(shop, "a", "rating: integer")
    shop.execute("UPDATE shop_customer SET rating = 5 WHERE name = 'Ada'")
    shop.git("checkout", "-q", "-b", "b", "main")
    with cloned(shop, full_shop, tmp_path) as other:
        other.add_field("customer", "rating: text")
        other.apply()
        other.execute("UPDATE shop_customer SET rating = 'good' WHERE name = 'Bob'")
        other.edit("customer", ("rating: text", "remark: {type: text, was: rating}"))
        other.apply()
        other.commit("b")
        other.git("push", "-q", "origin", "HEAD:refs/heads/theirs")
        shop.git("checkout", "-q", "a")
        merge(shop, "theirs", "ours")
        assert "delete all files of one of the branches" in shop.run("plan", expect=1).stderr.decode()
        own = shop.git("ls-tree", "-r", "--name-only", "a")
        for name in shop.migrations():
            if name not in own:
                (shop.folder / "migrations" / f"{name}.py").unlink()
        assert "is still there, too: remove it, or leave 'was' out." in shop.plan()
        shop.edit("customer", ("remark: {type: text, was: rating}", "remark: text"))
        shop.apply()
        shop.commit("Merge")
        other.git("pull", "-q", "--ff-only", "origin", "a")
        assert "customer.remark is left over, with 1 value, and is as these definitions add it." in other.plan()
        other.apply_in_turn()
        assert other.values("customer", "rating", "remark") == [(None, ""), (None, "good"), (None, "")]
        other.apply_in_turn("--drop-left-over")
        other.plan(expect=0)
    assert shop.values("customer", "rating", "remark") == [(5, ""), (None, ""), (None, "")]


def test_going_back_names_what_is_left_over_and_forth_again_finds_it(repository: Repository):
    shop = repository
    branch(shop, "a", NICK, WORTH)
    shop.git("checkout", "-q", "main")
    shop.pages()
    plan = shop.plan()
    assert "The column customer.nick is left over, with " in plan and "The column customer.worth is left over" in plan
    assert "other definitions than those of applied.json" in plan
    assert "must have a value" not in plan
    assert shop.apply_in_turn().endswith("Applied.\n")
    assert shop.plan(expect=3).count("is left over") == 2
    assert "customer.nick" in shop.apply_in_turn()
    shop.git("checkout", "-q", "a")
    assert "left over" not in shop.plan()
    shop.apply()
    assert [row[0] for row in shop.values("customer", "nick")] == ["none"] * 4
    shop.pages()


def rename(shop: Repository) -> None:
    """Rename what stands alone, what is unique, what links and what is tagged, on a branch of its own."""
    shop.edit("customer", ("  code: text", "  code: {type: text, unique: true}"), ("  city: text", "  city: text\n  boss: {type: link, to: customer}"))  # fmt: skip
    shop.apply()
    shop.commit("What is renamed next")
    shop.execute("UPDATE shop_customer SET boss_id = 1 WHERE name = 'Bob'")
    shop.git("checkout", "-q", "-b", "renamed")
    shop.edit("customer", ("  code:", "  number:"), ("unique: true", "unique: true, was: code"), ("city: text", "town: {type: text, was: city}"), ("boss: {", "chief: {was: boss, "), ("groups: tags", "marks: {type: tags, was: groups}"))  # fmt: skip
    shop.edit("item", ("position:", "rank:"), ("required: true}\n  product", "required: true, was: position}\n  product"), ("[[purchase, position]]", "[[purchase, rank]]"))  # fmt: skip
    shop.edit("purchase", ("helpers:", "aides:"), ("to: helper", "to: helper, was: helpers"), ("order_by: position", "order_by: rank"))  # fmt: skip
    shop.apply()
    shop.commit("Renamed")


TAGS = "from django.apps import apps; print(list(apps.get_model('shop', 'customer').objects.get(name='Ada').{}.values_list('scope', 'name')))"


def test_a_rename_is_taken_back_with_its_values_and_done_again_forth(repository: Repository):
    shop = repository
    rename(shop)
    *_, migration = shop.migrations()
    towns = shop.values("customer", "number", "town", "chief_id")
    pairs = shop.values("purchase_aides", "purchase_id", "helper_id")
    for _again in range(2):
        shop.git("checkout", "-q", "main")
        plan = shop.plan()
        assert (
            f"customer.town holds what customer.city is to hold (2 values): the migration {migration} renamed" in plan
        )
        assert "left over" not in plan and "missing" not in plan and "crm_archive" not in plan
        shop.apply_in_turn()
        assert shop.plan(expect=3).count("?") == 1, "the migration whose file is not here"
        assert shop.values("customer", "code", "city", "boss_id") == towns
        assert shop.values("purchase_helpers", "purchase_id", "helper_id") == pairs
        assert shop.values("historicalcustomer", "city")
        assert "shop.customer.groups" in shop.shell(TAGS.format("groups")).stdout.decode()
        shop.pages()
        shop.git("checkout", "-q", "renamed")
        assert f"customer.city holds what customer.town is to hold (2 values): the migration {migration}" in shop.plan()
        shop.apply()
        assert shop.values("customer", "number", "town", "chief_id")[:3] == towns[:3]
        assert shop.values("purchase_aides", "purchase_id", "helper_id") == pairs
        assert "shop.customer.marks" in shop.shell(TAGS.format("marks")).stdout.decode()
        towns = shop.values("customer", "number", "town", "chief_id")
    shop.edit("customer", ("unique: true, was: code", "was: code"))
    shop.edit("item", ("unique: [[purchase, rank]]", "unique: [[product, rank, purchase]]"))
    shop.apply()
    shop.pages()


def test_records_that_the_database_cannot_be_asked_for_are_told_with_what_to_run(repository: Repository):
    shop = repository
    branch(shop, "a", "worth: money")
    shop.git("checkout", "-q", "main")
    shop.apply_in_turn("--drop-left-over")
    shop.git("checkout", "-q", "a")
    shop.execute(f"INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '{shop.migrations()[-1]}', '2026-01-01')")  # fmt: skip
    told = "This database does not have customer.worth, which the definitions in force ask for"
    for words in (("export", "customer"), ("purge",)):
        error = shop.run(*words, expect=1).stderr.decode()
        assert error.startswith(f"CommandError: {told}") and "Run: manage.py plan, and then manage.py apply" in error
    assert "503 True\n503 True\n200 False" in shop.shell(ANSWERS.format(told)).stdout.decode()
    shop.apply()
    assert shop.run("export", "customer").stdout.startswith(b"id,worth,name,")


ANSWERS = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client(SERVER_NAME="localhost", raise_request_exception=False)
client.force_login(get_user_model().objects.create_superuser("root", "", "x"))
for page in ("customer/", "customer/1/change/", "helper/add/"):
    answer = client.get("/admin/shop/" + page)
    print(answer.status_code, {!r} in answer.content.decode())
"""


def test_a_rename_that_no_release_has_noted_is_known_by_its_migration(repository: Repository):
    """Releases note renames since some version of the engine, and `manage.py migrate` notes nothing."""
    shop = repository
    shop.git("checkout", "-q", "-b", "renamed")
    shop.edit("customer", ("city: text", "town: {type: text, was: city}"))
    shop.apply()
    shop.commit("Renamed")
    shop.execute("UPDATE crm_release SET renames = '[]'")
    assert "nothing to do" in shop.apply_in_turn()
    shop.git("checkout", "-q", "main")
    plan = shop.plan()
    assert "customer.town holds what customer.city is to hold (2 values)" in plan and "missing" not in plan


def test_a_rename_that_cannot_be_taken_back_names_the_place_and_waits_for_consent(repository: Repository):
    shop = repository
    shop.git("checkout", "-q", "-b", "renamed")
    shop.rename("helper", "aide")
    shop.edit("aide", ("fields:\n", "was: helper\nfields:\n"))
    shop.edit("purchase", ("to: helper", "to: aide"))
    shop.apply()
    shop.edit("customer", ("city: text", "town: {type: integer, was: city}"))
    shop.execute("UPDATE shop_customer SET city = '7'")
    shop.execute("UPDATE shop_historicalcustomer SET city = '7'")
    shop.apply()
    shop.commit("Renamed")
    shop.git("checkout", "-q", "main")
    plan = shop.plan()
    assert "The table of helper is missing in the database. What it held is in aide: the migration 0002_" in plan
    assert "The column customer.city is missing in the database. What it held is in customer.town: the mig" in plan
    assert "So apply does not add it empty." in plan and "that is in the way" in shop.refused()
    shop.git("checkout", "-q", "renamed")
    shop.plan(expect=0)


def test_what_is_left_over_can_be_dropped_archived_and_comes_again_with_its_branch(repository: Repository):
    shop = repository
    branch(shop, "a", NICK, "code2: {type: text, unique: true}", "friend: {type: link, to: customer}", "tags2: tags")
    shop.git("checkout", "-q", "-b", "more", "a")
    shop.write("visit", "fields:\n  who: {type: link, to: customer, required: true}\n  day: date\n")
    shop.apply()
    shop.commit("An entity")
    shop.execute("UPDATE shop_customer SET friend_id = 1, nick = 'B' WHERE name = 'Bob'")
    shop.execute("INSERT INTO shop_visit (who_id, day) VALUES (1, '2026-01-31')")
    number = shop.values("customer", "MAX(id)", order="1")
    shop.git("checkout", "-q", "main")
    said = shop.run("apply", "--yes", "--drop-left-over").stdout.decode()
    assert (
        "The table of visit is left over, with 1 record" in said and "Archived and dropped what was left over." in said
    )
    shop.plan(expect=0)
    assert "nick" not in str(shop.columns()) and "shop_visit" not in shop.columns()
    kept = dict(shop.rows("""SELECT "table" || '.' || "column", rows FROM crm_archive WHERE "column" <> 'worth'"""))
    assert "'B'" in str(kept["shop_customer.nick"]).replace('"', "'") and "2026-01-31" in str(kept["shop_visit."])
    shop.pages()
    assert shop.values("customer", "MAX(id)", order="1") > number
    shop.git("checkout", "-q", "more")
    shop.apply()
    assert {row[0] for row in shop.values("customer", "nick")} == {"none"}
    shop.pages("customer", "visit")


def test_what_is_left_over_may_be_in_the_way(repository: Repository):
    shop = repository
    branch(shop, "a", NICK)
    shop.git("checkout", "-q", "main")
    shop.add_field("customer", "nick: integer")
    shop.add_field("customer", PHONE)
    shop.execute("ALTER TABLE shop_helper ADD COLUMN by_hand integer")
    plan = shop.plan()
    assert "It is in the way of another one that these definitions add." in plan
    assert "To give it up: apply --drop-left-over customer.nick archives" in " ".join(plan.split())
    assert "and that is in the way:" in shop.refused()
    assert "Nothing that is left over is called customer.nik. Did you mean 'customer.nick'?" in shop.refused("--drop-left-over", "customer.nik")  # fmt: skip
    shop.apply_in_turn("--drop-left-over", "customer.nick")
    assert "by_hand" in shop.columns()["shop_helper"]
    assert shop.values("customer", "nick") == [(None,)] * 3


def test_a_column_that_is_left_over_and_added_just_so_keeps_its_values(repository: Repository, full_shop, tmp_path):
    shop = repository
    same = (
        "nick: {type: text, unique: true}",
        "friend: {type: link, to: customer}",
        "stars: {type: integer, default: 3}",
    )
    generated = "long: {type: integer, compute: len(name)}"
    shop.git("checkout", "-q", "-b", "a")
    shop.add_field("customer", *same, generated, "unlike: text")
    with cloned(shop, full_shop, tmp_path) as other:
        other.git("checkout", "-q", "-b", "b")
        other.add_field("customer", *same, generated, PHONE, "unlike: integer")
        other.apply()
        other.commit("b")
        other.git("push", "-q", "origin", "b")
    shop.apply()
    shop.commit("a")
    shop.execute("UPDATE shop_customer SET nick = 'C', friend_id = 2, stars = 5, _nick_key = 'c' WHERE name = 'Ada'")
    shop.execute("UPDATE shop_historicalcustomer SET nick = 'Then' WHERE name = 'Ada'")
    shop.git("checkout", "-q", "b")
    plan = shop.plan()
    assert "The column customer.nick is left over, with 1 value, and is as these definitions add it." in plan
    assert plan.count("and is as these definitions add it.") == 5 and "apply keeps its values." in plan
    assert "customer.unlike is left over, with 0 values: no file here makes it. It is in the way of another" in plan
    assert "customer.unlike" in shop.refused() and "customer.nick" not in shop.refused()
    shop.apply_in_turn("--drop-left-over", "customer.unlike")
    shop.plan(expect=3)
    assert shop.values("customer", "nick", "friend_id", "stars", "_nick_key", "long", "phone") == [
        ("C", 2, 5, "c", 3, "0"), (None, None, 3, None, 3, "0"), (None, None, 3, None, 2, "0"),
    ]  # fmt: skip
    assert ("Then",) in shop.values("historicalcustomer", "nick")
    shop.pages()


@pytest.mark.parametrize("dropped", [False, True], ids=["left over", "dropped"])
def test_the_same_line_added_again_after_going_back_is_applied(repository: Repository, dropped: bool):
    """Its migration has the name of the one that the database has run, whose file is not here."""
    repository.git("checkout", "-qb", "a")
    repository.add_field("customer", "nick: text")
    repository.apply()
    repository.commit("A nick")
    repository.shell("from django.apps import apps\napps.get_model('shop', 'customer').objects.update(nick='N')")
    names = [path.name for path in sorted((repository.folder / "migrations").glob("0*.py"))]
    repository.git("checkout", "-q", "main")
    if dropped:
        repository.run("apply", "--yes", "--drop-left-over", "customer.nick")
    repository.add_field("customer", "nick: text")
    repository.apply()
    assert [path.name for path in sorted((repository.folder / "migrations").glob("0*.py"))] == names
    assert set(repository.values("customer", "nick")) == {("" if dropped else "N",)}
    repository.pages()


def test_a_link_that_is_left_over_and_must_have_a_value_is_told(repository: Repository):
    shop = repository
    shop.git("checkout", "-q", "-b", "a")
    shop.write("visit", "fields:\n  day: date\n")
    shop.apply()
    shop.commit("a")
    shop.add_field("visit", "who: {type: link, to: customer, required: true}")
    shop.apply()
    shop.git("stash", "-q", "-u")
    plan = shop.plan()
    assert "visit.who_id is left over, with 0 values: no file here makes it. It must have a value, so new" in plan
    shop.apply_in_turn("--drop-left-over")
    shop.plan(expect=0)


def test_what_the_database_has_lost_is_told_and_added(repository: Repository):
    shop = repository
    shop.add_field("customer", PHONE, "nick: {type: text, unique: true}")
    shop.apply()
    shop.execute("DROP TABLE shop_historicalhelper")
    shop.execute("DROP TABLE shop_purchase_helpers")
    shop.execute("ALTER TABLE shop_customer DROP COLUMN phone")
    shop.execute("ALTER TABLE shop_item DROP COLUMN product")
    plan = shop.plan()
    for name in ("table of the history of helper", "table of purchase.helpers", "column customer.phone"):
        assert f"The {name} is missing in the database." in plan
    assert "so apply cannot add it: restore a backup" in plan
    assert "and that is in the way:" in shop.refused()
    shop.execute("DELETE FROM shop_item")
    shop.add_field("customer", "more: text")
    said = shop.apply()
    assert said.endswith("Applied.\n") and "Ran them." in said
    assert shop.values("customer", "phone", "more") == [("0", "")] * 3
    shop.pages()


def test_a_column_that_was_changed_by_hand_is_told(repository: Repository):
    shop = repository
    table = "shop_helper"
    if shop.database_url:
        shop.execute(f"ALTER TABLE {table} ALTER COLUMN name TYPE text")
    else:
        shop.execute(f"ALTER TABLE {table} RENAME COLUMN name TO old")
        shop.execute(f"ALTER TABLE {table} ADD COLUMN name text NOT NULL DEFAULT ''")
    plan = shop.plan(expect=3)
    assert "The column helper.name is text in the database, and the migrations made it character varying(" in plan
    assert "Applied." not in shop.apply_in_turn()


def test_what_does_not_belong_to_the_business_is_none_of_its_business(repository: Repository):
    shop = repository
    shop.execute("CREATE TABLE shop_by_hand (id integer)")
    shop.execute("CREATE TABLE shopping_list (id integer)")
    shop.plan(expect=0)
    shop.apply_in_turn("--drop-left-over")
    assert "shop_by_hand" in shop.columns()


def test_a_uniqueness_that_was_lost_comes_back_and_one_that_is_left_over_is_told(repository: Repository):
    shop = repository
    branch(shop, "a", "nick: {type: text, unique: true}")
    shop.git("checkout", "-q", "main")
    shop.edit("customer", ("code: text", "code: {type: text, unique: true}"))
    shop.git("stash", "-q")
    shop.execute("CREATE UNIQUE INDEX by_hand ON shop_helper (name)")
    assert "name of helper must be unique in the database, and no file here asks for that." in shop.plan()
    shop.apply_in_turn("--drop-left-over")
    shop.plan(expect=0)
    shop.execute("INSERT INTO shop_helper (name) VALUES ('Hal')")


def test_a_folder_of_another_name_is_told_to_be_renamed(repository: Repository):
    shop = repository
    other = Repository(shop.folder.with_name("store"), shop.var, shop.database_url)
    shop.git("clone", "-q", str(shop.folder), str(other.folder))
    (name,) = other.migrations()
    told = f"CommandError: store/migrations/{name}.py is of the business shop, and its folder is called store."
    for words in (("plan",), ("apply", "--yes"), ("export", "customer")):
        error = other.run(*words, expect=1).stderr.decode()
        assert error.startswith(told) and "rename it to shop (git clone … shop)." in error


def test_a_migration_with_both_sides_of_a_merge_or_without_what_it_builds_on_is_told(repository: Repository):
    shop = repository
    (name,) = shop.migrations()
    path = shop.folder / "migrations" / f"{name}.py"
    text = path.read_text()
    path.write_text(f"<<<<<<< HEAD\n{text}")
    error = shop.run("plan", expect=1).stderr.decode()
    assert error.startswith(f"CommandError: shop/migrations/{name}.py:1: a merge of Git is not finished here.")
    path.write_text(text)
    shop.add_field("customer", PHONE)
    shop.apply()
    path.unlink()
    error = shop.run("apply", "--yes", expect=1).stderr.decode()
    assert f"builds on shop.{name}, whose file is not here. Bring it here from the branch that has it." in error


def test_a_left_over_default_with_a_sign_of_its_own_survives_a_table_that_is_made_anew(shop: Shop):
    shop.execute("ALTER TABLE shop_customer ADD COLUMN rate text DEFAULT '5 % off' NOT NULL")
    shop.edit("customer", ("max_length: 80", "max_length: 70"))
    shop.run("apply", "--yes")
    shop.shell("from django.apps import apps; apps.get_model('shop', 'customer').objects.create(name='New')")
    assert set(shop.values("customer", "rate")) == {("5 % off",)}


def test_a_generated_column_that_is_left_over_is_worked_out_anew_where_it_is_added_just_so(repository: Repository):
    """The database keeps its values from being written, those that were kept as well."""
    shop, generated = repository, "long: {type: integer, compute: len(name)}"
    branch(shop, "a", generated)
    shop.git("checkout", "-q", "main")
    shop.add_field("customer", generated, PHONE)
    assert "The column customer.long is left over, with 3 values, and is as these definitions add it." in shop.plan()
    shop.apply_in_turn()
    assert shop.values("customer", "long") == [(3,), (3,), (2,)]
