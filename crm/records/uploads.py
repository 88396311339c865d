"""Uploaded files belong to the transaction that stores them, and a request that was cut off is not carried out."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import BadRequest
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse


class TransactionalStorage(FileSystemStorage):
    """Keeps a file when the transaction that stored it commits, and deletes it where that is rolled back.

    So nothing is left behind (no orphaned file) where a rule is broken, a form is not valid or the database refuses
    after the file was stored. Outside of a transaction a file is kept at once.
    """

    def _save(self, name: str, content: File) -> str:
        is_new = not self.exists(name)
        try:
            stored = super()._save(name, _as_stream(content))
        except BaseException:
            if is_new:  # What the disk took before it was full.
                self.delete(name)
            raise
        if connection.in_atomic_block:
            transaction.on_commit(_Receipt(self, stored).keep)
        return stored


class _Receipt:
    """Stands for a stored file in the list of what to do on commit; Django drops that list on rollback.

    It is the only one to hold this object, so that dropping it finalizes the object, which deletes the file.
    """

    def __init__(self, storage: FileSystemStorage, name: str):
        self._delete = weakref.finalize(self, storage.delete, name)

    def keep(self) -> None:
        self._delete.detach()


def _as_stream(content: File) -> File:
    """Return an upload so that it is copied and not moved: a form that is shown again looks at it once more."""
    return File(content.file, content.name) if hasattr(content, "temporary_file_path") else content


class UploadMiddleware:
    """Deletes the temporary file of an upload that was not read to its end; Django closes those alone that were."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            if request.content_type == "multipart/form-data":
                for handler in request.upload_handlers:
                    file = getattr(handler, "file", None)
                    if isinstance(file, TemporaryUploadedFile):
                        file.close()


class WholeBody:
    """WSGI application that refuses a request whose body ends before its `Content-Length`, with the status 400.

    Servers tell the end of a broken connection as the end of the body; half a file would be taken for the whole.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]):
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length):
            environ["wsgi.input"] = _CountedInput(environ["wsgi.input"], int(length))
        return self.application(environ, start_response)


class _CountedInput:
    """A request's body that knows how many bytes it must have."""

    def __init__(self, stream: Any, length: int):
        self._stream, self._left = stream, length

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self._stream.readline, size)

    def _counted(self, read: Callable[[int], bytes], size: int) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data = read(wanted) if wanted else b""
        self._left -= len(data)
        if wanted and not data:
            raise BadRequest(f"The request was cut off: {self._left} bytes of its body are missing.")
        return data
