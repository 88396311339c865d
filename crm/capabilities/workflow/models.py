"""The log of transitions: which action led from which state to which, who did it, when and why."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Transition(models.Model):
    """A step of a record from one state to another."""

    class Meta:
        app_label = "crm"
        ordering = ["id"]
        indexes = [models.Index(fields=["content_type", "object_id"], name="crm_transition_record")]

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+", db_index=False)
    object_id = models.BigIntegerField()
    action = models.CharField(max_length=60)
    source = models.CharField(max_length=60, blank=True)
    target = models.CharField(max_length=60)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    user_name = models.CharField(max_length=310, blank=True)
    at = models.DateTimeField()
    comment = models.TextField(blank=True)
    change = models.UUIDField(db_index=True)

    def __str__(self) -> str:
        return f"{self.action}: {self.source} → {self.target}"


def steps_of(record: models.Model) -> models.QuerySet[Transition]:
    """Return the steps of a record, the oldest first."""
    kind = ContentType.objects.get_for_model(record)
    return Transition.objects.filter(content_type=kind, object_id=record.pk).order_by("id")
