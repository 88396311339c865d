"""Schema drift as a reader meets it: a column of the definitions in force that the database does not have.

After `git checkout` or a restore, the models may be ahead of the tables, though no migration waits to be run: each has
been run, or has not been made yet. One query of the catalog tells.
"""

from __future__ import annotations

import logging

from django.apps import apps
from django.db import DatabaseError, connection, models
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

CATALOGS = {
    "sqlite": "SELECT m.name, c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'",
    "postgresql": """
        SELECT t.relname, c.attname FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
        WHERE t.relkind = 'r' AND pg_table_is_visible(t.oid) AND c.attnum > 0 AND NOT c.attisdropped
        """,
}
"""For each kind of database: the names of all tables with those of their columns."""


def describe_missing_column(label: str) -> str:
    """Say which column of a business's models the database does not have, and what to run; nothing if it has all."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(CATALOGS[connection.vendor])
            there = set(cursor.fetchall())
    except DatabaseError as error:  # The connection is of no use any more, so nothing can be said.
        logger.warning("The catalog of the database cannot be read: %s", error)
        return ""
    config = apps.get_app_config(label)
    entities = {entity.class_name: entity.name for entity in config.business.entities.values()}
    own = sorted(config.get_models(include_auto_created=True), key=lambda model: model.__name__ not in entities)
    for model in own:
        for field in model._meta.local_concrete_fields if model._meta.managed and not model._meta.proxy else ():
            if (model._meta.db_table, field.column) not in there:
                return _sentence(entities.get(model.__name__, model._meta.model_name or ""), field)
    return ""


def _sentence(owner: str, field: models.Field) -> str:
    sentence = _(
        "This database does not have %(name)s, which the definitions in force ask for: it was brought to other ones. "
        "Run: manage.py plan, and then manage.py apply"
    )
    return sentence % {"name": f"{owner}.{field.name}"}
