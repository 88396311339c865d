"""Rows for lists: everything that their columns show, read along, so that no row costs a query."""

from __future__ import annotations

from django.db import models

from crm.blueprint.expressions.computing import ON_READ
from crm.blueprint.nodes import Entity, Field
from crm.records.computed import annotate_on_read
from crm.records.display import lookup_path, path_joins, title_joins


def list_rows(rows: models.QuerySet, entity: Entity, paths: list[str]) -> models.QuerySet:
    """Return rows with what the columns of `paths`, and the records' titles, need."""
    one, many, live = dict.fromkeys(title_joins(entity)), {}, list[Field]()
    for path in paths:
        if path == "id":
            continue
        chain = entity.follow(path)
        one.update(dict.fromkeys(path_joins(entity, chain)))
        if chain[-1].storage == ON_READ and len(chain) == 1:
            live.append(chain[-1])
        if chain[-1].type.many and chain[-1].stored:
            many[lookup_path(chain)] = None
    rows = annotate_on_read(rows, live)
    rows = rows.select_related(*one) if one else rows
    return rows.prefetch_related(*many) if many else rows


def search_words(text: str) -> list[str]:
    """Return the words of a search; so many and so long that every database can answer."""
    return [word[:LETTERS] for word in text.replace("\x00", "").split()[:WORDS]]


WORDS, LETTERS = 12, 100
