"""The engine's own tables. Those of a capability stand in its folder and are known through the wiring."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from crm import wiring  # noqa: F401  (the capabilities' models)
from crm.fields.columns import FactsOnly
from crm.fields.comparison import MAX_KEY, bounded_key, fold_text


class User(AbstractUser):
    """Someone of the staff."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class TagKey(FactsOnly, models.CharField):
    """The comparison form of a tag's name: `Wine` and `wine` are one tag, as first written."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        model_instance.key = bounded_key(fold_text(model_instance.name))
        return model_instance.key


class Tag(models.Model):
    """A tag of one `tags` field; `scope` is `<business>.<entity>.<field>`."""

    scope = models.CharField(max_length=130)
    name = models.CharField(max_length=60)
    color = models.CharField(max_length=10, default="gray")
    key = TagKey(max_length=MAX_KEY, null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="crm_tag_key_once")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        same = Tag.objects.filter(scope=self.scope, key=bounded_key(fold_text(self.name))).exclude(pk=self.pk).first()
        if same is not None:
            raise ValidationError({"name": _("There is this tag already: %(name)s") % {"name": same.name}})


class Counter(models.Model):
    """The last number that a sequence gave out; `key` names the sequence and its period."""

    key = models.CharField(max_length=200, primary_key=True)
    value = models.BigIntegerField()


class Release(models.Model):
    """An application of definitions: which snapshot this database serves, since when, and what was done."""

    business = models.CharField(max_length=60)
    hash = models.CharField(max_length=64)
    migration = models.CharField(max_length=120, blank=True)
    plan = models.TextField(blank=True)
    pending = models.JSONField(default=list, blank=True)
    """What was still to do when the database had been changed, each as `task` or `task argument …`; empty when done."""
    renames = models.JSONField(default=list, blank=True)
    """What its migrations have renamed, each as `[migration, model, before, after]`; the model is empty for a model."""
    applied = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.business} {self.hash[:12]}"


class Archive(models.Model):
    """Values that a release took out of the database: up to 1,000 of one column or table, as JSON by primary key."""

    release = models.CharField(max_length=120)
    table = models.CharField(max_length=120)
    column = models.CharField(max_length=120, blank=True)
    rows = models.JSONField()
    archived = models.DateTimeField(auto_now_add=True)


class UploadFolder(models.Model):
    """The folder that uploads of a renamed field were kept in, and the field that has them now.

    Files stay where they are when a field or its entity is renamed; `scope` is `<business>.<entity>.<field>`.
    """

    folder = models.CharField(max_length=200)
    scope = models.CharField(max_length=130)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["folder", "scope"], name="crm_upload_folder_once")]
