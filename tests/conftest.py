"""Sets Django up for tests that run in this process: the travel business, on a database of the tests' own.

The settings are named here and not in pyproject.toml: pytest-django would read them before this file has set the rest.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

# Every process that a test starts would compile all of `crm/` anew: half a second of its one and a half.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
os.environ.setdefault("DEBUG", "1")
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="formwright-tests-")
os.environ["BUSINESS"] = "travel"

import django
import pytest
from django.conf import settings

from tests.support.budget import Budget
from tests.support.contexts import keep_contexts_of_whole_templates
from tests.support.examples import register_profile
from tests.support.passes import EVERYTHING, Passes

django.setup()
register_profile()
# The default hasher takes a third of a second for each account, on purpose; the tests make hundreds.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Nor do the tests count who signs in, except those that are about it (tests/builders/test_sign_in.py).
settings.AXES_ENABLED = False
# The tables are made from the models at once; tests/release/test_shipped_migrations.py shows that migrations make the same.
settings.DATABASES["default"].setdefault("TEST", {})["MIGRATE"] = False
keep_contexts_of_whole_templates()


def pytest_addoption(parser):
    parser.addoption(
        EVERYTHING, action="store_true", help="run each test on this database, also what it does not decide"
    )


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "starts(most): the test starts up to so many processes (tests/support/budget.py)"
    )
    config.pluginmanager.register(Passes(), "passes")
    config.pluginmanager.register(Budget(config), "budget")


def pytest_unconfigure(config):
    shutil.rmtree(os.environ["VAR_DIR"], ignore_errors=True)


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
