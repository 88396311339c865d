"""What links between entities must not do: form a circle that no first record gets into, or take a name that is taken.

Django knows the records that lead to one by `<entity>_<field>`, and keeps the key of a link in `<link>_id`.
"""

from __future__ import annotations

from collections.abc import Iterator

from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.problems import Problem


def link_problems(business: Business) -> Iterator[Problem]:
    """Say what is wrong with the links of a business, once all its fields are known."""
    yield from _circles(business)
    behind: dict[str, list[Field]] = {}
    for entity in business.entities.values():
        yield from _taken_keys(entity)
        for field in entity.fields.values():
            if field.type.stored and field.target:
                behind.setdefault(field.target.name, []).append(field)
    for name, links in behind.items():
        yield from _taken_from_behind(business.entities[name], links)


def _circles(business: Business) -> Iterator[Problem]:
    needs = {
        name: [field for field in entity.fields.values() if field.type.needs_target(field) and field.target]
        for name, entity in business.entities.items()
    }
    done: set[str] = set()
    for start in needs:
        names, links, todo = [start], list[Field](), [iter(needs[start])]
        while todo and start not in done:
            link = next(todo[-1], None)
            if link is None:
                todo.pop()
                done.add(names.pop())
                links = links[:-1]
            elif (target := link.type.target(link)) in names:
                yield _circle([*links[names.index(target) :], link])
            elif target not in done:
                names.append(target)
                links.append(link)
                todo.append(iter(needs[target]))


def _circle(links: list[Field]) -> Problem:
    text = " → ".join([*map(str, links), links[0].entity.name])
    message = f"these required links form a circle, so no first record could be saved: {text}"
    return Problem(links[0].place(key=True), message, "Leave 'required' out of one of them.")


def _taken_keys(entity: Entity) -> Iterator[Problem]:
    for leaf in entity.leaves:
        link = entity.fields.get(leaf.name.removesuffix("_id"))
        if link and link is not leaf and not link.type.many and _leads_somewhere(link):
            message = f"the name {leaf.name!r} is taken: the key of {link.name!r} is kept under it"
            yield Problem(leaf.place(key=True), message)


def _leads_somewhere(field: Field) -> bool:
    missing = field.type.target(field) and not field.target
    return not missing and field.type.reference(field) is not None


def _taken_from_behind(entity: Entity, links: list[Field]) -> Iterator[Problem]:
    seen: dict[str, Field] = {}
    for link in links:
        name = f"{link.entity.name}_{link.name}"
        first = seen.setdefault(name, link)
        own = entity.find(name) or entity.find(f"{name}_set")
        if first is not link:
            message = f"{link} and {first} would both be known to {entity.name!r} as {name!r}"
            yield Problem(link.place(key=True), message, "Call one of them otherwise.")
        if own:
            message = f"the name {own.name!r} is taken: the records of {link} are found by it"
            yield Problem(own.place(key=True), message)
