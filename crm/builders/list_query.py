"""The query of a list as other pages take it over: what narrows and orders the rows, not which page of them is open."""

from __future__ import annotations

from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR
from django.http import QueryDict

LIST_ONLY = (PAGE_VAR, ALL_VAR, ERROR_FLAG, IS_POPUP_VAR)
"""What only the list itself understands; a page that is not there would be an error of Django's change list."""


def narrowing(query: QueryDict, *left_out: str) -> QueryDict:
    """Return the filters, the search and the order of a list's query, without the names that are `left_out`."""
    kept = query.copy()
    for name in (*LIST_ONLY, *left_out):
        kept.pop(name, None)
    return kept
