"""Django's own model fields, whose migrations hold the facts of the database and nothing else.

A label, a help text, the choices or a limit is no fact of the database: changing one needs no migration. So these
fields leave such words out of what migrations record, and appear there under the name of Django's own class.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.db import models
from django.db.models.fields.files import FieldFile, ImageFieldFile
from django.urls import reverse
from django_countries.fields import CountryField

WORDS = ("verbose_name", "help_text", "choices", "validators", "error_messages", "editable", "blank", "upload_to")


class FactsOnly:
    """Mixin that drops the words for people from `deconstruct()`."""

    def deconstruct(self) -> tuple[str, str, list, dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()  # type: ignore[misc]
        base = next(one for one in type(self).__mro__ if not issubclass(one, FactsOnly))
        for word in WORDS:
            kwargs.pop(word, None)
        if issubclass(base, models.FileField):
            kwargs["upload_to"] = ""
        if issubclass(base, CountryField):
            base, kwargs = models.CharField, {**kwargs, "max_length": self.max_length}  # type: ignore[attr-defined]
            kwargs.pop("countries", None)
        module = "django.db.models" if base.__module__.startswith("django.db.models") else base.__module__
        return name, f"{module}.{base.__qualname__}", args, kwargs


class Boolean(FactsOnly, models.BooleanField): ...


class Char(FactsOnly, models.CharField): ...


class Country(FactsOnly, CountryField): ...


class Date(FactsOnly, models.DateField): ...


class DateTime(FactsOnly, models.DateTimeField): ...


class Decimal(FactsOnly, models.DecimalField): ...


class Duration(FactsOnly, models.DurationField): ...


class Email(FactsOnly, models.EmailField): ...


class OfRecord:
    """Mixin of an upload whose address names its record and field, and so stays true when these are renamed.

    The name in the storage is no address: it tells where a file was put once, and never changes.
    """

    @property
    def url(self) -> str:
        self._require_file()  # type: ignore[attr-defined]
        record, field = self.instance, self.field.name  # type: ignore[attr-defined]
        key, name = PurePosixPath(self.name).parts[-2:]  # type: ignore[attr-defined]
        return reverse("file", args=[f"{record.definition.name}/{record.pk}/{field}/{key}/{name}"])


class StoredFile(OfRecord, FieldFile): ...


class StoredImage(OfRecord, ImageFieldFile): ...


class File(FactsOnly, models.FileField):
    attr_class = StoredFile


class Image(FactsOnly, models.ImageField):
    attr_class = StoredImage


class Integer(FactsOnly, models.BigIntegerField): ...


class Json(FactsOnly, models.JSONField): ...


class Link(FactsOnly, models.ForeignKey): ...


class Links(FactsOnly, models.ManyToManyField): ...


class Slug(FactsOnly, models.SlugField): ...


class Text(FactsOnly, models.TextField): ...


class Time(FactsOnly, models.TimeField): ...


class Url(FactsOnly, models.URLField): ...


class Uuid(FactsOnly, models.UUIDField): ...
