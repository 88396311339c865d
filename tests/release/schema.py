"""Describes the tables of a database as the database itself does, so that two can be compared: prints JSON."""

from __future__ import annotations

import json
import re
from typing import Any

MADE_NAME = re.compile(r"((?:constraint|UNIQUE INDEX) \w+?)_(?:key|[0-9a-f]{8}_uniq)\b")
"""The name of a unique constraint: PostgreSQL's own where its column was made so, Django's where it came to it later."""
Schema = dict[str, list[str]]
"""The columns, constraints and indexes of each table, in words of the database."""
POSTGRES = """
SELECT table_name, concat_ws(' ', 'column', column_name, udt_name, character_maximum_length, numeric_precision,
       numeric_scale, 'null', is_nullable, 'default', column_default, 'identity', identity_generation,
       'generated', is_generated, generation_expression, 'collate', collation_name)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT conrelid::regclass::text, concat_ws(' ', 'constraint', conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


def describe_schema(connection: Any) -> Schema:
    """Return what the database says of its tables, whatever the order they were made in."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRES)
            rows = cursor.fetchall()
        else:
            cursor.execute("SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
            rows = [(table, part) for table, sql in cursor.fetchall() for part in _parts(sql)]
    schema: Schema = {}
    for table, part in sorted((table, MADE_NAME.sub("\\1", part)) for table, part in rows):
        schema.setdefault(table.strip('"'), []).append(part)
    return schema


def _parts(sql: str) -> list[str]:
    """Take the SQL that makes a table apart: a column or a constraint each; that of an index is left whole."""
    sql = re.sub(r"\s+", " ", sql)
    if not sql.startswith("CREATE TABLE"):
        return [sql]
    parts, depth, quoted, part = [], 0, "", ""
    for letter in sql[sql.index("(") + 1 : sql.rindex(")")]:
        if quoted:
            quoted = "" if letter == quoted else quoted
        elif letter in "'\"":
            quoted = letter
        depth += (letter == "(") - (letter == ")") if not quoted else 0
        if letter == "," and not depth and not quoted:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [*parts, part.strip()]


if __name__ == "__main__":
    from django.db import connection

    print(json.dumps(describe_schema(connection)))
