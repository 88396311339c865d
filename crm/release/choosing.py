"""Choices that go: what has them gets the one that takes their place, or the plan refuses to leave them behind."""

from __future__ import annotations

from collections.abc import Iterator

from crm.blueprint.nodes import Field
from crm.release import moving
from crm.release.scene import VERSIONS, Scene
from crm.release.steps import CONVERTS, REFUSED, Step, move, shown, some


def choice_steps(scene: Scene) -> Iterator[Step]:
    """Return a step for each field some of whose values are no longer among those that it takes."""
    for entity in scene.after.entities.values():
        for leaf in entity.leaves:
            old = scene.leaf_before(entity.class_name, leaf.name)
            if old is None or old.type != leaf.type or leaf.type.many or not (leaf.stored and old.stored):
                continue
            gone = [one for one in _taken(old) if one not in _taken(leaf)]
            heirs = {was: new for was, new in leaf.type.heirs(leaf).items() if was in gone}
            if heirs:
                yield _replaced(leaf, heirs, scene)
            yield from _left(leaf, [one for one in gone if one not in heirs], scene)


def _taken(leaf: Field) -> list[str]:
    """Return the values that a field takes, where these are a list."""
    return leaf.type.value_schema(leaf).get("enum", [])


def _replaced(leaf: Field, heirs: dict[str, str], scene: Scene) -> Step:
    words = ", ".join(f"{new!r} for {was!r}" for was, new in heirs.items())
    names = {"name": leaf.name, "values": heirs}
    model, versions = leaf.entity.class_name, f"{VERSIONS}{leaf.entity.class_name}"
    has_versions = scene.wanted_column(versions, leaf.name) is not None
    return Step(
        f"exchange choices of {leaf}: {words}",
        CONVERTS,
        leaf.place("choices", key=True),
        operations=[move(moving.exchange, scene.label, model=model, **names)],
        on_versions=[move(moving.exchange, scene.label, model=versions, **names)] if has_versions else [],
    )


def _left(leaf: Field, gone: list[str], scene: Scene) -> Iterator[Step]:
    rows = scene.rows_with(leaf.entity.class_name, leaf.name)
    column = scene.renames.column(leaf.entity.class_name, leaf.name)
    for one in gone if rows is not None else ():
        count = rows.filter(**{column: one}).count()
        if count:
            heir = f"name the one that takes its place, as in 'other: {{was: {shown(one)}}}'"
            notes = [f"{some(count)} {'has' if count == 1 else 'have'} it. Give them another choice first, or {heir}."]
            yield Step(f"take the choice {one!r} from {leaf}", REFUSED, leaf.place(key=True), notes)
