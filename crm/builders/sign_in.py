"""Signing in: delays and lockout after failed attempts (brute force, password spraying), counted by django-axes.

The counts are rows of the database, so they hold over all workers and machines. Three limits apply, and each failure
beyond one doubles the wait: for an account from one address, for an account from all addresses, for an address over all
accounts. The wide two never keep out an account from an address where it has signed in before, so that nobody locks the
owner out by guessing. Whether the account exists plays no part in any of it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=1)


@dataclass(frozen=True)
class Limit:
    """How many attempts may fail before the next one must wait, and the longest wait."""

    failures: int
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """Return how long after the last of so many failures the next attempt is looked at."""
        if failures < self.failures:
            return timedelta(0)
        return min(FIRST_WAIT * 2 ** min(failures - self.failures, 20), self.longest)


PAIR = Limit(settings.AXES_FAILURE_LIMIT, timedelta(hours=1))
"""Of one account from one address."""
ACCOUNT = Limit(30, timedelta(minutes=15))
"""Of one account from all addresses: guessing by a botnet."""
ADDRESS = Limit(60, timedelta(minutes=15))
"""Of all accounts from one address: password spraying."""


class SignInHandler(AxesDatabaseHandler):
    """Counts failed attempts as django-axes does, and says how long the next one must wait."""

    def is_locked(self, request: HttpRequest, credentials: dict | None = None) -> bool:
        return remaining_wait(request, credentials) > timedelta(0)


def remaining_wait(request: HttpRequest, credentials: dict | None = None) -> timedelta:
    """Return how long it takes until an attempt to sign in is looked at again; zero where it may be made."""
    username, address = get_client_username(request, credentials), request.axes_ip_address
    pair = Q(username=username, ip_address=address)
    wait = _remaining(PAIR, pair)
    wide = max(
        _remaining(ACCOUNT, Q(username=username)), _remaining(ADDRESS, Q(ip_address=address, ip_address__isnull=False))
    )
    if wide > wait and not AccessLog.objects.filter(pair).exists():
        return wide
    return wait


def _remaining(limit: Limit, attempts: Q) -> timedelta:
    now = timezone.now()
    recent = AccessAttempt.objects.filter(attempts, attempt_time__gte=now - settings.AXES_COOLOFF_TIME)
    counted = recent.aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    if not counted["failures"]:
        return timedelta(0)
    return max(counted["last"] + limit.wait(counted["failures"]) - now, timedelta(0))


def client_address(request: HttpRequest) -> str | None:
    """Return the address that a request comes from, as the nearest trusted proxy saw it; None where it is not known.

    Of `X-Forwarded-For` only the entries that the own proxies have appended count: all before them is the client's own
    word. An IPv6 address stands for its /64, which is what one subscriber has.
    """
    if settings.PROXY_COUNT:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        text = hops[-settings.PROXY_COUNT] if len(hops) >= settings.PROXY_COUNT else ""
    else:
        text = request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(_without_port(text.strip()))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False).network_address)
    return str(address)


def _without_port(text: str) -> str:
    """Return the address of `192.0.2.1:443`, `[2001:db8::1]:443` or `fe80::1%eth0` alone."""
    if text.startswith("["):
        text = text[1:].split("]")[0]
    elif text.count(":") == 1:
        text = text.split(":")[0]
    return text.split("%")[0]


class SignInForm(AuthenticationForm):
    """The form of the sign-in page, which says in plain words when an attempt was not looked at."""

    def get_invalid_login_error(self) -> ValidationError:
        if not getattr(self.request, "axes_locked_out", False):
            return super().get_invalid_login_error()
        wait = remaining_wait(self.request, {"username": self.cleaned_data.get("username")})
        minutes = max(ceil(wait / timedelta(minutes=1)), 1)
        text = ngettext(
            "There were too many failed attempts to sign in. Try again in a minute.",
            "There were too many failed attempts to sign in. Try again in %(minutes)d minutes.",
            minutes,
        )
        return ValidationError(text % {"minutes": minutes}, code="locked_out")


def lockout_response(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any]) -> HttpResponse:
    """Answer with the sign-in page, whose form says what is the matter, and the status 429 (too many requests)."""
    seconds = max(ceil(remaining_wait(request, credentials).total_seconds()), 1)
    logger.warning("Signing in is locked for %s seconds, from %s", seconds, request.axes_ip_address)
    response.status_code = 429
    response["Retry-After"] = str(seconds)
    return response
