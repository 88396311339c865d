"""What an entity's title, list and form say of its fields: resolved, defaulted and checked."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from crm.blueprint.language import Report
from crm.blueprint.names import a_field
from crm.blueprint.nodes import Entity, Field
from crm.blueprint.problems import did_you_mean
from crm.blueprint.text import parse_template

DEFAULT_COLUMNS = 7
RELATED = "related"
Rows = tuple[tuple[str, ...], ...]
Section = tuple[str, Rows]
REST = "More"
"""The heading of the fields that no tab names."""


@dataclass(frozen=True)
class Tab:
    """A tab of a record's page: headings with rows of field names, related entities' names, or a panel's word.

    A section holds either fields or one table; fields that are written behind a table go on in a section of their own,
    with the same heading.
    """

    name: str
    sections: tuple[Section, ...] = ()
    related: str = ""
    panel: str = ""

    @property
    def parts(self) -> Iterator[tuple[str, str, Rows]]:
        """Yield each section in order: a name of its own, the heading, where it was not said before, and its rows."""
        said = ""
        for number, (heading, rows) in enumerate(self.sections):
            yield f"{self.name} / {number}", heading if heading != said else "", rows
            said = heading if heading and rows else said


def check_title(entity: Entity, report: Report) -> None:
    """Parse the title, or make one of the first field that reads like a name; else records go by label and number."""
    source = entity.section.title or _default_title(entity)
    try:
        template = parse_template(source)
    except ValueError as error:
        report(f"title: {error}", "title")
        template = parse_template("")
    entity.texts["title"] = template
    for slot in template.slots:
        _check_path(entity, ".".join(slot.path), report, ("title",), many=False)


def _default_title(entity: Entity) -> str:
    named = [leaf for leaf in entity.leaves if leaf.type.reads_as_title]
    return "{" + named[0].name + "}" if named else ""


def check_unique(entity: Entity, report: Report) -> None:
    """Check the lists of fields that together may occur only once."""
    lists = [frozenset(names) for names in entity.section.unique]
    for index, names in enumerate(entity.section.unique):
        if not names or lists[index] in lists[:index] or len(lists[index]) < len(names):
            report("this list is empty" if not names else "this stands here twice", "unique", index)
        for inner, name in enumerate(names):
            field = entity.find(name)
            if field is None:
                hint = entity.now_called(name) or did_you_mean(name, entity.fields)
                report(f"there is no field {name!r}", "unique", index, inner, hint=hint)
            elif not field.stored or field.type.many:
                report(f"{a_field(field.type.name)} holds no single value", "unique", index, inner)


def check_list(entity: Entity, report: Report) -> None:
    """Check that every path of the list leads to a field that can stand there."""
    section = entity.section.listing
    for key in ("columns", "filters", "search", "order"):
        seen: set[str] = set()
        for index, path in enumerate(getattr(section, key) or []):
            at = ("list", key, index)
            if path in seen:
                report(f"{path!r} stands here twice", *at)
            seen.add(path)
            chain = _check_path(entity, path, report, at, many=key != "order")
            if not chain:
                continue
            problem = _misfit(key, path, chain[-1])
            if problem:
                report(problem, *at)


def _misfit(key: str, path: str, field: Field) -> str:
    kind = field.type
    if path.startswith("-") and key != "order":
        return f"a '-' before a field has a meaning in 'order' only: {path!r}"
    if key == "filters" and not kind.filter:
        return f"{a_field(kind.name)} cannot be filtered by"
    if key == "search" and not kind.searchable:
        return f"the search looks in text only; {path!r} is {a_field(kind.name)}"
    if key == "search" and not field.stored:
        return f"the search looks in columns; {path!r} is worked out whenever it is asked for"
    if key == "order" and not kind.sortable:
        return f"{a_field(kind.name)} gives no order"
    if key == "columns" and not kind.listable:
        return f"{a_field(kind.name)} cannot be a column"
    return ""


def _check_path(entity: Entity, path: str, report: Report, at: tuple[Hashable, ...], many: bool) -> list[Field]:
    if path.lstrip("-") == "id" and not {"filters", "search"} & set(at):
        return []
    chain: list[Field] = []
    try:
        for step in entity.steps(path):
            chain.append(step)
    except KeyError as error:
        _refuse_step(entity, chain, error.args[0], report, at)
        return []
    for step in chain if not many else chain[:-1]:
        if step.type.many:
            report(f"{step.name!r} holds several records, so {path!r} has no single value", *at)
            return []
    return chain


def _refuse_step(entity: Entity, chain: list[Field], name: str, report: Report, at: tuple[Hashable, ...]) -> None:
    end = chain[-1] if chain else None
    if end and end.type.target(end) and not end.target:
        return  # the link itself is refused already
    holder = end.target if end else entity
    if holder:
        where, known = holder.label, [*holder.fields, *holder.record_fields]
        renamed = holder.now_called(name)
    else:
        where, known = ".".join(one.name for one in chain), [one.removeprefix(f"{end.name}_") for one in end.parts]
        renamed = ""
    report(f"{where!r} has no field {name!r}", *at, hint=renamed or did_you_mean(name, known))


def check_form(entity: Entity, report: Report) -> None:
    """Check the tabs: every field known and used once, every related entity one that points here."""
    used: set[str] = set()
    _check_quick(entity, entity.section.layout.quick or [], report)
    for name, raw in (entity.section.layout.tabs or {}).items():
        at = ("form", "tabs", name)
        if isinstance(raw, str):
            panels = entity.business.language.panels
            if raw not in panels:
                report(f"there is no panel {raw!r}", *at, hint=did_you_mean(raw, panels))
        elif isinstance(raw, dict) and isinstance(raw.get(RELATED), str):
            _check_related(entity, raw, report, at)
        elif isinstance(raw, list | dict):
            groups = raw.items() if isinstance(raw, dict) else [(None, raw)]
            for heading, rows in groups:
                _check_rows(entity, rows, report, at if heading is None else (*at, heading), used)
        else:
            report("a tab takes a list of fields, a map of headings, {related: entity} or a panel's name", *at)


def _check_quick(entity: Entity, names: list[str], report: Report) -> None:
    """Check the short form: it asks for all that a new record cannot be saved without."""
    _check_rows(entity, names, report, ("form", "quick"), set())
    for field in entity.fields.values() if names else ():
        if field.name not in names and field.type.needs_value(field):
            cure = "give it a 'default'" if hasattr(field.options, "default") else "leave its 'required' out"
            hint = f"Add {field.name!r} to 'quick'" + (f", or {cure}." if not _is_child(field) else ".")
            message = f"the short form leaves out {field.name!r}, without which no record can be saved"
            report(message, "form", "quick", key=True, hint=hint)


def _check_related(entity: Entity, raw: dict, report: Report, at: tuple[Hashable, ...]) -> None:
    for key in raw:
        if key != RELATED:
            report(f"unknown key {key!r} beside 'related'", *at, key, key=True)
    linked = [link.entity.name for link in entity.pointing_here() if link.type.stored]
    if raw[RELATED] not in linked:
        report(f"no link of {raw[RELATED]!r} leads here", *at, RELATED, hint=did_you_mean(raw[RELATED], linked))


def _check_rows(entity: Entity, rows: Any, report: Report, at: tuple[Hashable, ...], used: set[str]) -> None:
    if not isinstance(rows, list):
        report("here stands a list of fields", *at)
        return
    for spot, name in _names(rows, at):
        field = entity.fields.get(name) if isinstance(name, str) else None
        if field is None:
            hint = entity.now_called(name) or did_you_mean(name, entity.fields)
            report(f"{entity.label!r} has no field {name!r}", *spot, hint=hint)
        elif name in used:
            report(f"{name!r} stands in the form twice", *spot)
        else:
            used.add(name)


def _names(rows: list, at: tuple[Hashable, ...]) -> Iterator[tuple[tuple[Hashable, ...], Any]]:
    for index, row in enumerate(rows):
        if isinstance(row, list):
            yield from (((*at, index, inner), name) for inner, name in enumerate(row))
        else:
            yield (*at, index), row


def form_tabs(entity: Entity) -> list[Tab]:
    """Return the tabs of a record's page, with whatever the definitions left out put where it is looked for.

    Fields that no tab names are appended to the first; tables get a tab of their own, and so do the records that
    point here; the capabilities' panels come last.
    """
    tabs = [_tab(entity, name, raw) for name, raw in (entity.section.layout.tabs or {}).items()]
    named = {name for tab in tabs for _, rows in tab.sections for row in rows for name in row}
    rest = [field for field in entity.fields.values() if field.name not in named]
    plain = tuple((field.name,) for field in rest if not field.type.rows)
    first = next((index for index, tab in enumerate(tabs) if tab.sections), None)
    if first is None:
        tabs.insert(0, Tab(entity.label, (("", plain),)))
    elif plain:
        tabs[first] = _with_rest(tabs[first], plain)
    tabs += [Tab(field.label, (("", ((field.name,),)),)) for field in rest if field.type.rows]
    shown = {tab.related for tab in tabs}
    for link in entity.pointing_here():
        if link.type.stored and not link.type.many and link.entity.name not in shown and not _is_child(link):
            shown.add(link.entity.name)
            tabs.append(Tab(link.entity.plural, related=link.entity.name))
    words = {tab.panel for tab in tabs}
    tabs += [Tab(text, panel=word) for word, text in entity.business.language.panels.items() if word not in words]
    return list(_apart(tabs))


def _with_rest(tab: Tab, rows: tuple[tuple[str, ...], ...]) -> Tab:
    """Add rows to a tab, below a heading that it may have already."""
    ends = [number for number, (heading, _) in enumerate(tab.sections, 1) if heading == REST]
    end = max(ends, default=len(tab.sections))
    return Tab(tab.name, (*tab.sections[:end], (REST, rows), *tab.sections[end:]))


def _apart(tabs: list[Tab]) -> Iterator[Tab]:
    """Number the tabs that would have one name: a table, related records and a panel may be called alike."""
    taken: set[str] = set()
    for tab in tabs:
        names = (tab.name, *(f"{tab.name} ({number})" for number in range(2, len(tabs) + 2)))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        yield replace(tab, name=name)


def _is_child(link: Field) -> bool:
    """Say whether the link was added by a table, so that its rows stand in the parent's form already."""
    return link.document is not link.entity.document


def _tab(entity: Entity, name: str, raw: Any) -> Tab:
    if isinstance(raw, str):
        return Tab(name, panel=raw)
    if isinstance(raw, dict) and isinstance(raw.get(RELATED), str):
        return Tab(name, related=raw[RELATED])
    groups = raw.items() if isinstance(raw, dict) else [("", raw)]
    return Tab(name, tuple(section for heading, rows in groups for section in _around_tables(entity, heading, rows)))


def _around_tables(entity: Entity, heading: str, rows: list[Any]) -> list[Section]:
    """Return the sections that the rows below a heading make, so that a table stands where it is written."""
    plain: list[tuple[str, ...]] = []
    sections: list[Section] = []
    for row in rows:
        names = tuple(row) if isinstance(row, list) else (row,)
        tables = [name for name in names if entity.fields[name].type.rows]
        plain.append(tuple(name for name in names if name not in tables))
        if tables:
            sections += [(heading, tuple(filter(None, plain))), *(("", ((table,),)) for table in tables)]
            plain = []
    sections.append((heading, tuple(filter(None, plain))))
    return [section for section in sections if section[1]] or sections


def list_columns(entity: Entity) -> list[str]:
    """Return the paths of the list's columns."""
    if entity.section.listing.columns is not None:
        return entity.section.listing.columns
    return [field.name for field in entity.fields.values() if field.type.listable][:DEFAULT_COLUMNS]


def list_filters(entity: Entity) -> list[str]:
    """Return the paths that the list is filtered by."""
    if entity.section.listing.filters is not None:
        return entity.section.listing.filters
    return [leaf.name for leaf in entity.leaves if leaf.type.filter and leaf.type.filter_by_default]


def list_search(entity: Entity) -> list[str]:
    """Return the paths that the search looks in."""
    if entity.section.listing.search is not None:
        return entity.section.listing.search
    return [leaf.name for leaf in entity.leaves if leaf.type.searchable and leaf.stored]


def picker_search(entity: Entity) -> list[str]:
    """Return the paths that a picker of the entity's records looks in: the list's, or else those of the title."""
    return list_search(entity) or list(dict.fromkeys(_title_paths(entity, 3))) or ["id"]


def _title_paths(entity: Entity, depth: int) -> Iterator[str]:
    """Yield the paths to columns that titles are made of; a link in a title stands for the title of its target."""
    for slot in entity.title.slots:
        path = ".".join(slot.path)
        if path == "id":
            yield path
            continue
        end = entity.follow(path)[-1]
        if end.target is not None and depth and not end.type.many:
            yield from (f"{path}.{inner}" for inner in _title_paths(end.target, depth - 1) if inner != "id")
        elif end.stored and end.storage != "live" and not end.parts and end.type.reference(end) is None:
            yield path


def list_order(entity: Entity) -> list[str]:
    """Return the order of the list."""
    return entity.section.listing.order or ["-id"]
