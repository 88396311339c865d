"""What is said before a deletion: what goes along, and what still points here and refuses it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from crm.kernel.contributions import Kind
from crm.records import access
from crm.records.changes import REASON
from crm.records.chunks import chunks
from crm.records.deletion import Deletion, collect_deletion, links_set_null

NAMED = 10


@dataclass(frozen=True)
class Reason:
    """What the confirmation of a deletion asks for and shows: see the templates."""

    is_lacking: bool
    text: str = ""


def needs_reason(admin: Any, going: Iterable[Any]) -> bool:
    """Say whether the history of one of the models whose records go asks why."""
    pages = admin.admin_site._registry
    return any(_is_reason_asked(pages.get(model)) for model in going)


def _is_reason_asked(page: Any) -> bool:
    return hasattr(page, "contributions") and bool(page.contributions.by_kind(Kind.REASON))


def ask_reason(request: HttpRequest) -> None:
    """Let the confirmation of a deletion ask why; where it was confirmed without a reason, it is shown once more."""
    reason = request.POST.get(REASON, "").replace("\x00", "").strip()
    is_confirmed = request.method == "POST" and ("post" in request.POST or "action" not in request.POST)
    request.crm_reason = Reason(is_confirmed and not reason, reason)  # type: ignore[attr-defined]
    if is_confirmed and not reason:
        request.POST = QueryDict()  # Django's views delete where anything was posted


def deletion_preview(
    admin: Any, request: HttpRequest, records: Collection[models.Model]
) -> tuple[list, dict, set, list]:
    """Return what Django's confirmation shows: what goes, how many of each, rights that lack, and what refuses."""
    deletion = collect_deletion(admin.model, [one.pk for one in records])
    if needs_reason(admin, deletion.cascades):
        ask_reason(request)
    counts = {str(model._meta.verbose_name_plural): len(keys) for model, keys in deletion.cascades.items()}
    lacking = {
        str(model._meta.verbose_name) for model, keys in deletion.cascades.items() if _lacks(request.user, model, keys)
    }
    along = [line for model, keys in _along(deletion, admin.model, records) for line in _named(request, model, keys)]
    shown: list[Any] = [str(one) for one in records]
    shown += [along] if along else []
    if not admin.model.into_trash:
        for (model, link), keys in links_set_null(deletion.cascades).items():
            words = {"records": model.definition.plural, "field": model.definition.find(link).label}
            heading = _("%(records)s that stay, with nothing as their %(field)s") % words
            shown += [heading, list(_named(request, model, keys))]
    return shown, counts, lacking, list(_refusing(request, deletion))


def _lacks(user: Any, model: Any, keys: Collection[Any]) -> bool:
    """Say whether some of the records are not the user's to delete."""
    if not access.has_row_rules(user, model.definition, "delete"):
        return not access.has_perm(user, "delete", model)
    deletable = access.visible_rows(user, model, "delete")
    return sum(deletable.filter(pk__in=batch).count() for batch in chunks(list(keys))) < len(keys)


def _along(deletion: Deletion, model: Any, records: Collection[models.Model]) -> Iterator[tuple[Any, list[Any]]]:
    chosen = {record.pk for record in records}
    for cascade_model, keys in deletion.cascades.items():
        rest = [key for key in keys if cascade_model is not model or key not in chosen]
        if rest:
            yield cascade_model, rest


def _refusing(request: HttpRequest, deletion: Deletion) -> Iterator[str]:
    for model, keys in deletion.protected.items():
        yield from _named(request, model, keys)


def _named(request: HttpRequest, model: Any, keys: list[Any]) -> Iterator[str]:
    """Name records that the user may see, with links, and say how many more there are."""
    seen = access.visible_rows(request.user, model).filter(pk__in=keys[:500]).order_by("pk")[:NAMED]
    page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    label = model.definition.label
    for record in seen:
        yield format_html('{}: <a class="crm-link" href="{}">{}</a>', label, reverse(page, args=[record.pk]), record)
    more = len(keys) - len(seen)
    if more:
        text = _("%(count)s more %(records)s") if len(seen) else _("%(count)s %(records)s")
        yield text % {"count": f"{more:,}", "records": model.definition.noun(more)}
