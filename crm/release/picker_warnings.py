"""Warnings of a plan: links whose pickers have nothing to search in, because their target's list has no search."""

from __future__ import annotations

from collections.abc import Iterator

from crm.blueprint.layout import list_search, picker_search
from crm.blueprint.nodes import Business


def picker_warnings(business: Business) -> Iterator[str]:
    """Say of each entity that links lead to, and that has no `list.search`, what its pickers look in instead."""
    for entity in business.entities.values():
        links = [link for link in entity.pointing_here() if link.type.stored and link.document is link.entity.document]
        if links and not list_search(entity):
            paths = ", ".join(picker_search(entity))
            names = ", ".join(map(str, links[:3])) + (f" and {len(links) - 3} more" if links[3:] else "")
            place = entity.place("list", "search") if entity.section.listing.search is not None else entity.place()
            yield (
                f"! {entity.name!r} has no list.search ({place}): whoever chooses one in {names} searches in its "
                f"title: {paths}"
            )
