"""What a list may do with a field: show it, sort, search and filter by it."""

from __future__ import annotations


class ListFace:
    """What lists may do with the fields of a type."""

    listable = True
    """Whether it may be a column of a list."""
    sortable = True
    """Whether a list may be ordered by it."""
    searchable = False
    """Whether the search may look into it, and does so where a list names no fields for that."""
    filter = ""
    """The kind of filter that fits: text, choice, boolean, number, date, link, or nothing."""
    filter_by_default = True
    """Whether a list that names no filters has one for it."""
