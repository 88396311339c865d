"""Definitions made up by Hypothesis: whole businesses as plain data, valid, of every field type with all of its options."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import yaml
from hypothesis import strategies as st

from crm.blueprint.sections import AppSection
from crm.wiring import LANGUAGE
from properties.values import VALUES

ENTITIES = ("ant", "bee_hive", "cow", "ant_hill", "eel2")
FIELDS = ("a", "b", "c", "d", "f", "g", "h", "k")
AWKWARD = (
    "name", "title", "label", "order", "index", "type", "entity", "fields", "form", "format", "model", "media", "source",
    "files", "errors", "data", "user", "tags", "status", "value", "number", "key", "state", "filters", "request", "version",
    "queryset", "initial", "prefix", "names", "parts", "options", "text", "count", "items", "pk2", "a_id2",
)  # fmt: skip
"""Names that mean something to Django or to the engine, and that a field may have all the same."""
LABELS = ("A", "b", "Größe", "Q&A <b>", 'O\'Hara "x"', "50 % {x}", "id", "a;b|c", "Two words")
HELP = ("Help.", '50 % of <b>"it"</b>')
CHOICES = ("draft", "sent", "in progress", "=1", "a;b|c", "Ä", "007", "x" * 60)
ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Apia")

Data = dict[str, Any]
Documents = dict[str, Data]
"""File name → its plain data."""


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes numbers as the language reads them, and everything out in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _number(dumper: Any, one: Decimal) -> yaml.Node:
    text = f"{one:f}"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(Decimal, _number)


def dump(data: Data) -> str:
    """Write plain data as a definition file."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)


def some(draw: st.DrawFn, **offers: st.SearchStrategy) -> Data:
    """Take each offer one time in three."""
    return {key: draw(offer) for key, offer in offers.items() if draw(st.integers(0, 2)) == 2}


FLAG = st.booleans()


@dataclass
class Scope:
    """Where a field is being made: in which entity, and what is there already."""

    draw: st.DrawFn
    app: AppSection
    names: tuple[str, ...]
    number: int
    fields: Data = field(default_factory=dict)
    rows_of: dict[str, str] = field(default_factory=dict)
    """Entity → the one whose table it is; shared by all scopes of a business."""


def yaml_value(kind: str, value: Any) -> Any:
    """Return a value as a definition holds it."""
    if kind == "json":
        return json.dumps(value) if isinstance(value, str) else value
    if isinstance(value, timedelta):
        return f"{value // timedelta(minutes=1)}m" if value >= timedelta() else None
    return value.isoformat() if isinstance(value, date | datetime | time) else value


def stored(scope: Scope, kind: str, options: Data, *words: str, keyed: bool = True) -> Data:
    """Add what every field with a value of its own may have."""
    made = {**options, **some(scope.draw, required=FLAG, index=FLAG)}
    if keyed and scope.draw(st.integers(0, 5)) == 5:
        return {**made, "unique": True}
    values = VALUES[kind](LANGUAGE.types[kind].Options.model_validate(options), scope.app).map(
        partial(yaml_value, kind)
    )
    found = {**made, **some(scope.draw, default=values | st.sampled_from(words) if words else values, backfill=values)}
    return {key: value for key, value in found.items() if value is not None}


def _simple(kind: str, *words: str, keyed: bool = True, **offers: st.SearchStrategy) -> Callable[[Scope], Data]:
    return lambda scope: stored(scope, kind, some(scope.draw, **offers), *words, keyed=keyed)


def _limits(kind: str, lows: st.SearchStrategy, highs: st.SearchStrategy, **offers: Any) -> Callable[[Scope], Data]:
    return lambda scope: stored(scope, kind, some(scope.draw, min=lows, max=highs, **offers))


def _numbers(kind: str, **offers: Any) -> Callable[[Scope], Data]:
    lows = st.sampled_from([0, 1, -1000, Decimal("-5")])
    return _limits(kind, lows, st.sampled_from([10, 1000, Decimal("99999")]), **offers)


def _choice(scope: Scope) -> Data:
    keys = scope.draw(st.lists(st.sampled_from(CHOICES), min_size=1, max_size=3, unique=True))
    colors = st.fixed_dictionaries({}, optional={"label": st.sampled_from(LABELS), "color": st.just("green")})
    choices: Any = keys if scope.draw(FLAG) else {key: scope.draw(st.sampled_from(LABELS) | colors) for key in keys}
    return stored(scope, "choice", {"choices": choices}, keyed=False)


def _link(scope: Scope) -> Data:
    required = scope.number > 0 and scope.draw(FLAG)
    to = scope.draw(st.sampled_from(scope.names[: scope.number] if required else scope.names))
    actions = ("protect", "cascade") if required else ("protect", "cascade", "empty")
    must = {"required": True} if required else {}
    return {"to": to, **must, **some(scope.draw, on_delete=st.sampled_from(actions), unique=st.just(True))}


def _table(scope: Scope) -> Data | None:
    free = [name for name in scope.names[scope.number + 1 :] if name not in scope.rows_of]
    if not free:
        return None
    child = scope.draw(st.sampled_from(free))
    scope.rows_of[child] = scope.names[scope.number]
    found = {"of": child, **some(scope.draw, order_by=st.just("created"))}
    if scope.draw(FLAG):
        scope.fields["most"] = {"type": "integer", "min": 5, "required": True}
        found["rows"] = "most"
    return found


def _files(scope: Scope) -> Data:
    return some(scope.draw, required=FLAG, max_size=st.just(1))


def _slug(scope: Scope) -> Data:
    names = [name for name, one in scope.fields.items() if one["type"] not in NO_SLUG]
    return some(scope.draw, **{"from": st.sampled_from(names)}) if names else {}


NO_SLUG = {"links", "tags", "table", "address"}
FORMATS = ("{n}", "X-{n}", "{year}-{n:05}", "B-{year}-{n:5}", "{month}{n:02}", "B-{year}-{month}-{n:05}", "a;b|{n}")

OPTIONS: dict[str, Callable[[Scope], Data | None]] = {
    "text": _simple("text", max_length=st.sampled_from([1, 5, 100, 2000])),
    "long_text": _simple("long_text", keyed=False, max_length=st.sampled_from([1, 50, 5000])),
    "integer": _limits("integer", st.integers(-9, 1), st.integers(2, 99)),
    "decimal": _numbers("decimal", places=st.integers(0, 6)),
    "money": _numbers("money"),
    "percent": _numbers("percent"),
    "boolean": lambda scope: some(scope.draw, default=FLAG, index=FLAG),
    "date": _simple("date", "today"),
    "datetime": _simple("datetime", "now"),
    "time": _simple("time"),
    "duration": _limits("duration", st.sampled_from(["0m", "30m"]), st.sampled_from(["8h", "400d"])),
    "email": _simple("email"),
    "phone": _simple("phone", strict=FLAG),
    "url": _simple("url"),
    "choice": _choice,
    "tags": lambda scope: some(scope.draw, choices=st.just(["red", "blue; green", "=1"])),
    "link": _link,
    "links": lambda scope: {"to": scope.draw(st.sampled_from(scope.names))},
    "table": _table,
    "user": lambda scope: some(scope.draw, required=FLAG, default=st.just("me")),
    "file": _files,
    "image": _files,
    "address": lambda scope: {},
    "country": _simple("country"),
    "color": _simple("color"),
    "json": _simple("json", keyed=False),
    "sequence": lambda scope: some(
        scope.draw, format=st.sampled_from(FORMATS), gapless=FLAG, start=st.sampled_from([0, 1, 1000])
    ),
    "slug": _slug,
    "uuid": lambda scope: some(scope.draw, unique=FLAG),
}
"""How the options of each field type are made; None where no such field fits."""

KEYS = (
    "text", "sequence", "uuid", "integer", "decimal", "money", "percent", "date", "datetime", "time", "duration", "email",
    "phone", "url", "country", "color", "slug",
)  # fmt: skip
"""The types that a key of files is made of, besides links and choices."""


def new_field(scope: Scope, kind: str, name: str) -> None:
    """Add a field of a type to the scope, where one fits."""
    options = OPTIONS[kind](scope)
    if options is not None:
        shown = some(scope.draw, label=st.sampled_from(LABELS), help=st.sampled_from(HELP), read_only=st.just(True))
        scope.fields[name] = {"type": kind, **options, **(shown if scope.draw(FLAG) else {})}


def free_name(draw: st.DrawFn, taken: Any) -> str:
    """Return a name that the entity has no field of: a letter, or one time in four an awkward word."""
    pool = FIELDS if draw(st.integers(0, 3)) < 3 else AWKWARD
    return draw(st.sampled_from([name for name in (*pool, *FIELDS, *AWKWARD) if name not in taken][: len(pool)]))


def _fields(scope: Scope) -> None:
    for _ in range(scope.draw(st.integers(1, 8))):
        name = free_name(scope.draw, scope.fields)
        new_field(scope, scope.draw(st.sampled_from(list(OPTIONS))), name)
    if not scope.fields:
        scope.fields["a"] = {"type": "text"}


def _match_on(scope: Scope) -> list[str]:
    """Choose the key of files: a field made for it, one or two of those there, or none."""
    how = scope.draw(st.sampled_from(("none", "made", "made", "made", "own")))
    if how == "made":
        kind = scope.draw(st.sampled_from(KEYS))
        name = free_name(scope.draw, scope.fields)
        new_field(scope, kind, name)
        made = scope.fields[name]
        if "unique" in LANGUAGE.types[kind].Options.model_fields and kind != "uuid":
            for word in ("default", "backfill"):
                made.pop(word, None)
            made.update(required=True, unique=True)
        return [name]
    earlier = scope.names[: scope.number]
    fit = [
        name
        for name, one in scope.fields.items()
        if one["type"] in (*KEYS, "choice", "user") or (one["type"] == "link" and one["to"] in earlier)
    ]
    return (
        scope.draw(st.lists(st.sampled_from(fit), min_size=1, max_size=2, unique=True)) if fit and how == "own" else []
    )


@dataclass(frozen=True)
class Path:
    """A path that a list or a title may name, and the type at its end."""

    text: str
    type: Any


def _paths(name: str, entities: Documents, rows_of: dict[str, str], deep: bool = True) -> list[Path]:
    found = [Path("created", LANGUAGE.types["datetime"])]
    fields = entities[name]["fields"]
    if name in rows_of:
        fields = {rows_of[name]: {"type": "link", "to": rows_of[name]}, **fields}
    for key, one in fields.items():
        found.append(Path(key, LANGUAGE.types[one["type"]]))
        if one["type"] == "address":
            found += [Path(f"{key}.city", LANGUAGE.types["text"]), Path(f"{key}.country", LANGUAGE.types["country"])]
        if one["type"] == "link" and deep:
            inner = _paths(one["to"], entities, rows_of, deep=False)
            found += [Path(f"{key}.{path.text}", path.type) for path in inner]
    return found


def _up_to(fit: list[Any], most: int) -> st.SearchStrategy:
    return st.lists(st.sampled_from(fit), max_size=most, unique=True) if fit else st.just([])


def _listing(draw: st.DrawFn, paths: list[Path]) -> Data:
    columns = [path.text for path in paths if path.type.listable]
    filters = [path.text for path in paths if path.type.filter]
    search = [path.text for path in paths if path.type.searchable]
    order = [path.text for path in paths if path.type.sortable]
    return some(
        draw,
        columns=_up_to(["id", *columns], 5),
        filters=_up_to(filters, 3),
        search=_up_to(search, 2),
        order=_up_to(["-id", *order, *(f"-{path}" for path in order)], 2),
        page=st.sampled_from([5, 500]),
    )


def _title(paths: list[Path]) -> st.SearchStrategy:
    fit = [path.text for path in paths if not path.type.many] + ["id"]
    slots = st.lists(st.sampled_from(fit).map(lambda path: f"{{{path}}}"), min_size=1, max_size=2)
    return slots.map(lambda found: " – ".join(found))


def _form(draw: st.DrawFn, names: list[str]) -> Data:
    chosen = draw(_up_to(names, 6))
    half = len(chosen) // 2
    first: list[Any] = [chosen[:half]] if half and draw(FLAG) else chosen[:half]
    tabs = {"First": first, "Second & last": {"": chosen[half:], "Heading": []}, **some(draw, Log=st.just("timeline"))}
    return {"tabs": tabs}


def _sections(draw: st.DrawFn, name: str, entities: Documents, rows_of: dict[str, str]) -> Data:
    fields = entities[name]["fields"]
    paths = _paths(name, entities, rows_of)
    single = [key for key, one in fields.items() if one["type"] not in {*NO_SLUG, "json", "file", "image"}]
    found = some(
        draw,
        label=st.sampled_from(LABELS),
        plural=st.sampled_from(LABELS),
        icon=st.just("luggage"),
        title=_title(paths),
        unique=_up_to(single, 2).map(lambda group: [group] if group else []),
        history=st.builds(dict, track=st.just("all") | _up_to(list(fields), 3), reason=FLAG),
    )
    found |= {"list": _listing(draw, paths)} if draw(FLAG) else {}
    return found | ({"form": _form(draw, list(fields))} if draw(FLAG) else {})


def _transfer(draw: st.DrawFn, match_on: list[str], names: list[str]) -> Data:
    found = some(
        draw,
        columns=_up_to(names, 2).map(lambda chosen: {f"The {name}": name for name in chosen}),
        unknown_columns=st.just("ignore"),
        nulls=st.just(["NULL", "n/a"]),
        dates=st.just(["%d.%m.%Y", "%m/%d/%Y %H:%M"]),
        ignore=st.just(["Remarks"]),
    )
    return {"match_on": match_on, **found} if match_on else found


def _app(draw: st.DrawFn, names: tuple[str, ...]) -> Data:
    roles = st.just({"sales": {"can": ["view", "add", "import"]}, "auditor": None})
    return {"name": "Business"} | some(
        draw,
        currency=st.sampled_from(["EUR", "JPY", "KWD"]),
        time_zone=st.sampled_from(ZONES),
        region=st.sampled_from(["GB", "US"]),
        languages=st.sampled_from([["en"], ["de", "en"], ["ja"]]),
        color=st.just("purple"),
        roles=roles,
        menu=_up_to(list(names), 3).map(lambda chosen: {"Main": chosen}),
    )


@st.composite
def documents(draw: st.DrawFn) -> Documents:
    """Make the files of a business, as plain data."""
    names = ENTITIES[: draw(st.integers(2, 5))]
    app = _app(draw, names)
    rows_of: dict[str, str] = {}
    checked = AppSection.model_validate(app)
    entities: Documents = {}
    keys = {}
    for number, name in enumerate(names):
        scope = Scope(draw, checked, names, number, rows_of=rows_of)
        _fields(scope)
        keys[name] = _match_on(scope)
        entities[name] = {"fields": scope.fields}
    for name, data in entities.items():
        data |= _sections(draw, name, entities, rows_of)
        held = [key for key, one in data["fields"].items() if one["type"] not in {"table", "address"}]
        data["transfer"] = _transfer(draw, keys[name], held)
    return {"app.yaml": app, **{f"{name}.yaml": data for name, data in entities.items()}}
