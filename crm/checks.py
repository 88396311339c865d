"""System checks: what must be right before this process serves anyone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection

from crm.hardening import open_to_others
from crm.release.snapshot import snapshot_in_force


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
    snapshot = snapshot_in_force(settings.BUSINESS_LOCATION, settings.SNAPSHOT)
    if snapshot and (release is None or release.hash != snapshot.hash) and connection.alias == "default":
        message = "The database serves other definitions than this process."
        return [checks.Warning(message, hint="Run: manage.py apply", id="crm.W002")]
    return []


@checks.register(checks.Tags.security, deploy=True)
def files_are_private(app_configs: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """Warn where other users of this machine may read the database, the uploads or the folder that holds both."""
    sqlite = connection.settings_dict["NAME"] if connection.vendor == "sqlite" else ""
    places = [settings.VAR_DIR, settings.MEDIA_ROOT, *([sqlite] if sqlite else [])]
    hint = "Only the service's user needs it: chmod -R go= {}"
    return [
        checks.Warning(f"Other users of this machine can read {path}.", hint=hint.format(path), id="crm.W003")
        for path in map(Path, places)
        if open_to_others(path)
    ]
