"""SQL that is written out for each database. Migrations hold these by name: what is here must stay as it is."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Func

SLOT = re.compile(r"\{(\d+)\}")


class DialectSQL(Func):
    """An expression in the words of SQLite and of PostgreSQL, in which `{0}`, `{1}` … stand for its arguments."""

    def __init__(self, sqlite: str, postgresql: str, *expressions: Any, output_field: Any):
        super().__init__(*expressions, output_field=output_field)
        self.sqlite, self.postgresql = sqlite, postgresql

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        template = self.postgresql if connection.vendor == "postgresql" else self.sqlite
        compiled = [compiler.compile(source) for source in self.source_expressions]
        sql, parameters = "", list[Any]()
        for index, piece in enumerate(SLOT.split(template)):
            if index % 2:
                inner, values = compiled[int(piece)]
                sql += inner
                parameters += values
            else:
                sql += piece
        return sql, parameters
