"""Definitions edited as an owner would: fields and entities added, removed, renamed, given another type, other options."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from crm.blueprint.sections import AppSection
from properties.strategies import FIELDS, OPTIONS, Data, Documents, Scope, new_field

NEW_NAMES = ("m", "n", "r", "s", "t", "v", "w")
NEW_ENTITIES = {"cow": "calf", "ant": "big_ant", "eel2": "eel3"}
SAME = ("text", "long_text")
RETYPES = {
    **dict.fromkeys(OPTIONS, SAME),
    "text": ("long_text", "text", "json", "integer", "choice"),
    "long_text": ("text", "date"),
    "integer": ("decimal", "money", "percent", "text", "long_text", "duration"),
    "decimal": ("money", "percent", "integer", "text"),
    "money": ("decimal", "percent", "text"),
    "date": ("datetime", "text"),
    "datetime": ("date", "text"),
    "email": ("text", "url"),
    "slug": ("text", "email"),
    "boolean": ("text", "choice"),
    "file": ("image", "file"),
    "image": ("file",),
    "link": ("link",),
    "user": ("user",),
}
"""What a type may become; most of it works for every value, some for none."""
HOLD_NOTHING = {"table", "address", "links", "tags"}


@dataclass
class Edited:
    """The edited definitions, and what was called otherwise before: new name → old name."""

    documents: Documents
    entities: dict[str, str] = field(default_factory=dict)
    fields: dict[tuple[str, str], str] = field(default_factory=dict)


@st.composite
def edits(draw: st.DrawFn, before: Documents) -> Edited:
    """Edit one to four fields, and perhaps the entities."""
    made = Edited(deepcopy(before))
    files = {name: data for name, data in made.documents.items() if name != "app.yaml"}
    for data in files.values():
        for key in [key for key in data if key not in {"fields", "unique", "transfer", "history"}]:
            del data[key]
        data["transfer"] = {"match_on": data["transfer"].get("match_on", [])}
    app = AppSection.model_validate({key: one for key, one in made.documents["app.yaml"].items() if key != "menu"})
    names = tuple(name.removesuffix(".yaml") for name in files)
    for _ in range(draw(st.integers(1, 4))):
        number = draw(st.integers(0, len(names) - 1))
        scope = Scope(
            draw, app, names, number, made.documents[f"{names[number]}.yaml"]["fields"], dict.fromkeys(names, "")
        )
        draw(st.sampled_from(EDITS))(scope, names[number], made)
    made.documents["app.yaml"].pop("menu", None)
    for name in names:
        _mend(made.documents[f"{name}.yaml"])
    if draw(st.integers(0, 3)) == 3:
        _rename_entity(draw(st.sampled_from([name for name in NEW_ENTITIES if name in names])), made)
    if draw(st.integers(0, 3)) == 3:
        _remove_entity(draw(st.sampled_from(names)), made)
    if draw(st.integers(0, 3)) == 3:
        made.documents["fox.yaml"] = {"fields": {"a": {"type": "text"}, "b": {"type": "link", "to": "fox"}}}
    return made


def _add(scope: Scope, name: str, made: Edited) -> None:
    new = _new_name(scope)
    new_field(scope, scope.draw(st.sampled_from([kind for kind in OPTIONS if kind != "table"])), new)


def _remove(scope: Scope, name: str, made: Edited) -> None:
    if len(scope.fields) > 1:
        gone = _pick(scope)
        del scope.fields[gone]
        made.fields.pop((name, gone), None)


def _rename(scope: Scope, name: str, made: Edited) -> None:
    old = _pick(scope)
    if (name, old) in made.fields or "was" in scope.fields[old]:
        return
    new = _new_name(scope)
    renamed = {new if key == old else key: one for key, one in scope.fields.items()}
    renamed[new] = {**renamed[new], "was": old}
    made.fields[name, new] = old
    for one in renamed.values():
        for word in ("from", "rows"):
            if one.get(word) == old:
                one[word] = new
    scope.fields.clear()
    scope.fields.update(renamed)
    data = made.documents[f"{name}.yaml"]
    data["unique"] = [[new if one == old else one for one in group] for group in data.get("unique", [])]
    match_on = data["transfer"]["match_on"]
    data["transfer"]["match_on"] = [new if one == old else one for one in match_on]
    track = data.get("history", {}).get("track", "all")
    if track != "all":
        data["history"]["track"] = [new if one == old else one for one in track]


def _retype(scope: Scope, name: str, made: Edited) -> None:
    chosen = _pick(scope)
    old = scope.fields[chosen]
    if old["type"] not in HOLD_NOTHING:
        _replace(scope, chosen, scope.draw(st.sampled_from(RETYPES[old["type"]])))


def _options(scope: Scope, name: str, made: Edited) -> None:
    chosen = _pick(scope)
    if scope.fields[chosen]["type"] not in HOLD_NOTHING:
        _replace(scope, chosen, scope.fields[chosen]["type"])


def _flag(scope: Scope, name: str, made: Edited) -> None:
    """Turn one option round, or take it away."""
    one = scope.fields[_pick(scope)]
    flags = [
        key for key in ("required", "unique", "index", "default", "backfill", "max_length", "min", "max") if key in one
    ]
    if flags and one["type"] not in {"link", "user"}:
        del one[scope.draw(st.sampled_from(flags))]
    elif one["type"] in {"text", "integer", "date"}:
        one["index"] = True


def _unique(scope: Scope, name: str, made: Edited) -> None:
    data = made.documents[f"{name}.yaml"]
    single = [key for key, one in scope.fields.items() if one["type"] not in {*HOLD_NOTHING, "json", "file", "image"}]
    data["unique"] = (
        [scope.draw(st.lists(st.sampled_from(single), min_size=1, max_size=2, unique=True))] if single else []
    )


def _app(scope: Scope, name: str, made: Edited) -> None:
    made.documents["app.yaml"] |= scope.draw(
        st.sampled_from([{"currency": "KWD"}, {"time_zone": "Asia/Tokyo"}, {"region": "US"}])
    )


EDITS: tuple[Callable[[Scope, str, Edited], None], ...] = (
    _add, _remove, _rename, _rename, _retype, _retype, _options, _flag, _unique, _app,
)  # fmt: skip


def _pick(scope: Scope) -> str:
    return scope.draw(st.sampled_from(list(scope.fields)))


def _new_name(scope: Scope) -> str:
    return scope.draw(st.sampled_from([name for name in (*NEW_NAMES, *FIELDS) if name not in scope.fields][:3]))


def _replace(scope: Scope, name: str, kind: str) -> None:
    """Give a field a type and options anew; its place and its former name stay."""
    options = OPTIONS[kind](scope)
    was = {key: one for key, one in scope.fields[name].items() if key == "was"}
    scope.fields[name] = {"type": kind, **(options or {}), **was}


def _mend(data: Data) -> None:
    """Take away what names a field that is gone, or one that no longer fits there."""
    fields = data["fields"]
    for one in fields.values():
        for word in ("from", "rows"):
            source = fields.get(one.get(word))
            if word in one and (source is None or (word == "rows" and source["type"] != "integer")):
                del one[word]
            elif word == "from" and source and (source["type"] in HOLD_NOTHING or source is one):
                one.pop(word, None)
    single = {name for name, one in fields.items() if one["type"] not in {*HOLD_NOTHING, "json", "file", "image"}}
    data["unique"] = [group for group in data.get("unique", []) if set(group) <= single and group]
    data["transfer"]["match_on"] = [
        name for name in data["transfer"]["match_on"] if name in single and fields[name]["type"] != "link"
    ]
    if "history" in data and data["history"]["track"] != "all":
        data["history"] = {**data["history"], "track": [name for name in data["history"]["track"] if name in fields]}


def _rename_entity(old: str, made: Edited) -> None:
    new = NEW_ENTITIES[old]
    documents = {f"{new}.yaml" if name == f"{old}.yaml" else name: data for name, data in made.documents.items()}
    documents[f"{new}.yaml"]["was"] = old
    for data in documents.values():
        for one in data.get("fields", {}).values():
            for word in ("to", "of"):
                if one.get(word) == old:
                    one[word] = new
    made.documents = documents
    made.entities[new] = old
    made.fields = {(new if name == old else name, key): one for (name, key), one in made.fields.items()}
    for one in _fields(documents[f"{new}.yaml"]):
        if one["type"] == "table":  # Its rows lead to their parent by the parent's name.
            made.fields[one["of"], new] = made.fields.pop((one["of"], old), old)


def _remove_entity(name: str, made: Edited) -> None:
    """Remove an entity that nothing leads to."""
    named = {one.get(word) for data in made.documents.values() for one in _fields(data) for word in ("to", "of")}
    if name not in named and not any(one["type"] == "table" for one in _fields(made.documents.get(f"{name}.yaml", {}))):
        made.documents.pop(f"{name}.yaml", None)


def _fields(data: Any) -> list[Data]:
    return list(data.get("fields", {}).values())
