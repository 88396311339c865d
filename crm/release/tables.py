"""The tables of a business: as the database has them (by introspection), and as the state of its migrations claims."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection, models
from django.db.migrations.state import ProjectState

Columns = frozenset[str]


@dataclass(frozen=True)
class Column:
    """A column of a table: its type in the words of this database, and whether it takes NULL or has a default."""

    name: str
    type: str
    null: bool
    has_default: bool = False


@dataclass
class Table:
    """A table: its columns, and the sets of columns that must be unique, apart from the primary key."""

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    unique: dict[Columns, str] = field(default_factory=dict)
    """Unique columns → the name of the constraint or index; empty where the database has not named it."""
    model: type[models.Model] | None = None
    """The historical model, of a table that is claimed."""


def claimed_tables(state: ProjectState, label: str) -> dict[str, Table]:
    """Return the tables that a state of the migrations says there are, many-to-many tables among them."""
    tables = {}
    for model in state.apps.get_models(include_auto_created=True):
        if model._meta.app_label == label and model._meta.managed and not model._meta.proxy:
            tables[model._meta.db_table] = _claimed_table(model)
    return tables


def _claimed_table(model: type[models.Model]) -> Table:
    table = Table(model._meta.db_table, model=model)
    for model_field in model._meta.local_concrete_fields:
        kind = _plain_type(model_field.db_parameters(connection)["type"] or "")
        table.columns[model_field.column] = Column(
            model_field.column, kind, model_field.null and not model_field.primary_key
        )
        if model_field.unique and not model_field.primary_key:
            table.unique[frozenset([model_field.column])] = ""
    for names in model._meta.unique_together:
        table.unique[frozenset(_column(model, name) for name in names)] = ""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
            table.unique[frozenset(_column(model, name) for name in constraint.fields)] = constraint.name
    return table


def _column(model: type[models.Model], name: str) -> str:
    return model._meta.get_field(name).column


def read_tables(label: str) -> dict[str, Table]:
    """Return the tables of a business that the database has: those of its models, known by their content types.

    Asks the catalog of each kind of database directly, in two queries for all tables: Django's introspection parses the
    SQL of every table on SQLite, which takes seconds.
    """
    columns_sql, unique_sql = CATALOGS[connection.vendor]
    with connection.cursor() as cursor:
        names = _names_of_tables(label, connection.introspection.table_names(cursor))
        tables = {name: Table(name) for name in names}
        cursor.execute(columns_sql)
        for table, column, kind, is_required, default, is_key in cursor.fetchall():
            if table in tables:
                null, has_default = not (is_required or is_key), bool(is_key or default is not None)
                tables[table].columns[column] = Column(column, _plain_type(kind), null, has_default)
        cursor.execute(unique_sql)
        parts: dict[tuple[str, str], list[str | None]] = {}
        for table, constraint, column in cursor.fetchall():
            parts.setdefault((table, constraint), []).append(column)
        for (table, constraint), columns in parts.items():
            if table in tables and all(columns):
                tables[table].unique[frozenset(columns)] = constraint  # type: ignore[arg-type]
    return tables


CATALOGS = {
    "sqlite": (
        """
        SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
        FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'
        """,
        """
        SELECT m.name, i.name, c.name FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
        WHERE m.type = 'table' AND i."unique" AND i.origin <> 'pk'
        """,
    ),
    "postgresql": (
        """
        SELECT t.relname, c.attname, format_type(c.atttypid, c.atttypmod), c.attnotnull,
            CASE WHEN c.atthasdef OR c.attidentity <> '' THEN 1 END,
            EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary AND c.attnum = ANY(i.indkey))
        FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
        WHERE t.relkind = 'r' AND pg_table_is_visible(t.oid) AND c.attnum > 0 AND NOT c.attisdropped
        """,
        """
        SELECT t.relname, n.relname, c.attname
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class n ON n.oid = i.indexrelid
            CROSS JOIN unnest(i.indkey) AS k (number)
            LEFT JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = k.number AND k.number > 0
        WHERE t.relkind = 'r' AND pg_table_is_visible(t.oid) AND i.indisunique AND NOT i.indisprimary
        """,
    ),
}
"""For each kind of database: table, column, type, whether it is required, its default, whether it is a key; and table,
index and column of what must be unique (no column where an expression is)."""


def _names_of_tables(label: str, there: list[str]) -> list[str]:
    """Name the tables of a business's models, gone ones too; a table that somebody has made by hand is none of them."""
    known = {f"{label}_{model}" for model in apps.all_models[label]}
    if "django_content_type" in there:
        models_ever = apps.get_model("contenttypes", "ContentType").objects.filter(app_label=label)
        known |= {f"{label}_{model}" for model in models_ever.values_list("model", flat=True)}
    others = {f"{config.label}_" for config in apps.get_app_configs() if config.label.startswith(f"{label}_")}
    many = tuple(f"{name}_" for name in known)
    return [
        name
        for name in sorted(there)
        if name in known or (name.startswith(many) and not name.startswith(tuple(others) or ("\0",)))
    ]


SAME_TYPES = {"varchar": "character varying", "time": "time without time zone", "serial": "integer"}


def _plain_type(text: str) -> str:
    """Return one spelling of a type: databases and Django write some of them in different words."""
    kind = text.lower().replace(" generated always", "").replace(", ", ",").strip()
    word, bracket, rest = kind.partition("(")
    return SAME_TYPES.get(word, word) + bracket + rest
