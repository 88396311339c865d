"""Trees in one file: rows that link to other rows of the same file are imported at once, previewed and undone."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from properties.world import installed

from crm.capabilities.history.versions import links_of
from crm.capabilities.transfer.models import ImportRun
from crm.capabilities.transfer.runs import finish_run, import_file, start_run, undo_run
from tests.capabilities.transfer.files import csv_file, told

NAMED = {"name": {"type": "text", "required": True}}
PARENT = {"type": "link", "to": "account", "on_delete": "protect"}
DOCUMENTS = {
    "app.yaml": {"name": "Trees"},
    "account.yaml": {
        "title": "{name}",
        "fields": {
            "code": {"type": "text", "unique": True, "max_length": 10},
            **NAMED,
            "level": "integer",
            "phone": "phone",
            "parent": PARENT,
            "referrer": {"type": "link", "to": "account", "on_delete": "empty"},
            "twin": {"type": "link", "to": "account", "unique": True, "on_delete": "empty"},
            "partners": {"type": "links", "to": "account"},
            "below": {"type": "integer", "compute": "sum(account_parent.level)"},
        },
        "rules": [{"check": "parent == null or parent.level < level", "message": "{name} is not below its parent."}],
        "transfer": {"match_on": ["code"]},
    },
    "category.yaml": {
        "title": "{name}",
        "fields": {**NAMED, "within": {"type": "link", "to": "category", "on_delete": "cascade"}},
        "trash": {"restore_for": "30d"},
    },
    "book.yaml": {
        "title": "{name}",
        "fields": {**NAMED, "lines": {"type": "table", "of": "line"}},
        "transfer": {"match_on": ["name"]},
    },
    "line.yaml": {
        "fields": {
            "position": {"type": "integer", "required": True},
            "after": {"type": "link", "to": "line", "on_delete": "empty"},
        },
        "transfer": {"match_on": ["book", "position"]},
    },
}
ROWS = [
    ["code", "name", "level", "parent", "referrer", "partners"],
    ["C", "Cellar", 3, "B", "A", ""],
    ["B", "Bakery", 2, "A", "", "A; C"],
    ["A", "Alpha", 1, "", "C", ""],
]


class Models:
    def __init__(self, label: str):
        self.label = label
        self.business = apps.get_app_config(label).business

    def __getattr__(self, name: str):
        return apps.get_model(self.label, name.capitalize())

    def take_in(self, name: str, *rows, **options):
        return import_file(self.business.entities[name], f"{name}.csv", csv_file(*rows), **options)

    def tree(self, link: str = "parent") -> dict:
        return dict(self.account.objects.order_by("code").values_list("code", f"{link}__code"))


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), installed(DOCUMENTS) as business:
        yield Models(business.label)


@pytest.fixture
def trees(built, db):
    return built


def test_later_rows_circles_and_many_links_in_one_file(trees):
    run, found = trees.take_in("account", *ROWS)
    assert told(found) == [] and run.new == 3
    assert trees.tree() == {"A": None, "B": "A", "C": "B"}
    assert trees.tree("referrer") == {"A": "C", "B": None, "C": "A"}
    bakery = trees.account.objects.get(code="B")
    assert {one.code for one in bakery.partners.all()} == {"A", "C"}
    assert (bakery.below, bakery.parent.below) == (3, 2)
    for record in trees.account.objects.all():
        (version,) = record.history.all()
        assert (version.history_change, version.history_type) == (run.change, "+")
        assert (version.parent_id, version.referrer_id) == (record.parent_id, record.referrer_id)
    version, partners = bakery.history.get(), trees.account._meta.get_field("partners")
    assert set(links_of([version], partners)[version.pk]) == {one.pk for one in bakery.partners.all()}


def test_a_record_may_link_to_itself(trees):
    _, found = trees.take_in("account", ["code", "name", "referrer", "partners"], ["A", "Alpha", "A", "A"])
    assert told(found) == []
    alpha = trees.account.objects.get()
    assert alpha.referrer == alpha and list(alpha.partners.all()) == [alpha]


def test_it_is_undone_as_one_change_though_the_links_protect(trees):
    trees.account.objects.create(code="Z", name="Zero", level=1)
    trees.take_in("account", *ROWS, ["Z", "Zero", 4, "C", "A", "B"])
    assert trees.tree()["Z"] == "C"
    said = undo_run(ImportRun.objects.get(), None)
    assert said == "3 removed, 1 as they were before."
    zero = trees.account.objects.get()
    assert (zero.code, zero.parent, zero.referrer, zero.level, list(zero.partners.all())) == ("Z", None, None, 1, [])


def test_undoing_spares_what_would_take_later_records_along(trees):
    run, _ = trees.take_in("category", ["name", "within"], ["Wine", "Drinks"], ["Drinks", ""], ["Cheese", ""])
    wine = trees.category.objects.get(name="Wine")
    late = trees.category.objects.create(name="Port", within=wine)
    said = undo_run(run, None)
    assert said == "1 removed, 0 as they were before, 2 left alone because they were changed since: Wine, Drinks."
    assert set(trees.category.objects.values_list("name", flat=True)) == {"Wine", "Drinks", "Port"}
    late.refresh_from_db()
    assert late.within == wine


def test_undoing_leaves_who_moved_below_a_new_record(trees):
    old = trees.category.objects.create(name="Old")
    run, found = trees.take_in("category", ["id", "name", "within"], [old.pk, "Old", "New"], ["", "New", ""])
    assert told(found) == []
    assert undo_run(run, None) == "1 removed, 1 as they were before."
    old.refresh_from_db()
    assert old.within is None and list(trees.category.objects.all()) == [old]


def test_the_preview_shows_that_a_link_leads_to_a_row_of_the_file(trees, admin_user):
    trees.account.objects.create(code="Z", name="Zero", level=9)
    run = start_run(trees.business.entities["account"], "a.csv", csv_file(*ROWS, ["Z", "Zero", 9, "C", "", ""]), None)
    assert (run.new, run.updated, run.failed) == (3, 1, 0) and trees.account.objects.count() == 1
    cellar, bakery, _, zero = run.read_preview()["rows"]
    assert ["Parent", "B (row 3 of this file)"] in cellar["cells"]
    assert ["Partners", "A (row 4 of this file), C (row 2 of this file)"] in bakery["cells"]
    assert ["Parent", "", "C (row 2 of this file)"] in zero["changes"]
    finish_run(run, trees.business.entities["account"], admin_user)
    assert trees.tree() == {"A": None, "B": "A", "C": "B", "Z": "C"}


def test_the_same_file_again_changes_nothing(trees):
    trees.take_in("account", *ROWS)
    _, again = trees.take_in("account", *ROWS)
    assert again.counts == {"new": 0, "updated": 0, "unchanged": 3, "failed": 0}


def test_a_title_names_a_row_where_no_key_does(trees):
    rows = [["name", "within"], ["Red wine", "Wine"], ["Wine", "Drinks"], ["Drinks", ""]]
    run, found = trees.take_in("category", *rows)
    assert told(found) == []
    within = trees.category.objects.values_list("name", "within__name")
    assert dict(within) == {"Red wine": "Wine", "Wine": "Drinks", "Drinks": None}
    assert undo_run(run, None).startswith("3 removed")
    assert not trees.category.objects.exists()


def test_a_title_that_two_rows_have_names_neither(trees):
    _, found = trees.take_in("category", ["name", "within"], ["Wine", ""], ["Wine", ""], ["Red", "Wine"])
    assert told(found) == ["4 within: 'Wine' means more than one category."]


def test_a_number_that_is_an_id_and_a_title_names_neither(trees):
    other = trees.category.objects.create(name="Other")
    _, found = trees.take_in("category", ["name", "within"], [str(other.pk), ""], ["Red", str(other.pk)])
    assert told(found) == [f"3 within: '{other.pk}' means more than one category."]


def test_rows_of_a_table_link_to_each_other_by_keys_of_several_parts(trees):
    trees.book.objects.create(name="One|Two")
    key = r"One\|Two|{}".format
    rows = [["book", "position", "after"], ["One|Two", 1, key(3)], ["One|Two", 2, key(1)], ["One|Two", 3, ""]]
    _, found = trees.take_in("line", *rows)
    assert told(found) == []
    assert dict(trees.line.objects.values_list("position", "after__position")) == {1: 3, 2: 1, 3: None}


def test_a_key_means_the_record_that_has_it_after_the_import(trees):
    old = trees.account.objects.create(code="A", name="Old", level=1)
    rows = [["id", "code", "name", "level", "parent"], [old.pk, "B", "Old", 1, ""], ["", "C", "New", 2, "B"]]
    _, found = trees.take_in("account", *rows)
    assert told(found) == [] and trees.tree() == {"B": None, "C": "B"}


def test_whoever_links_to_a_row_that_fails_is_told_which_row_is_to_blame(trees):
    rows = [["code", "name", "level", "phone", "parent"], ["C", "C", 3, "", "B"], ["B", "B", 2, "", "A"]]
    _, found = trees.take_in("account", *rows, ["A", "A", 1, "12", ""], ["D", "D", 2, "", "A"])
    first, *others = told(found)
    assert first.startswith("4 phone: ")
    blamed = "parent: leads to the record of row 4, which cannot be imported."
    assert others == [f"2 {blamed}", f"3 {blamed}", f"5 {blamed}"]
    assert found.counts["failed"] == 4 and not trees.account.objects.exists()


def test_a_key_that_is_wrong_itself_is_told_once(trees):
    _, found = trees.take_in("account", ["code", "name", "parent"], ["x" * 11, "A", ""], ["B", "B", "x" * 11])
    first, second = told(found)
    assert first.startswith("2 code: ") and second.startswith("3 parent: leads to the record of row 2")


def test_a_rule_sees_the_records_of_the_file_as_they_will_be(trees):
    trees.take_in("account", *ROWS)
    rows = [["code", "name", "level", "parent"], ["A", "Alpha", 11, ""], ["B", "Bakery", 12, "A"], ["C", "C", 13, "B"]]
    _, found = trees.take_in("account", *rows)
    assert told(found) == []
    _, found = trees.take_in("account", ["code", "name", "level", "parent"], ["E", "E", 5, "F"], ["F", "F", 5, ""])
    assert told(found) == ["2 parent: E is not below its parent."]
    run = start_run(
        trees.business.entities["account"], "a.csv", csv_file(rows[0], ["E", "E", 5, "F"], ["F", "F", 5, ""]), None
    )
    assert run.failed == 1


def test_two_links_to_one_new_row_where_only_one_may_lead_there(trees):
    _, found = trees.take_in("account", ["code", "name", "twin"], ["A", "A", "C"], ["B", "B", "C"], ["C", "C", ""])
    assert told(found) == ["3 twin: is the same as in row 2."]


def test_a_word_that_is_nowhere_is_told(trees):
    _, found = trees.take_in("account", ["code", "name", "parent"], ["A", "A", "Nobody"])
    assert told(found) == ["2 parent: there is no account 'Nobody'."]


def test_ten_times_the_rows_cost_hardly_more_queries(trees):
    def cost(letter: str, count: int) -> int:
        rows = [
            [f"{letter}{n}", f"{letter}{n}", n, f"{letter}{n - 1}" if n else "", f"{letter}{count - n - 1}"]
            for n in range(count)
        ]
        with CaptureQueriesContext(connection) as queries:
            _, found = trees.take_in("account", ["code", "name", "level", "parent", "partners"], *rows)
        assert told(found) == []
        return len(queries)

    small, large = cost("A", 20), cost("B", 200)
    assert large <= small + 4, (small, large)
