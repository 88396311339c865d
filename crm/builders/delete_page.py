"""The deletion of records from their pages: asked about first, and held against the gate."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from crm.builders.delete_confirmation import deletion_preview
from crm.kernel.contributions import Contributions, Kind
from crm.records.deletion import collect_deletion
from crm.records.gate import DELETION, check_removals, raise_all
from crm.records.rules import RuleBroken


class DeletePage:
    """The confirmation of a deletion, of one record or of ticked rows, and the deletion itself."""

    contributions: Contributions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        context = {
            "crm_warnings": list(self.contributions.by_kind(Kind.DELETE_WARNING).values()),
            **(extra_context or {}),
        }
        try:
            return super().delete_view(request, object_id, context)
        except RuleBroken as broken:
            words = {"record": broken.record, "why": broken.messages[0]}
            messages.error(request, _("Nothing was deleted. %(record)s: %(why)s") % words)
        except models.ProtectedError:
            messages.error(request, _("Nothing was deleted: other records still point to it."))
        except ValidationError as error:
            messages.error(request, _("Nothing was deleted. %(why)s") % {"why": " ".join(error.messages)})
        return HttpResponseRedirect(self.url("change", object_id))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        with transaction.atomic():
            self._check_deletion(request, [obj.pk])
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        with transaction.atomic():
            self._check_deletion(request, list(queryset.order_by().values_list("pk", flat=True)))
            super().delete_queryset(request, queryset)

    def _check_deletion(self, request: HttpRequest, keys: list[Any]) -> None:
        """Lock what goes. Raises ValidationError where something goes along by now that is not the user's to delete."""
        raise_all(check_removals(collect_deletion(self.model, keys).cascades, request.user, DELETION))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list, dict, set, list]:
        return deletion_preview(self, request, list(objs))
