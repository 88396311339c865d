"""What `app.yaml` says of the world and of the entities: checked once all files are read."""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection
from functools import cache

from babel import Locale, localedata
from babel.core import get_global
from babel.numbers import get_territory_currencies, list_currencies

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
            hint = CURES.get(key, did_you_mean)(value, words)
            report(f"there is no {key.replace('_', ' ')} {value!r}", key, hint=hint)
    for index, language in enumerate(app.languages):
        if not localedata.exists(language.split("-")[0]):
            report(f"there is no language {language!r}", "languages", index)


def _currency_hint(word: str, codes: Collection[str]) -> str:
    """Return the codes of the currencies that a word, such as `pound`, may stand for; those with a sign come first."""
    english = Locale("en")
    names = {code: name for code, name in english.currencies.items() if code in codes and code in _currencies_in_use()}
    meant = [code for code, name in names.items() if word.lower() in {name.lower(), *name.lower().split()}]
    meant += [code for code, sign in english.currency_symbols.items() if sign == word and code in names]
    meant.sort(key=lambda code: (english.currency_symbols.get(code, code) == code, code))
    return _codes({code: names[code] for code in meant[:3]}) or did_you_mean(word, codes) or CODES["currency"]


def _region_hint(word: str, codes: Collection[str]) -> str:
    """Return the code of the country that goes by another one (`UK`), or that is written as a name."""
    territories = Locale("en").territories
    aliases = get_global("territory_aliases").get(word.upper(), [])
    meant = [code for code, name in territories.items() if name.lower() == word.lower()]
    names = {code: territories[code] for code in (*aliases, *meant) if code in codes}
    return _codes(names) or did_you_mean(word, codes) or CODES["region"]


def _codes(names: dict[str, str]) -> str:
    return f"Write {' or '.join(f'{code} for {name}' for code, name in names.items())}." if names else ""


@cache
def _currencies_in_use() -> frozenset[str]:
    territories = get_global("territory_currencies")
    return frozenset(code for territory in territories for code in get_territory_currencies(territory))


CODES = {
    "currency": "Currencies go by the three letters of ISO 4217, such as GBP.",
    "region": "Regions go by the two letters of ISO 3166, such as GB.",
}
CURES = {"currency": _currency_hint, "region": _region_hint}
"""What is said of a word that is not known, beyond the nearest one."""
