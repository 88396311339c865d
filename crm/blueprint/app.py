"""What `app.yaml` says of the world and of the entities: checked once all files are read."""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection
from functools import cache

from babel import Locale, localedata
from babel.numbers import list_currencies

from crm.blueprint.language import Report
from crm.blueprint.names import name_problem
from crm.blueprint.problems import did_you_mean
from crm.blueprint.sections import AppSection


def check_app(app: AppSection, entities: Collection[str], report: Report, world: bool = True) -> None:
    """Check the words that only a look at the other files, or at the world, can tell right from wrong."""
    if world:
        _check_world(app, report)
    for role, section in app.roles.items():
        if section is not None and section.was in app.roles:
            report(f"there still is a role {section.was!r}: nothing takes its place", "roles", role, "was")
        trouble = name_problem(role, "a role")
        if trouble:
            report(trouble, "roles", role, key=True)
    for heading, names in app.menu.items():
        for index, name in enumerate(names):
            if name not in entities:
                report(f"there is no entity {name!r}", "menu", heading, index, hint=did_you_mean(name, entities))


@cache
def _known_words() -> dict[str, Collection[str]]:
    """Return the words that each key may have; the time zones alone take 30 milliseconds to list."""
    return {
        "time_zone": frozenset(zoneinfo.available_timezones()),
        "currency": frozenset(list_currencies()),
        "region": frozenset(Locale("en").territories),
    }


def _check_world(app: AppSection, report: Report) -> None:
    for key, words in _known_words().items():
        value = getattr(app, key)
        if value is not None and value not in words:
            report(f"there is no {key.replace('_', ' ')} {value!r}", key, hint=did_you_mean(value, words))
    for index, language in enumerate(app.languages):
        if not localedata.exists(language.split("-")[0]):
            report(f"there is no language {language!r}", "languages", index)
