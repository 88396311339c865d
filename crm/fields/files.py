"""Uploaded files and pictures, kept private: only the engine's own view hands them out."""

from __future__ import annotations

import re
import uuid
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any

from django.core.files.storage import default_storage
from django.core.validators import FileExtensionValidator
from django.db import models
from django.utils.text import get_valid_filename
from pydantic import Field as Key
from pydantic import StringConstraints

from crm.blueprint.nodes import Field
from crm.fields import columns
from crm.fields.base import FieldType, Reading, Required, text_of

Extension = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,8}$")]
PICTURES = ("png", "jpg", "jpeg", "gif", "webp")
WIDTH = 255


class FileOptions(Required):
    accept: list[Extension] | None = Key(None, description="The only endings of names that are taken: `[pdf, docx]`.")
    max_size: int = Key(20, ge=1, le=500, strict=True, description="The most megabytes a file may have.")


def stored_name(folder: str, instance: models.Model, filename: str) -> str:
    """Return where an upload is kept: below the field's folder, under a name nobody can guess."""
    name = get_valid_filename(PurePosixPath(filename).name)[-80:]
    return f"{folder}/{uuid.uuid4().hex}/{name}"


class TooBig:
    """Validator: refuses an upload above a number of megabytes."""

    def __init__(self, megabytes: int):
        self.megabytes = megabytes

    def __call__(self, value: Any) -> None:
        from django.core.exceptions import ValidationError

        if getattr(value, "_committed", True):
            return
        if value.size > self.megabytes * 1024 * 1024:
            raise ValidationError(f"The file is larger than {self.megabytes} MB.")


class File(FieldType):
    name = "file"
    summary = "An uploaded file. Only people who may see the record can open it."
    kind = "text"
    Options = FileOptions
    sortable = False
    usable_as_key = False
    input = "file"

    def folder(self, field: Field) -> str:
        return f"{field.business.label}/{field.entity.name}/{field.name}"

    def endings(self, field: Field) -> list[str] | None:
        return field.options.accept

    def column(self, field: Field) -> models.Field:
        upload_to = partial(stored_name, self.folder(field))
        return columns.File(upload_to=upload_to, max_length=WIDTH, **self.common(field))

    def nullable(self, field: Field) -> bool:
        return False

    def empty(self, field: Field) -> Any:
        return None if field.options.required else ""

    def validators(self, field: Field) -> list:
        endings = self.endings(field)
        allowed = [FileExtensionValidator(endings)] if endings else []
        return [*allowed, TooBig(field.options.max_size)]

    def display(self, value: Any, field: Field) -> str:
        return PurePosixPath(str(value)).name

    def address(self, value: Any, field: Field) -> str:
        return default_storage.url(str(value))

    def serialize(self, value: Any, field: Field) -> str:
        return str(value)

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        """Take the stored name of a file that was uploaded to this very field, and no other path."""
        text = text_of(raw)
        inside = re.escape(self.folder(field)) + r"/[0-9a-f]{32}/[^/\\]{1,80}\Z"
        if not re.match(inside, text) or not default_storage.exists(text):
            raise ValueError(f"{text[:80]!r} is not a file that was uploaded to this field.")
        return text

    def validate(self, value: Any, field: Field) -> Any:
        return value

    def equals(self, one: Any, other: Any) -> bool:
        return str(one or "") == str(other or "")


class Image(File):
    name = "image"
    summary = "An uploaded picture (PNG, JPEG, GIF or WebP)."
    input = "image"

    def endings(self, field: Field) -> list[str] | None:
        return field.options.accept or list(PICTURES)

    def column(self, field: Field) -> models.Field:
        upload_to = partial(stored_name, self.folder(field))
        return columns.Image(upload_to=upload_to, max_length=WIDTH, **self.common(field))
