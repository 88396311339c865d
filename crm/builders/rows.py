"""Rows for lists: everything that their columns show, read along, so that no row costs a query."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.apps import apps
from django.db import models

from crm.blueprint.expressions.computing import ON_READ
from crm.blueprint.nodes import Entity, Field
from crm.builders.columns_read import DEPTH, chain_columns, joins_of, target_columns, title_columns
from crm.records.computed import annotate_on_read
from crm.records.display import lookup_path, path_joins, title_joins


def list_rows(rows: models.QuerySet, entity: Entity, paths: list[str]) -> models.QuerySet:
    """Return rows with all of their columns, and what the ends of `paths`, and the records' titles, need."""
    joins = dict.fromkeys(title_joins(entity))
    chains = [entity.chain(path) for path in paths if path != "id"]
    for chain in chains:
        joins.update(dict.fromkeys(path_joins(entity, chain)))
    rows = annotate_on_read(rows, _own_live(chains))
    rows = rows.select_related(*joins) if joins else rows
    return _with_many(rows, chains)


def shown_rows(
    rows: models.QuerySet, entity: Entity, paths: Sequence[str], also: Collection[str] = ()
) -> models.QuerySet:
    """Return rows to be shown and nothing else: only the columns that `paths`, titles and row-level rules read.

    `also` names more columns that the caller reads. Every other column is deferred: asking for it costs a query.
    """
    chains = [entity.chain(path) for path in paths if path != "id"]
    titles = [entity.chain(".".join(slot.path)) for slot in entity.title.slots if slot.path != ("id",)]
    live = _own_live([*chains, *titles])
    columns = {"id", *also, *title_columns(entity)}
    for chain in chains:
        if len(chain) > 1 or chain[-1] not in live:
            columns |= chain_columns(chain)
    related = joins_of(columns)
    rows = annotate_on_read(rows, live).select_related(None).only(*columns)
    return _with_many(rows.select_related(*related) if related else rows, chains)


def _own_live(chains: Sequence[Sequence[Field]]) -> list[Field]:
    """Return the computed fields of the records themselves that have no column: they are read in the same query."""
    return list(dict.fromkeys(chain[-1] for chain in chains if len(chain) == 1 and chain[-1].storage == ON_READ))


def _with_many(rows: models.QuerySet, chains: Sequence[Sequence[Field]]) -> models.QuerySet:
    """Prefetch the targets of many-to-many fields, each with what its title needs."""
    wanted = {lookup_path(list(chain)): chain[-1] for chain in chains if chain[-1].type.many and chain[-1].stored}
    return rows.prefetch_related(*(models.Prefetch(name, _targets(leaf)) for name, leaf in wanted.items()))


def _targets(leaf: Field) -> models.QuerySet:
    target = apps.get_model(leaf.type.reference(leaf).model)._default_manager.all()
    return shown_rows(target, leaf.target, []) if leaf.target else target.only(*target_columns(leaf, DEPTH))


def search_words(text: str) -> list[str]:
    """Return the words of a search; so many and so long that every database can answer."""
    return [word[:LETTERS] for word in text.replace("\x00", "").split()[:WORDS]]


WORDS, LETTERS = 12, 100
