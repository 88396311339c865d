"""Bad requests: whatever a request holds that cannot be read is answered by a page that says so, never by an error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from django.views import defaults

from crm.blueprint.bounds import is_key
from crm.records.missing_columns import describe_missing_column
from crm.records.outages import advise, describe_outage

UNREADABLE = (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)
RETRY_AFTER = 30
"""The seconds after which a browser or a monitor may ask again, once the database or the disk was away."""


class ExplainedBadRequest(BadRequest):
    """A request that is refused with a sentence for people."""


class RefusalMiddleware:
    """Reads a request before anything else does, and answers 400 with a clear page where that cannot be done.

    Stands before the middleware that reads what was posted (CSRF), whose errors no view could catch.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            _read(request)
        except UNREADABLE as error:
            return bad_request(request, error)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        outage = describe_outage(exception)
        if outage:
            return _unavailable(request, outage, exception)
        if isinstance(exception, DatabaseError):
            return _other_database(request)
        return bad_request(request, exception) if isinstance(exception, UNREADABLE) else None


def refuse_encodings(application: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a WSGI application: a request in another encoding than UTF-8 is refused before Django builds it.

    Django decodes the address by the encoding that a request says, outside of all its handlers: `rot13` and what has
    no end of such names would be an error that no middleware sees.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if is_utf8(environ.get("CONTENT_TYPE", "")):
            return application(environ, start_response)
        page = bad_page(_("What was sent could not be read. Nothing was saved."))
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(page)))]
        start_response("400 Bad Request", headers)
        return [page]

    return answer


def is_utf8(content_type: str) -> bool:
    """Return whether a Content-Type leaves the encoding open or says UTF-8; UTF-7 writes lone surrogates."""
    try:
        charset = parse_header_parameters(content_type)[1].get("charset", "utf-8")
    except (LookupError, ValueError):
        return False
    return charset.strip("\"' ").lower() in ("utf-8", "utf8", "us-ascii")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an error that no view raised, as Django's `handler500`: an outage is told as such.

    Middleware reads the session and the user, whose errors pass `process_exception` by.
    """
    error = sys.exc_info()[1]
    outage = describe_outage(error)
    return _unavailable(request, outage, error) if outage else defaults.server_error(request)


def _unavailable(request: HttpRequest, outage: str, error: BaseException | None) -> HttpResponse:
    """Return the page that says what is away, without a look at the session; the log has a line, and no traceback."""
    logging.getLogger("django.request").warning("Unavailable: %s: %s: %s", request.path, type(error).__name__, error)
    response = HttpResponse(bad_page(advise(outage), _("This cannot be answered just now")), status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    response["X-Frame-Options"] = "DENY"
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log it as an error of the program.
    return response


def _other_database(request: HttpRequest) -> HttpResponse | None:
    """Return the page that says what to run, where the database lacks a column; None for any other error of it."""
    trouble = describe_missing_column(settings.BUSINESS_LOCATION.label)
    if not trouble:
        return None
    logging.getLogger("django.request").error("%s: %s", request.path, trouble)
    response = HttpResponse(bad_page(trouble, _("The database is of other definitions")), status=503)
    response["X-Frame-Options"] = "DENY"
    return response


def bad_page(reason: str, title: str = "", back: str = "") -> bytes:
    """Return the page that says why; `back` is the address of the list that its filters are no part of."""
    return render_to_string("crm/bad_request.html", {"reason": reason, "title": title, "back": back}).encode()


def _read(request: HttpRequest) -> None:
    """Parse the parameters and the form of a request. Raises one of UNREADABLE."""
    if not is_utf8(request.META.get("CONTENT_TYPE", "")):
        raise BadRequest("charset")
    request.GET  # noqa: B018
    if request.method == "POST":
        request.POST  # noqa: B018


def bad_request(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return the page that says why a request was not understood."""
    logging.getLogger(f"django.security.{type(error).__name__}").warning("Bad request: %s", request.path)
    back = request.path if isinstance(error, DisallowedModelAdminLookup) else ""
    response = HttpResponse(bad_page(_reason(error), back=back), status=400)
    response["X-Frame-Options"] = "DENY"
    return response


def _reason(error: Exception) -> str:
    if isinstance(error, TooManyFieldsSent):
        most = f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,}"
        return _("More than %(most)s values were sent at once. Nothing was saved: save a part at a time.") % {
            "most": most
        }
    if isinstance(error, RequestDataTooBig):
        most = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1e6:.1f}"
        return _("More than %(most)s MB of text were sent at once. Nothing was saved: save a part at a time.") % {
            "most": most
        }
    if isinstance(error, ExplainedBadRequest):
        return str(error)
    if isinstance(error, DisallowedModelAdminLookup):
        return _("The list cannot be filtered by “%(parameter)s”, a parameter of this address.") % {
            "parameter": _parameter_of(error)
        }
    return _("What was sent could not be read. Nothing was saved.")


def _parameter_of(error: DisallowedModelAdminLookup) -> str:
    """Return the parameter that Django's sentence names, the only place where it does: Filtering by x not allowed."""
    return str(error).removeprefix("Filtering by ").removesuffix(" not allowed")[:100]


def redirect_for_wrong_keys(request: HttpRequest) -> HttpResponse | None:
    """Go back to the list, with a message, where its action was sent for what can be no record; else return None."""
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME) if request.method == "POST" else []
    if all(map(is_key, chosen)):
        return None
    messages.error(request, _("Nothing was done: what was chosen is no record of this list."))
    return HttpResponseRedirect(request.get_full_path())
