"""The help page of an entity: what its records are made of, what must hold of them, and what capabilities add."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.blueprint.expressions.computing import reads
from crm.blueprint.nodes import Entity, Field
from crm.blueprint.rules import REQUIRED
from crm.blueprint.text import Template
from crm.kernel.capability import Button, Page
from crm.kernel.contributions import Kind
from crm.records import access

CHOICES = 12
"""The most choices that are written out."""


def help_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Show what there is to know of an entity's records."""
    entity = admin.definition
    parts = [SafeString(render(admin, request)) for render in admin.contributions.by_kind(Kind.HELP).values()]
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Help: {entity.plural}",
        "opts": admin.opts,
        "entity": entity,
        "fields": [_described(one) for one in entity.fields.values() if _is_shown(one, request.user)],
        "rules": list(_rules(entity)),
        "parts": parts,
    }
    return TemplateResponse(request, "crm/help.html", context)


def _is_shown(field: Field, user: Any) -> bool:
    """Say whether the page tells of a field: it holds something, and the user sees it and what it is computed from."""
    if not (field.has_value or field.parts or field.type.rows):
        return False
    read = reads(field.computed) if field.computed is not None else ()
    return all(access.can_view_field(user, one) for one in (field, *read))


def _described(field: Field) -> dict[str, Any]:
    return {
        "label": field.label,
        "takes": _takes(field),
        "help": field.options.help or "",
        "computed": field.computed.source if field.computed is not None else "",
        "required": getattr(field.options, "required", False),
    }


def _takes(field: Field) -> str:
    """Say what a field takes, in a sentence for those who fill it in."""
    if field.target is not None:
        several = _("Rows of the %(records)s.") if field.type.rows else _("Several of the %(records)s.")
        text = several if field.type.many else _("One of the %(records)s.")
        return text % {"records": field.target.plural.lower()}
    choices = [field.type.display(one, field) for one in field.type.value_schema(field).get("enum", ())]
    if choices:
        words = {"choices": ", ".join(choices[:CHOICES]), "more": len(choices) - CHOICES}
        return (_("One of: %(choices)s and %(more)s more.") if choices[CHOICES:] else _("One of: %(choices)s.")) % words
    return f"{re.split('[.;] ', field.type.summary)[0].rstrip('.')}."


def _rules(entity: Entity) -> Iterator[str]:
    """Yield what is said where a rule is broken, with the labels of fields in place of their values."""
    for rule in entity.rules.checks:
        if rule.message.source != REQUIRED:
            yield _in_words(rule.message, entity)


def _in_words(template: Template, entity: Entity) -> str:
    words = []
    for part in template.parts:
        words.append(part if isinstance(part, str) else f"({entity.follow('.'.join(part.path))[-1].label.lower()})")
    return "".join(words)


HELP_PAGE = Page("help/", help_page)
HELP_BUTTON = Button(gettext_lazy("Help"), "help", "help")
