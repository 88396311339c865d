"""Whatever an owner edits, the plan that is not refused can be carried out, loses nothing unsaid, and is then empty."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import NOT_PROVIDED
from hypothesis import event
from hypothesis import strategies as st

from crm.blueprint.nodes import Business, Entity, Field
from crm.fields.reading import Reading
from crm.records.display import is_empty
from crm.release.data_migrations import convert_value
from crm.release.steps import REFUSED
from properties import changes, strategies, values
from properties.records import Held, held_by_id, leaves_of, rows_of, write_rows
from properties.running import check, parts
from properties.world import read_business, world


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", parts(4))
def test_any_edit_can_be_applied(part: int):
    check(holds, part, 2, documents=strategies.documents(), data=st.data())


def holds(documents: strategies.Documents, data: st.DataObject) -> None:
    with world() as here:
        before = read_business(here.label, documents)
        here.install(before)
        here.migrate(here.to_do(before))
        write_rows(before, data.draw(values.rows(before)))
        edited = data.draw(changes.edits(documents))
        after = read_business(here.label, edited.documents)
        plan = here.plan(before, after)
        refused = plan.with_risk(REFUSED)
        event("refused" if refused else "applied")
        if refused:
            assert all(step.notes for step in refused)
            return
        held, versions = held_by_id(before), count_versions(before)
        here.migrate(plan.operations)
        assert here.plan(after, after).steps == []
        here.install(after)
        check_kept(before, after, edited, held)
        check_versions(after, edited, versions)
        check_writable(after)


def count_versions(business: Business) -> dict[str, int]:
    return {name: rows_of(one).model.history.count() for name, one in business.entities.items()}


def check_versions(after: Business, edited: changes.Edited, before: dict[str, int]) -> None:
    """No version is lost or made up, whatever became of its columns."""
    for name, count in count_versions(after).items():
        assert count == before.get(edited.entities.get(name, name), 0)


def check_writable(business: Business) -> None:
    """Every record can be saved as it is: the tables are what the models take them for."""
    for entity in business.entities.values():
        for record in rows_of(entity):
            record.save()


def check_kept(before: Business, after: Business, edited: changes.Edited, held: Held) -> None:
    """Every record is there, and each of its values is where the edit has put it."""
    for name, records in held_by_id(after).items():
        entity, former = after.entities[name], before.entities.get(edited.entities.get(name, name))
        assert set(records) == set(held[former.name] if former else ())
        for leaf in leaves_of(entity):
            source = _source(leaf, former, edited)
            for key, record in records.items():
                old = held[former.name][key].get(source.name) if source else None
                check_value(source, leaf, old, record[leaf.name])


def _source(leaf: Field, former: Entity | None, edited: changes.Edited) -> Field | None:
    """Return the leaf that a leaf was before the edit."""
    whole = leaf.whole or leaf
    was = edited.fields.get((leaf.entity.name, whole.name), whole.name)
    found = former.find(leaf.name.replace(whole.name, was, 1)) if former else None
    return found if found and found.type.stored and bool(found.whole) == bool(leaf.whole) else None


def check_value(source: Field | None, leaf: Field, old: Any, new: Any) -> None:
    """A value is kept, converted as its new type reads it, or given where there was none."""
    if source is None or _was_nothing(old):
        assert is_empty(new) or leaf.type.sets_on_save or any(leaf.type.equals(new, one) for one in _given(leaf)), (
            leaf,
            old,
            new,
        )
    elif leaf.type.reference(leaf) is not None:
        assert new == old, (source, leaf, old, new)
    else:
        expected = old if source.type is leaf.type else convert_value(old, source, leaf)
        assert new == expected or leaf.type.equals(new, expected), (source, leaf, old, new)


def _was_nothing(old: Any) -> bool:
    """Say whether a column held nothing; JSON of empty texts is something, as the parts of an address are not."""
    return is_empty(old) and not (isinstance(old, dict) and old)


def _given(leaf: Field) -> list[Any]:
    """Return what a record may get where it had nothing."""
    backfill, default = getattr(leaf.options, "backfill", None), leaf.type.default(leaf)
    found = [leaf.type.empty(leaf)] + ([leaf.type.parse(backfill, leaf, Reading())] if backfill is not None else [])
    return found + ([default() if callable(default) else default] if default is not NOT_PROVIDED else [])
