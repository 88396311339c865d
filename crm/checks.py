"""System checks: what must be right before this process serves anyone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from crm.hardening import open_to_others
from crm.release.differences import OtherDefinitions, release_differences, unknown_migrations
from crm.release.releases import last_release
from crm.release.snapshot import snapshot_in_force


@checks.register(checks.Tags.database)
def release_in_force(databases: list[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Warn where this database is not what the files say: the differences that can be told without reading tables."""
    if not databases:
        return []
    location = settings.BUSINESS_LOCATION
    try:
        release = last_release(location.label)
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return [checks.Warning("The database cannot be asked.", hint="Run: manage.py apply", id="crm.W001")]
    if not any(app == location.label for app, _name in applied):
        return [checks.Warning("The database has no tables yet.", hint="Run: manage.py apply", id="crm.W001")]
    snapshot = snapshot_in_force(location, settings.SNAPSHOT)
    files = {(location.label, path.stem) for path in location.migrations.glob("*.py")}
    differences = [*release_differences(snapshot, release), *unknown_migrations(location.label, applied, files)]
    if settings.SNAPSHOT:  # Definitions that are tried out before they come into force.
        differences = [difference for difference in differences if not isinstance(difference, OtherDefinitions)]
    return [
        checks.Warning(difference.sentence, hint=f"{difference.way_out} Run: manage.py apply", id="crm.W002")
        for difference in differences
    ]


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
