"""The migration that makes one of equal tags: records and versions keep theirs, and the plan says which before."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.db import connection

from crm.capabilities.history.versions import links_of
from crm.models import Tag
from crm.release.key_columns import TAG_MIGRATION, describe_tags
from tests.support.records import make, model

pytestmark = pytest.mark.django_db
SCOPE = "travel.customer.tags"


@pytest.fixture
def doubles():
    """Tags as they were before: told apart by their very letters."""
    names = ("Wine", "wine", "WINE\u200b", "beer")
    tags = [Tag.objects.create(scope=SCOPE, name=f"made {index}") for index in range(len(names))]
    for tag, name in zip(tags, names, strict=True):
        Tag.objects.filter(pk=tag.pk).update(name=name, key=None)
    return tags


def names(record) -> list[str]:
    return sorted(record.tags.values_list("name", flat=True))


def test_equal_tags_become_the_first_of_them(doubles):
    wine, small, capital, beer = doubles
    first, second = make("customer", name="One"), make("customer", name="Two")
    first.tags.set([wine, small, beer])
    second.tags.set([capital])
    second.save()
    told = describe_tags([TAG_MIGRATION])
    assert told == [f"~ 3 tags of {SCOPE} become 'Wine': 'Wine', 'wine', 'WINE\\u200b'"]
    assert describe_tags([]) == []
    with connection.schema_editor() if connection.vendor != "sqlite" else NoEditor() as editor:
        importlib.import_module("crm.migrations.0004_tag_key").make_keys(apps, editor)
    assert names(first) == ["Wine", "beer"] and names(second) == ["Wine"]
    assert sorted(Tag.objects.values_list("name", "key")) == [("Wine", "wine"), ("beer", "beer")]
    version = second.history.order_by("-history_id").first()
    assert links_of([version], model("customer")._meta.get_field("tags")) == {version.history_id: [wine.pk]}


class NoEditor:
    """SQLite lets nobody open its schema editor within a transaction; the migration only asks for the connection."""

    def __enter__(self):
        self.connection = connection
        return self

    def __exit__(self, *_):
        return None
