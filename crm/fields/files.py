"""Uploaded files and pictures, kept private: only the engine's own view hands them out."""

from __future__ import annotations

import re
import uuid
import warnings
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.core.validators import FileExtensionValidator
from django.db import models
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from pydantic import Field as Key
from pydantic import StringConstraints

from crm.blueprint.language import Report
from crm.blueprint.nodes import Field
from crm.fields import columns
from crm.fields.base import FieldType
from crm.fields.cell_values import text_of
from crm.fields.options import Required
from crm.fields.reading import Reading

Extension = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,8}$")]
PICTURES = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}
"""The endings of pictures, and the format that each says; nothing among them that a browser would run, as SVG."""
MOST_PIXELS = 50_000_000
WIDTH = 255
STORED = re.compile(r"(?P<folder>[a-z0-9_]+/[a-z0-9_]+/[a-z0-9_]+)/[0-9a-f]{32}/[^/\\]{1,80}\Z")
"""The name of an upload in the storage: the folder of the field that it was uploaded to, its key, and its own name."""


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


class RealPicture:
    """Validator: refuses an upload whose content is no picture of the format that its name says.

    Only the decoders of the formats that are taken look at it, and the size is judged by the header alone: a small file
    can unpack to gigabytes (a decompression bomb).
    """

    def __call__(self, value: Any) -> None:
        from django.core.exceptions import ValidationError

        if getattr(value, "_committed", True):
            return
        ending = PurePosixPath(value.name).suffix[1:].lower()
        value.file.seek(0)
        format, pixels = _look_at(value.file)
        value.file.seek(0)
        if not format:
            raise ValidationError(_("This is no picture that can be read: PNG, JPEG, GIF or WebP."))
        if pixels > MOST_PIXELS:
            most = MOST_PIXELS // 1_000_000
            raise ValidationError(_("The picture is larger than %(most)d million pixels.") % {"most": most})
        if PICTURES.get(ending) != format:
            told = {"format": format, "ending": ending}
            raise ValidationError(_("The content is %(format)s, but the name ends with .%(ending)s.") % told)


def _look_at(file: Any) -> tuple[str, int]:
    """Return the format of a picture and its number of pixels; no format where it is none, or damaged."""
    # Not at the top: Pillow would be a part of every start, and few requests upload a picture.
    from PIL import Image as Pillow

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            picture = Pillow.open(file, formats=sorted(set(PICTURES.values())))
            pixels = picture.width * picture.height
            if pixels <= MOST_PIXELS:
                picture.verify()
            return str(picture.format), pixels
    except Pillow.DecompressionBombError:
        return "too large", MOST_PIXELS + 1
    except Exception:  # Damaged files make the decoders raise whatever there is.
        return "", 0


class File(FieldType):
    name = "file"
    summary = "An uploaded file. Only people who may see the record can open it."
    kind = "text"
    Options = FileOptions
    sortable = False
    usable_as_key = False
    uploads = True
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
        return value.url

    def serialize(self, value: Any, field: Field) -> str:
        return str(value)

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        """Take the stored name of a file that was uploaded to this very field, and no other path.

        Files stay where they are when a field is renamed: it also has those in the folders of its former names.
        """
        text = text_of(raw)
        stored = STORED.match(text)
        if not stored or not default_storage.exists(text) or not self._has_folder(stored["folder"], field):
            raise ValueError(f"{text[:80]!r} is not a file that was uploaded to this field.")
        return text

    def _has_folder(self, folder: str, field: Field) -> bool:
        scope = f"{field.business.label}.{field.entity.name}.{field.name}"
        former = apps.get_model("crm", "UploadFolder").objects.filter(folder=folder, scope=scope)
        return folder == self.folder(field) or former.exists()

    def validate(self, value: Any, field: Field) -> Any:
        return value

    def equals(self, value: Any, other: Any) -> bool:
        return str(value or "") == str(other or "")


class Image(File):
    name = "image"
    summary = "An uploaded picture (PNG, JPEG, GIF or WebP)."
    input = "image"

    def endings(self, field: Field) -> list[str] | None:
        return field.options.accept or list(PICTURES)

    def check(self, field: Field, report: Report) -> None:
        super().check(field, report)
        strange = [ending for ending in field.options.accept or () if ending not in PICTURES]
        if strange:
            report(f"{strange[0]!r} is no picture; use {', '.join(PICTURES)}, or the type file", "accept")

    def validators(self, field: Field) -> list:
        return [*super().validators(field), RealPicture()]

    def column(self, field: Field) -> models.Field:
        upload_to = partial(stored_name, self.folder(field))
        return columns.Image(upload_to=upload_to, max_length=WIDTH, **self.common(field))
