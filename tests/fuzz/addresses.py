"""Every address of the site, out of the URL resolver, with values for what it takes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from tests.fuzz.hostile import KEYS
from tests.support.records import business

PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
GROUP = re.compile(r"\(\?P<(?P<name>\w+)>[^)]*\)")


@dataclass(frozen=True)
class Address:
    """An address as the resolver has it, such as `admin/travel/customer/<path:object_id>/change/`, and its model."""

    route: str
    model: Any = None

    @property
    def names(self) -> list[str]:
        return [found["name"] for found in PARAMETER.finditer(self.route)]

    def fill(self, values: dict[str, str]) -> str:
        return "/" + PARAMETER.sub(lambda found: values[found["name"]], self.route)


def all_addresses() -> list[Address]:
    """Return every address, in the order of the resolver."""
    return [Address(route, _model_of(route)) for route in dict.fromkeys(_routes(get_resolver().url_patterns, ""))]


def _routes(patterns: list[Any], before: str) -> Iterator[str]:
    for one in patterns:
        is_route = isinstance(one.pattern, RoutePattern)
        text = one.pattern._route if is_route else GROUP.sub(r"<\g<name>>", str(one.pattern).strip("^$"))
        if isinstance(one, URLResolver):
            yield from _routes(one.url_patterns, before + text)
        elif isinstance(one, URLPattern) and "logout" not in text:
            yield before + text


def _model_of(route: str) -> Any:
    found = re.match(r"admin/(\w+)/(\w+)/", route)
    try:
        return apps.get_model(found[1], found[2]) if found else None
    except LookupError:
        return None


def known_values(address: Address, words: list[str]) -> dict[str, list[str]]:
    """Return values that lead somewhere, by parameter: keys of records, names of panels and actions, labels of apps."""
    keys = (
        [str(key) for key in address.model._base_manager.values_list("pk", flat=True)[:3]] if address.model else ["1"]
    )
    models = [one._meta.model_name for one in apps.get_app_config(business().label).get_models()]
    special = {"app_label": [business().label, "crm", "auth"], "content_type_id": ["1", "12"], "model_name": models}
    return {
        name: special.get(name, keys if name.endswith(("id", "pk", "key")) else [*words, *keys])
        for name in address.names
    }


def choose(address: Address, words: list[str], dice: random.Random, hostile: float = 0.3) -> str:
    """Return an address with each parameter filled in: with what there is, or with what nobody made."""
    known = known_values(address, words)
    values = {name: dice.choice(KEYS if dice.random() < hostile or not some else some) for name, some in known.items()}
    return address.fill(values)
