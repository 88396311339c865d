"""Sets Django up for tests that run in this process: the travel business, on a database of the tests' own.

The settings are named here and not in pyproject.toml: pytest-django would read them before this file has set the rest.
"""

from __future__ import annotations

import os
import tempfile

os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
os.environ.setdefault("DEBUG", "1")
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="formwright-tests-")
os.environ["BUSINESS"] = "travel"

import django
import hypothesis
import pytest
from django.conf import settings

django.setup()
# A busy machine is no failure, and a change is judged by itself and not by the dice; `HYPOTHESIS_PROFILE=dice` throws them.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("dice", deadline=None, derandomize=False, max_examples=3000, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
# The default hasher takes a third of a second for each account, on purpose; the tests make hundreds.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The tables are made from the models at once; tests/release/test_shipped_migrations.py shows that migrations make the same.
settings.DATABASES["default"].setdefault("TEST", {})["MIGRATE"] = False


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Make the database of the tests, and note that its tables are up to date with all migrations."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    with django_db_blocker.unblock():
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        for key in MigrationLoader(None).graph.nodes:
            recorder.record_applied(*key)


@pytest.fixture
def admin_user(db):
    """Someone who may do everything."""
    from django.contrib.auth import get_user_model

    return get_user_model()._default_manager.create_superuser("admin", "admin@example.com", "admin")


@pytest.fixture
def signed_in(client, admin_user):
    """A client that is signed in as someone who may do everything."""
    client.force_login(admin_user)
    return client
