"""The import: rows are read, matched and compared column by column, then written all at once or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, models, transaction

from crm.blueprint.nodes import Entity, Field
from crm.capabilities.transfer.bulk import uncollected
from crm.capabilities.transfer.columns import Column, map_columns
from crm.capabilities.transfer.keys import AMBIGUOUS, KeyBook, chunks, key_fields, split_words
from crm.capabilities.transfer.reading import ABSENT, Sheet
from crm.capabilities.transfer.safety import unmark
from crm.fields.base import NOTHING, Reading, text_of
from crm.kernel import access
from crm.kernel.changes import changing
from crm.kernel.events import guarded_value_given
from crm.kernel.presence import is_unique, present
from crm.kernel.record import Record
from crm.kernel.rules import FROZEN, HIDDEN, RuleBroken, broken_by, frozen_changes, is_shown
from crm.kernel.writes import write_records

NEW, UPDATED, UNCHANGED, FAILED = "new", "updated", "unchanged", "failed"
MISSING = "is missing: a new record needs it."
NOT_YOURS = "names a record that is not yours to change."
CLOSED = "is not yours to {verb}."
Adjust = Callable[[Field, Any], Any]


@dataclass
class RowResult:
    """What a row of the file means: the record it makes or changes, what changes, and what is wrong with it."""

    number: int
    record: Record | None = None
    status: str = FAILED
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    links: dict[str, set[Any]] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Preparation:
    """Everything an import would do, before anything is written. `refusals` are about the file as a whole."""

    entity: Entity
    model: type[Record]
    user: Any = None
    """Who imports; None for the system, which is asked nothing."""
    columns: list[Column] = field(default_factory=list)
    rows: list[RowResult] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    new_words: dict[str, list[str]] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        found = dict.fromkeys((NEW, UPDATED, UNCHANGED, FAILED), 0)
        for row in self.rows:
            found[row.status] += 1
        return found

    @property
    def is_sound(self) -> bool:
        return not self.refusals and not self.counts[FAILED]

    def fail(self, number: int, column: str, text: str) -> None:
        """Let a row be wrong; number 0 is the file as a whole."""
        if not number:
            self.refusals.append(text)
        for row in self.rows:
            if row.number == number:
                row.status = FAILED
                row.errors.append((column, text))

    @property
    def errors(self) -> list[tuple[int, str, str]]:
        """Every error as (row, column, sentence), in the order of the file."""
        return [(row.number, column, text) for row in self.rows for column, text in row.errors]


@uncollected()
def prepare(entity: Entity, sheet: Sheet, adjust: Adjust | None = None, user: Any = None) -> Preparation:
    """Read, match and compare every row; never writes."""
    model = apps.get_model(entity.business.label, entity.class_name)
    found = Preparation(entity, model, user)
    found.columns, found.refusals = map_columns(entity, sheet.headings)
    missing = _missing_keys(entity, found.columns)
    if missing and not found.refusals:
        found.refusals.append(missing)
    if found.refusals:
        return found
    found.rows = [RowResult(number) for number, _ in sheet.rows]
    values = _read_columns(found, sheet, adjust)
    _match(found, values)
    _compare(found, values, sheet.exact)
    _check_unique(found)
    _check_rules(found)
    _check_access(found)
    for row in found.rows:
        if row.errors:
            row.status = FAILED
    return found


def _missing_keys(entity: Entity, columns: list[Column]) -> str:
    names = {column.field.name if column.field else "id" for column in columns}
    missing = [one.name for one in key_fields(entity) if one.name not in names]
    if missing and "id" not in names:
        text = "rows are matched by it" if len(missing) == 1 else "rows are matched by them"
        given = [one for one in key_fields(entity) if one.name in missing and one.type.fills]
        hint = " Its cells stay empty where a record is new." if given else ""
        return f"The column {' and '.join(map(repr, missing))} is missing; {text}.{hint}"
    return ""


Values = dict[str, list[Any]]
"""Field name → the value of each row: ABSENT where the file says nothing, None where it says nothing on purpose."""


def _read_columns(found: Preparation, sheet: Sheet, adjust: Adjust | None) -> Values:
    section = found.entity.sections["transfer"]
    reading = Reading(frozenset({"", *section.nulls}), tuple(section.dates))
    values: Values = {}
    for column in found.columns:
        cells = [_cell(column, row, reading) for _, row in sheet.rows]
        if column.field is None:
            values["id"] = _read_ids(found, cells)
        elif column.field.type.reference(column.field) is not None:
            values[column.field.name] = _read_links(found, column, cells, reading)
        else:
            values[column.field.name] = _read_values(found, column, cells, reading, adjust)
    return values


def _cell(column: Column, row: list[Any], reading: Reading) -> Any:
    if not column.parts:
        return row[column.position]
    cells = [row[part] for part in column.parts if isinstance(part, int)]
    if any(cell is ABSENT for cell in cells):
        return ABSENT
    if all(_is_null(cell, reading) for cell in cells):
        return None
    words = (part if isinstance(part, str) else row[part] for part in column.parts)
    return "".join("" if word is None else word if isinstance(word, str) else text_of(word) for word in words)


def _is_null(cell: Any, reading: Reading) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip() in reading.nulls)


def _read_ids(found: Preparation, cells: list[Any]) -> list[Any]:
    values = []
    for row, cell in zip(found.rows, cells, strict=True):
        text = "" if cell is None or cell is ABSENT else str(cell).strip()
        if text and not (text.isdecimal() and len(text) <= 18):
            row.errors.append(("id", f"{text!r} is no number."))
            text = ""
        values.append(int(text) if text else None)
    return values


def _read_values(found: Preparation, column: Column, cells: list[Any], reading: Reading, adjust: Adjust | None) -> list:
    """Read the cells of a column; equal cells are read once."""
    leaf, known, values = column.field, {}, []
    for row, cell in zip(found.rows, cells, strict=True):
        if cell is ABSENT:
            values.append(ABSENT)
            continue
        simple = cell.__class__ in (str, int)
        key = (cell.__class__, cell) if simple else None
        result = known.get(key) if simple else None
        if result is None:
            result = _read_value(leaf, cell, reading, adjust)
            if simple:
                known[key] = result
        value, error = result
        if error:
            row.errors.append((column.heading, error))
        values.append(value)
    return values


def _read_value(leaf: Field, cell: Any, reading: Reading, adjust: Adjust | None) -> tuple[Any, str]:
    if _is_null(cell, reading):
        return None, ""
    try:
        value = leaf.type.accept(leaf.type.parse(unmark(cell, reading.nulls), leaf, reading), leaf)
    except ValueError as error:
        return ABSENT, str(error)
    return (adjust(leaf, value) if adjust else value), ""


def _read_links(found: Preparation, column: Column, cells: list[Any], reading: Reading) -> list[Any]:
    """Find the records that a column's cells name: a primary key each, or a set of them."""
    book = KeyBook(column.field)
    reference, named = book.reference, []
    for cell in cells:
        if cell is ABSENT:
            named.append(ABSENT)
        elif _is_null(cell, reading):
            named.append([])
        else:
            cell = unmark(cell, reading.nulls)
            named.append(split_words(cell) if reference.many else [_word(cell)])
    keys = book.look_up(word for words in named if words is not ABSENT for word in words)
    values = []
    for row, words in zip(found.rows, named, strict=True):
        if words is ABSENT:
            values.append(ABSENT)
            continue
        targets = [_target(found, column, row, word, keys, book) for word in words]
        fine = [one for one in targets if one is not None]
        values.append(set(fine) if reference.many else (fine[0] if fine else None if not words else ABSENT))
    return values


def _word(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _target(found: Preparation, column: Column, row: RowResult, word: str, keys: dict, book: KeyBook) -> Any:
    key = keys.get(word)
    if key is AMBIGUOUS:
        row.errors.append((column.heading, f"{word!r} means more than one {_target_name(column.field)}."))
        return None
    if key is not None:
        return key
    if book.reference.create:
        try:
            name = column.field.type.parse(word, column.field, Reading())
        except ValueError as error:
            row.errors.append((column.heading, str(error)))
            return None
        waiting = found.new_words.setdefault(column.field.name, [])
        if name not in waiting:
            waiting.append(name)
        return NewWord(name)
    row.errors.append((column.heading, f"there is no {_target_name(column.field)} {word!r}."))
    return None


def _target_name(leaf: Field) -> str:
    return str(apps.get_model(leaf.type.reference(leaf).model)._meta.verbose_name)


@dataclass(frozen=True)
class NewWord:
    """A tag that will be there once the import is written."""

    name: str

    def __str__(self) -> str:
        return self.name


def _match(found: Preparation, values: Values) -> None:
    """Find the record of each row: by `id`, by the natural key, or none."""
    keys = key_fields(found.entity)
    ids = values.get("id", [None] * len(found.rows))
    by_id = {one.pk: one for some in chunks([key for key in ids if key]) for one in _records(found, pk__in=some)}
    names = [one.name for one in keys]
    wanted = [tuple(values[name][index] for name in names) if _has(values, names) else () for index in range(len(ids))]
    by_key = _by_key(found, keys, wanted) if _has(values, names) and names else {}
    first_row: dict[Any, int] = {}
    for index, row in enumerate(found.rows):
        key = wanted[index] if any(part not in (None, "", ABSENT) for part in wanted[index]) else ()
        record = by_id.get(ids[index]) if ids[index] else None
        if ids[index] and record is None:
            row.errors.append(("id", f"there is no {found.entity.label.lower()} {ids[index]}."))
            continue
        matched = by_key.get(_hashable(key), []) if key else []
        if record is None and len(matched) > 1:
            row.errors.append((_heading(found, names), f"{len(matched)} records have this key already."))
        elif record and matched and all(one.pk != record.pk for one in matched):
            row.errors.append(("id", f"the id means “{record}”, the key means “{matched[0]}”."))
        row.record = record or (matched[0] if matched else None)
        if row.record is not None and access.hides(row.record):
            row.errors.append((_heading(found, names), NOT_YOURS))
        mark = ("id", row.record.pk) if row.record else _hashable(key) if key else None
        if mark is not None and mark in first_row:
            row.errors.append((_heading(found, names), f"row {first_row[mark]} is the same record already."))
        elif mark is not None:
            first_row[mark] = row.number


def _has(values: Values, names: list[str]) -> bool:
    return all(name in values for name in names)


def _heading(found: Preparation, names: list[str]) -> str:
    return next((one.heading for one in found.columns if one.field and one.field.name in names), "id")


def _hashable(key: tuple) -> tuple:
    return tuple(str(part) if part.__class__.__hash__ is None else part for part in key)


def _records(found: Preparation, **where: Any) -> models.QuerySet:
    many = [one.field.name for one in found.columns if one.field and one.field.type.many]
    rows = found.model._default_manager.filter(**where).prefetch_related(*many)
    joins = access.joins(found.entity)
    return rows.select_related(*joins) if joins else rows


def _by_key(found: Preparation, keys: list[Field], wanted: list[tuple]) -> dict[tuple, list[Record]]:
    first = max(range(len(keys)), key=lambda index: len({_hashable((key[index],)) for key in wanted if key}))
    parts = {_hashable((key[first],))[0]: key[first] for key in wanted if key and key[first] not in (None, "", ABSENT)}
    attribute = found.model._meta.get_field(keys[first].name).attname
    result: dict[tuple, list[Record]] = {}
    names = [found.model._meta.get_field(one.name).attname for one in keys]
    for some in chunks(list(parts.values())):
        for record in _records(found, **{f"{attribute}__in": some}):
            result.setdefault(_hashable(tuple(getattr(record, name) for name in names)), []).append(record)
    return result


@dataclass
class _Cells:
    """A column of plain values on its way into the records."""

    leaf: Field
    heading: str
    attribute: str
    values: list[Any]
    empty: Any
    required: bool
    needed: bool
    """Whether a new record cannot do without: it is required, and has no default."""


def _cells(found: Preparation, column: Column, values: Values) -> _Cells:
    leaf = column.field
    attribute = found.model._meta.get_field(leaf.name).attname
    required = getattr(leaf.options, "required", False)
    return _Cells(leaf, column.heading, attribute, values[leaf.name], _when_empty(leaf), required, _is_needed(leaf))


def _is_needed(leaf: Field) -> bool:
    return getattr(leaf.options, "required", False) and leaf.type.default(leaf) is NOTHING


def _compare(found: Preparation, values: Values, exact: bool) -> None:
    """Give each row its record and what changes in it; with `exact`, an empty cell leaves a new record no default."""
    columns = [one for one in found.columns if one.field is not None]
    plain = [_cells(found, one, values) for one in columns if not one.field.type.many]
    many = [(one.field, values[one.field.name]) for one in columns if one.field.type.many]
    there = {one.field.name for one in columns}
    needed = [leaf for leaf in found.entity.leaves if leaf.stored and leaf.name not in there and _is_needed(leaf)]
    for index, row in enumerate(found.rows):
        is_new = row.record is None
        record = found.model() if is_new else row.record
        if is_new:
            row.errors += [(leaf.name, MISSING) for leaf in needed]
        for cells in plain:
            _compare_cell(row, record, cells, cells.values[index], is_new, exact)
        for leaf, cells in many:
            _compare_links(row, record, leaf, cells[index], is_new)
        row.record = record
        row.status = NEW if is_new else UPDATED if row.changes else UNCHANGED


def _compare_cell(row: RowResult, record: Record, cells: _Cells, value: Any, is_new: bool, exact: bool) -> None:
    if value is ABSENT:
        if is_new and cells.needed and all(heading != cells.heading for heading, _ in row.errors):
            row.errors.append((cells.heading, MISSING))
        return
    if value is None:
        if not is_new and cells.leaf.target is not None and access.hides(getattr(record, cells.leaf.name)):
            return  # the file could not name it: its writer does not see it
        if cells.needed or (cells.required and not is_new):
            row.errors.append((cells.heading, "is empty, but required."))
            return
        if is_new and (cells.required or not exact):
            return
        value = cells.empty
        if getattr(record, cells.attribute) in (None, "") and value in (None, ""):
            return
    if is_new:
        setattr(record, cells.attribute, value)
        return
    old = getattr(record, cells.attribute)
    if not (old == value or cells.leaf.type.same(old, value)):
        row.changes[cells.leaf.name] = (old, value)
        setattr(record, cells.attribute, value)


def _when_empty(leaf: Field) -> Any:
    """Return what an empty cell makes of a record's value: nothing, or the default where there is no nothing."""
    if leaf.type.nullable(leaf):
        return None
    return "" if leaf.type.empty(leaf) is None else leaf.type.empty(leaf)


def _compare_links(row: RowResult, record: Record, leaf: Field, value: Any, is_new: bool) -> None:
    if value is ABSENT:
        return
    present = [] if is_new else list(getattr(record, leaf.name).all())
    before = {one.pk for one in present}
    value = value | {one.pk for one in present if access.hides(one)}
    if before != value:
        row.links[leaf.name] = value
        if not is_new:
            row.changes[leaf.name] = (before, value)


def _check_unique(found: Preparation) -> None:
    """Find values that must be unique and are taken, in the file or in the database."""
    keys = {one.name for one in key_fields(found.entity)}
    for column in found.columns:
        leaf = column.field
        if leaf is None or leaf.type.many or not is_unique(found.model, leaf.name):
            continue
        if keys == {leaf.name}:
            continue
        _check_values(found, column, [leaf.name])
    names = {column.field.name: column for column in found.columns if column.field}
    for group in found.entity.section.unique:
        if set(group) <= set(names) and set(group) != keys:
            _check_values(found, names[group[0]], group)


def _check_rules(found: Preparation) -> None:
    """Hold new and changed records against the rules, as far as records that are not written yet can be."""
    rules = found.entity.rules
    if not rules.checks and not rules.showing and not found.entity.guarded:
        return
    headings = {column.field.name: column.heading for column in found.columns if column.field}
    written = [row for row in found.rows if row.record is not None and not row.errors and row.status in (NEW, UPDATED)]
    _read_targets(found, [row.record for row in written])
    before = found.model._base_manager.in_bulk([row.record.pk for row in written if row.record.pk])
    for row in written:
        old = before.get(row.record.pk)
        for rule, message in broken_by(row.record):
            row.errors.append((headings.get(rule.field, rule.field), message))
        hidden = [
            name
            for name, one in rules.showing.items()
            if (name in row.changes if old else _is_filled(row, name)) and not is_shown(row.record, one)
        ]
        row.errors += [(headings[name], HIDDEN) for name in hidden]
        closed = frozen_changes(row.record, old) if old else []
        row.errors += [(headings[name], FROZEN) for name in closed if name not in hidden]
    _check_guarded(found, headings, [row for row in written if row.status == NEW])


def _check_guarded(found: Preparation, headings: dict[str, str], new: list[RowResult]) -> None:
    """Ask whether somebody may bring along what new records' guarded fields are to begin with."""
    known: dict[tuple[str, Any], list[str]] = {}
    for name in found.entity.guarded & set(headings) if found.user is not None else ():
        default = found.model._meta.get_field(name).get_default()
        for row in new:
            value = getattr(row.record, name)
            if value != default and (name, value) not in known:
                answers = guarded_value_given.send(found.model, field=name, value=value, user=found.user)
                known[name, value] = [text for _, text in answers if text]
            row.errors += [(headings[name], text) for text in known.get((name, value), ())]


def _check_access(found: Preparation) -> None:
    """Hold the rows against what the viewer may add and change: which records, and which fields of them."""
    user = access.viewer()
    if user is None or user.is_superuser:
        return
    headings = {column.field.name: column.heading for column in found.columns if column.field}
    asked = {verb: access.asked_fields(user, found.entity, verb) for verb in ("add", "change")}
    for row in found.rows:
        if row.record is None or row.errors or row.status not in (NEW, UPDATED):
            continue
        verb = "add" if row.status == NEW else "change"
        if not access.may(user, verb, found.model):
            continue  # then the file as a whole is refused
        given = row.changes if row.status == UPDATED else [name for name in headings if _is_filled(row, name)]
        row.errors += [(headings[name], CLOSED.format(verb=verb)) for name in given if name not in asked[verb]]
        try:
            if row.status == UPDATED and not access.may(user, verb, found.model, _as_it_is(found, row.record)):
                raise ValidationError(NOT_YOURS)
            access.check_access(row.record)
        except ValidationError as error:
            row.errors += [("", text) for text in error.messages]


def _as_it_is(found: Preparation, record: Record) -> Record:
    """Return a record as the database has it, where it was changed at hand."""
    return _records(found, pk=record.pk).get()


def _is_filled(row: RowResult, name: str) -> bool:
    """Say whether a new record's field was given anything but what it starts with."""
    if row.record.definition.find(name).type.many:
        return bool(row.links.get(name))
    column = row.record._meta.get_field(name)
    return getattr(row.record, column.attname) not in (None, "", column.get_default())


def _read_targets(found: Preparation, records: list[Record]) -> None:
    """Read what the records link to, all at once, so that no rule costs a query a row."""
    links = [leaf for leaf in found.entity.leaves if leaf.target is not None and leaf.stored and not leaf.type.many]
    for link in links:
        key = found.model._meta.get_field(link.name)
        keys = {getattr(record, key.attname) for record in records} - {None}
        targets = key.related_model._base_manager.in_bulk(list(keys))
        for record in records:
            target = targets.get(getattr(record, key.attname))
            if target is not None:
                setattr(record, link.name, target)


def _check_values(found: Preparation, column: Column, names: list[str]) -> None:
    attributes = [found.model._meta.get_field(name).attname for name in names]
    touched = [
        row for row in found.rows if row.record is not None and (row.status == NEW or set(names) & set(row.changes))
    ]
    by_value: dict[tuple, list[RowResult]] = {}
    for row in touched:
        value = tuple(getattr(row.record, attribute) for attribute in attributes)
        if all(part not in (None, "") for part in value):
            by_value.setdefault(_hashable(value), []).append(row)
    changing = {row.record.pk for row in touched if row.record.pk}
    for some in chunks([value[0] for value in by_value]):
        rows = present(found.model).filter(**{f"{attributes[0]}__in": some})
        for pk, *value in rows.values_list("pk", *attributes):
            holders = by_value.get(_hashable(tuple(value)), [])
            for row in holders:
                if row.record.pk != pk and pk not in changing:
                    row.errors.append((column.heading, f"{_shown(found, names, value)} belongs to another record."))
    for rows_of_value in by_value.values():
        for row in rows_of_value[1:]:
            row.errors.append((column.heading, f"is the same as in row {rows_of_value[0].number}."))


def _shown(found: Preparation, names: list[str], value: list[Any]) -> str:
    """Return what is taken as people read it: the value, or of several fields and of links their labels."""
    leaves = [found.entity.find(name) for name in names]
    if len(leaves) == 1 and leaves[0].type.reference(leaves[0]) is None:
        return leaves[0].type.display(value[0], leaves[0])
    return f"this {' and '.join(leaf.label.lower() for leaf in leaves)}"


@uncollected()
def write(found: Preparation) -> None:
    """Write what was prepared, in one transaction. Raises ImportRefused, with nothing written, where that fails."""
    if not found.is_sound:
        raise ImportRefused("The file has errors; nothing was written.")
    try:
        _write(found)
    except RuleBroken as broken:
        row = _row_of(found, broken.record)
        where = f"row {row.number}, {broken.record}" if row else str(broken.record)
        raise ImportRefused(f"{where}: {broken.messages[0]} Nothing was written.") from None
    except ValidationError as error:
        raise ImportRefused(" ".join(error.messages)) from None
    except DatabaseError as error:
        raise ImportRefused(f"The database refused, and nothing was written: {error}") from None


def rehearse(found: Preparation) -> tuple[int, str, str] | None:
    """Write what was prepared and take it back; return the row (0 for the file), column and sentence of what fails.

    Some rules only the saved rows together can tell: a sum of theirs, or of other records. The prepared records are
    of no further use afterwards.
    """
    try:
        with transaction.atomic(), changing(found.user, "", "import"):
            _write(found)
            transaction.set_rollback(True)
    except RuleBroken as broken:
        row = _row_of(found, broken.record)
        about = "" if row else f"{broken.record}: "
        return (row.number if row else 0), broken.field, f"{about}{broken.messages[0]}"
    except ValidationError as error:
        return 0, "", " ".join(error.messages)
    except DatabaseError as error:
        return 0, "", f"The database would refuse: {error}"
    return None


def _row_of(found: Preparation, record: Any) -> RowResult | None:
    return next((one for one in found.rows if one.record is not None and one.record == record), None)


def _write(found: Preparation) -> None:
    created = [row for row in found.rows if row.status == NEW]
    updated = [row for row in found.rows if row.status == UPDATED]
    many = {column.field.name for column in found.columns if column.field and column.field.type.many}
    changed = {name for row in updated for name in row.changes} - many
    with transaction.atomic():
        links = _final_links(found, [*created, *updated])
        records = [row.record for row in created], [row.record for row in updated]
        write_records(found.model, *records, columns=sorted(changed), links=links)


def _final_links(found: Preparation, rows: list[RowResult]) -> dict[str, dict[int, set[Any]]]:
    made = {}
    for name, words in found.new_words.items():
        made[name] = KeyBook(found.entity.find(name)).create(words)
    links: dict[str, dict[int, set[Any]]] = {}
    for index, row in enumerate(rows):
        for name, targets in row.links.items():
            keys = {made[name][one.name] if isinstance(one, NewWord) else one for one in targets}
            links.setdefault(name, {})[index] = keys
    return links


class ImportRefused(Exception):
    """Nothing was written; the message says why."""
