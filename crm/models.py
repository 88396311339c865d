"""The engine's own tables. Those of a capability stand in its folder and are known through the wiring."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from crm import wiring  # noqa: F401  (the capabilities' models)


class User(AbstractUser):
    """Someone of the staff."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Tag(models.Model):
    """A tag of one `tags` field; `scope` is `<business>.<entity>.<field>`."""

    scope = models.CharField(max_length=130)
    name = models.CharField(max_length=60)
    color = models.CharField(max_length=10, default="gray")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["scope", "name"], name="crm_tag_once")]

    def __str__(self) -> str:
        return self.name


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
