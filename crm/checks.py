"""System checks: what must be right before this process serves anyone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection

from crm.release.snapshot import read_snapshot


@checks.register(checks.Tags.database)
def release_in_force(databases: list[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Warn where the database was brought to other definitions than this process serves."""
    from crm.models import Release

    if not databases:
        return []
    try:
        release = Release.objects.filter(business=settings.BUSINESS_LOCATION.label).first()
    except DatabaseError:
        return [checks.Warning("The database has no tables yet.", hint="Run: manage.py apply", id="crm.W001")]
    snapshot = read_snapshot(settings.SNAPSHOT or settings.BUSINESS_LOCATION.snapshot)
    if snapshot and (release is None or release.hash != snapshot.hash) and connection.alias == "default":
        message = "The database serves other definitions than this process."
        return [checks.Warning(message, hint="Run: manage.py apply", id="crm.W002")]
    return []
