"""The shipped migrations lead to the tables of the definitions: the tests' own database is made without them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from django.db import connection

from tests.release.schema import describe_schema
from tests.support.workplace import ROOT, Workplace, database

SHIPPED = ROOT / "definitions" / "travel"
DJANGOS = ("auth_", "django_")
"""Django's own tables: its migrations make `auth_group_permissions.id` a bigint on PostgreSQL, its models an integer."""

MADE_UP = re.compile(r"made\d+_")
"""The tables of businesses that other tests made up in the same database."""


@pytest.mark.django_db
@pytest.mark.parametrize("command", [["migrate", "--verbosity=0"], ["apply", "--yes"]], ids=" ".join)
def test_migrations_make_the_tables_of_the_models(tmp_path: Path, command: list[str]):
    """One after the other, as on a server that had each release, and all at once on a new one."""
    shutil.copytree(SHIPPED, tmp_path / "travel")
    with database(connection.vendor) as url:
        migrated = Workplace(tmp_path / "travel", tmp_path / "var", url)
        migrated.run(*command)
        made = json.loads(migrated.run_script(Path(__file__).with_name("schema.py")))
        assert migrated.run("migrate", "--check")
    from_models = {name: table for name, table in describe_schema(connection).items() if not MADE_UP.match(name)}
    assert made.keys() == from_models.keys()
    ours = [name for name in made if not name.startswith(DJANGOS)]
    assert len(ours) > 40 and {"travel_booking", "crm_user"} < set(ours)
    for name in ours:
        assert made[name] == from_models[name], name


@pytest.mark.django_db
def test_another_column_constraint_or_index_would_be_seen():
    """The negative control: each of them makes another description."""
    known = [describe_schema(connection)]
    for sql in (
        "ALTER TABLE crm_tag ADD COLUMN extra integer DEFAULT 3",
        "CREATE INDEX crm_tag_scope_extra ON crm_tag (scope) WHERE extra > 3",
        "ALTER TABLE crm_tag RENAME COLUMN extra TO other",
        "CREATE UNIQUE INDEX crm_tag_other ON crm_tag (other)",
    ):
        with connection.cursor() as cursor:
            cursor.execute(sql)
        known.append(describe_schema(connection))
        assert known[-1] not in known[:-1], sql
