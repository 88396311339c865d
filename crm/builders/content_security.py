"""Content Security Policy (CSP): what a browser may load and run on a page, so that injected markup can do nothing.

No page has inline scripts or styles, so no policy allows them, not even by a nonce. The strict policy holds for every
answer; the office's pages may also evaluate expressions, which the Alpine.js of Unfold needs. A view chooses another
policy by `content_security`, or by a header of its own. The names are those of Django 6, whose middleware can replace
this one; django-csp would need a decorator on each view of the admin, and its nonces are of no use here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseServerError

HEADER = "Content-Security-Policy"
Policy = Mapping[str, str]
STRICT: Policy = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
}
ADMIN: Policy = {**STRICT, "script-src": "'self' 'unsafe-eval'", "frame-src": "'self'"}
DEBUG_RESPONSES = (HttpResponse, HttpResponseNotFound, HttpResponseServerError)
SANDBOX: Policy = {"default-src": "'none'", "sandbox": ""}
"""Of uploaded files: a browser may show one, and it may do nothing."""


def content_security(policy: Policy) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Return the decorator that gives a view's answers a policy of their own."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def decorated(*args: Any, **kwargs: Any) -> HttpResponse:
            response = view(*args, **kwargs)
            response.csp_policy = policy  # type: ignore[attr-defined]
            return response

        return decorated

    return decorate


class ContentSecurityPolicyMiddleware:
    """Sends a policy with every answer; stands before all other middleware, so that their errors have one too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if HEADER not in response and not _is_debug_page(response):
            policy = getattr(response, "csp_policy", None) or _policy_of_path(request)
            response[HEADER] = header_value(policy, response.get("X-Frame-Options", ""))
        return response


def header_value(policy: Policy, x_frame_options: str = "") -> str:
    """Return a policy as its header has it; who may frame the page follows the older header `X-Frame-Options`."""
    ancestors = "'self'" if x_frame_options.upper() == "SAMEORIGIN" else "'none'"
    directives = {**policy, "frame-ancestors": ancestors}
    return "; ".join(f"{name} {value}".strip() for name, value in directives.items())


def _policy_of_path(request: HttpRequest) -> Policy:
    match = request.resolver_match
    return ADMIN if match is not None and match.app_names[:1] == ["admin"] else STRICT


def _is_debug_page(response: HttpResponse) -> bool:
    """Say whether this is one of Django's pages of development alone, which are styled inline, such as a traceback."""
    return settings.DEBUG and response.status_code in {404, 500} and type(response) in DEBUG_RESPONSES
