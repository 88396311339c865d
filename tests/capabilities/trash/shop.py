"""A small business with a trash: rows, cascades, links that protect, links that are emptied, sums and rules."""

from __future__ import annotations

LABELLED = {"name": {"type": "text", "required": True}}
DOCUMENTS = {
    "app.yaml": {"name": "Shop"},
    "buyer.yaml": {
        "title": "{name}",
        "fields": {
            **LABELLED,
            "email": {"type": "text", "unique": True},
            "word": {"type": "slug", "from": "name"},
            "spent": {"type": "money", "compute": "sum(order_buyer.total)"},
            "number": {"type": "sequence", "format": "B-{n}"},
            "guarantor": {"type": "link", "to": "buyer", "on_delete": "protect"},
        },
        "trash": {"restore_for": "30d"},
    },
    "order.yaml": {
        "title": "{name}",
        "fields": {
            **LABELLED,
            "buyer": {"type": "link", "to": "buyer", "required": True, "on_delete": "protect"},
            "friend": {"type": "link", "to": "buyer", "on_delete": "empty"},
            "lines": {"type": "table", "of": "line"},
            "total": {"type": "money", "compute": "sum(lines.price)"},
            "most": {"type": "integer", "default": 10},
        },
        "rules": [{"check": "count(lines) <= most", "message": "Too many lines."}],
        "trash": {"restore_for": "2d"},
    },
    "line.yaml": {
        "fields": {**LABELLED, "price": {"type": "money", "required": True}},
        "unique": [["order", "name"]],
    },
    "remark.yaml": {
        "fields": {
            **LABELLED,
            "line": {"type": "link", "to": "line", "on_delete": "cascade"},
            "order": {"type": "link", "to": "order", "on_delete": "cascade"},
        },
    },
    "note.yaml": {
        "fields": {**LABELLED, "pinned": "boolean", "about": {"type": "link", "to": "order", "on_delete": "empty"}},
        "rules": [{"check": "pinned == false or about != null", "message": "A pinned note is about an order."}],
    },
}
