"""Builds the blueprint from documents: checks every key, links every field, and collects every problem."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

from crm.blueprint.access import read_access
from crm.blueprint.app import check_app
from crm.blueprint.complaints import check_section, known_keys
from crm.blueprint.consequences import Faulty
from crm.blueprint.expressions.computing import compute_fields
from crm.blueprint.icons import check_icons
from crm.blueprint.language import Language, Report
from crm.blueprint.layout import check_form, check_list, check_title, check_unique
from crm.blueprint.links import link_problems
from crm.blueprint.names import a_field, camel, humanize, name_problem
from crm.blueprint.nodes import Business, Entity, Field
from crm.blueprint.problems import DefinitionError, Place, Problem, did_you_mean
from crm.blueprint.reader import MAX_FILES, Document, read_file
from crm.blueprint.rules import read_rules
from crm.blueprint.sections import AppSection, EntitySection

APP_FILE = "app.yaml"
MAX_FIELDS = 300
ENTITY_KEYS = known_keys(EntitySection)


def read_folder(folder: Path, language: Language, label: str | None = None) -> Business:
    """Read a business from its folder. Raises DefinitionError with all that is wrong in all of its files."""
    files = sorted(path for path in folder.glob("[!.]*") if path.suffix in {".yaml", ".yml"})
    if folder / APP_FILE not in files:
        hint = "A business is a folder with app.yaml and a file for each entity."
        raise DefinitionError([Problem(Place(f"{folder.name}/{APP_FILE}"), "there is no such file", hint)])
    if len(files) > MAX_FILES:
        raise DefinitionError([Problem(Place(folder.name), f"the folder has more than {MAX_FILES:,} definitions")])
    documents, problems = {}, []
    for path in files:
        try:
            documents[path.name] = read_file(path, f"{folder.name}/{path.name}")
        except DefinitionError as error:
            problems += error.problems
    return compile_business(label or folder.name, documents, language, problems)


def compile_business(
    label: str,
    documents: dict[str, Document],
    language: Language,
    problems: list[Problem] | None = None,
    was_in_force: bool = False,
) -> Business:
    """Build the blueprint from documents by file name. Raises DefinitionError with all that is wrong.

    What was in force before is not held against the lists of time zones, countries and icons once more: they are long,
    and every process starts here.
    """
    return _Compiler(label, documents, language, list(problems or [])).run(was_in_force)


class _Compiler:
    def __init__(self, label: str, documents: dict[str, Document], language: Language, problems: list[Problem]):
        self.documents, self.language, self.problems = documents, language, problems
        app_file = documents.get(APP_FILE)
        raw, before = app_file.data if app_file else {"name": label}, len(problems)
        app = check_section(AppSection, raw, app_file, (), problems) if app_file else None
        self.business = Business(label, app or AppSection(name=label), documents, language)
        self.entities = self.business.entities
        self.unreadable = {problem.place.file.rsplit("/", 1)[-1].rsplit(".", 1)[0] for problem in problems}
        self.faulty = Faulty(app=len(problems) > before if app_file else "app" in self.unreadable)
        self.faulty_sections: set[tuple[str, str]] = set()
        self.faulty_fields: set[tuple[str, str]] = set()

    def run(self, was_in_force: bool) -> Business:
        for name, document in self.documents.items():
            if name != APP_FILE:
                self._entity(name.rsplit(".", 1)[0], document)
        self._clashing_entities()
        for entity in list(self.entities.values()):
            self._fields(entity)
        for entity in list(self.entities.values()):
            self._added_fields(entity)
        self._targets()
        causes = len(self.problems)
        for name in self.unreadable - {"app"}:
            self.faulty.add_entity(name)
        self.faulty.add_lost_links(self.business)
        app_file = self.documents.get(APP_FILE)
        if app_file and not self.faulty.app:
            known = [*self.entities, *self.unreadable]
            check_app(self.business.app, known, self._reporter(app_file, ()), world=not was_in_force)
        for entity in self.entities.values() if not was_in_force else ():
            self._check_icons(entity)
        self.problems += compute_fields(self.business)
        self.problems += read_rules(self.business)
        self.problems += read_access(self.business)
        for entity in self.entities.values():
            self._check(entity)
        self.problems += link_problems(self.business)
        self.problems[causes:] = self.faulty.causes_alone(self.problems[causes:])
        if self.problems:
            raise DefinitionError(self.problems)
        return self.business

    def _check_icons(self, entity: Entity) -> None:
        check_icons(entity.section, self._reporter(entity.document, ()))
        for key, section in entity.sections.items():
            check_icons(section, self._reporter(entity.document, (key,)))

    def _entity(self, name: str, document: Document) -> None:
        trouble = name_problem(name, "an entity")
        if not trouble and name in self.entities:
            trouble = f"{name!r} is defined in {self.entities[name].document.file} already"
        if trouble:
            self.problems.append(Problem(document.place(), f"the file's name: {trouble}"))
            self.unreadable.add(name)
            return
        sections = self.language.sections
        raw = {key: value for key, value in document.data.items() if key in ENTITY_KEYS}
        for key in document.data:
            if key not in ENTITY_KEYS and key not in sections:
                hint = did_you_mean(key, [*ENTITY_KEYS, *sections])
                self.problems.append(Problem(document.place((key,), key=True), f"unknown key {key!r}", hint))
        before = len(self.problems)
        checked = check_section(EntitySection, raw, document, (), self.problems)
        fields = document.data.get("fields")
        if checked is None or len(self.problems) > before:
            if not isinstance(fields, dict):
                self.unreadable.add(name)  # nothing is known of its fields
                return
            checked = checked or EntitySection(fields=fields)
        entity = Entity(name, checked, document, self.business)
        self.entities[name] = entity
        for key, spec in sections.items():
            given, before = document.data.get(key), len(self.problems)
            section = check_section(spec.Section, {} if given is None else given, document, (key,), self.problems)
            if len(self.problems) > before:
                self.faulty_sections.add((name, key))
            entity.sections[key] = section if section is not None else spec.Section()

    def _clashing_entities(self) -> None:
        seen: dict[str, Entity] = {}
        for entity in self.entities.values():
            first = seen.setdefault(camel(entity.name).lower(), entity)
            if first is not entity:
                message = f"{entity.name!r} would have the same table as {first.name!r} ({first.document.file})"
                self.problems.append(Problem(entity.place(), message))

    def _fields(self, entity: Entity) -> None:
        for name, raw in self.language.record.items():
            entity.record_fields[name] = self._field(entity, name, raw, entity.document, (), record=True)
        if entity.document.data.get("fields") == {}:
            self.problems.append(Problem(entity.place("fields", key=True), "an entity needs at least one field"))
        for number, (name, raw) in enumerate(entity.section.raw_fields.items()):
            path = ("fields", name)
            if number == MAX_FIELDS:
                message = f"an entity may have {MAX_FIELDS} fields"
                self.problems.append(Problem(entity.place(*path, key=True), message))
                break
            trouble = name_problem(name, "a field")
            if trouble:
                self.problems.append(Problem(entity.place(*path, key=True), trouble))
                self.faulty.add_field(entity, name)
                continue
            before = len(self.problems)
            field = self._field(entity, name, raw, entity.document, path)
            if field:
                self._put(entity, field)
            if len(self.problems) > before:
                self.faulty.add_field(entity, name)
                self.faulty_fields.add((entity.name, name))

    def _put(self, entity: Entity, field: Field) -> None:
        taken = {leaf.name: other for other in entity.fields.values() for leaf in [other, *other.leaves]}
        for leaf in [field, *field.leaves]:
            if leaf.name in taken:
                first = taken[leaf.name]
                message = f"{leaf.name!r} is a field already: {first.place(key=True)}"
                self.problems.append(Problem(field.place(key=True), message))
                return
        entity.fields[field.name] = field

    def _field(
        self,
        entity: Entity,
        name: str,
        raw: Any,
        document: Document,
        path: tuple[Hashable, ...],
        record: bool = False,
        whole: Field | None = None,
    ) -> Field | None:
        if isinstance(raw, str):
            raw, type_path = {"type": raw}, path
        else:
            type_path = (*path, "type")
        if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
            hint = "Write 'name: text', or 'name: {type: text, required: true}'."
            place = document.place(path, key=not isinstance(raw, dict))
            self.problems.append(Problem(place, f"the field {name!r} has no type", hint))
            return None
        spec = self.language.types.get(raw["type"])
        if spec is None:
            hint = did_you_mean(raw["type"], self.language.types)
            self.problems.append(Problem(document.place(type_path), f"unknown field type {raw['type']!r}", hint))
            return None
        options = {key: value for key, value in raw.items() if key != "type"}
        what, before = f"option of {a_field(spec.name)}", len(self.problems)
        checked = check_section(spec.Options, options, document, path, self.problems, what)
        if checked is None or len(self.problems) > before:
            return None
        field = Field(name, spec, checked, entity, document, path, record, whole)
        for part, (type_name, part_options) in spec.parts(field).items():
            raw_part = {"type": type_name, **part_options}
            field.parts[part] = self._field(entity, part, raw_part, document, path, record, field)
        return field

    def _added_fields(self, entity: Entity) -> None:
        for field in list(entity.fields.values()):
            for target, name, raw in field.type.adds(field):
                other = self.entities.get(target)
                if other is None or other is entity:
                    continue
                added = self._field(other, name, raw, field.document, field.path)
                first = other.find(name)
                if first:
                    self.problems.append(_added_twice(field, first))
                elif added:
                    rest = dict(other.fields)
                    other.fields.clear()
                    other.fields.update({name: added, **rest})

    def _targets(self) -> None:
        """Say which links lead to entities that are nowhere; of those whose file cannot be read, nothing is known."""
        for field in (one for entity in self.entities.values() for one in entity.fields.values()):
            target = field.type.target(field)
            if target and target not in self.entities and target not in self.unreadable:
                path = (*field.path, *[key for key in ("to", "of") if hasattr(field.options, key)])
                hint = did_you_mean(target, self.entities)
                self.problems.append(Problem(field.document.place(path), f"there is no entity {target!r}", hint))

    def _check(self, entity: Entity) -> None:
        for field in [one for whole in entity.fields.values() for one in {whole: 0, **dict.fromkeys(whole.leaves)}]:
            target = field.type.target(field)
            is_faulty = (entity.name, (field.whole or field).name) in self.faulty_fields
            if not is_faulty and (not target or target in self.entities):
                field.type.check(field, self._reporter(field.document, field.path))
        report = self._reporter(entity.document, ())
        check_title(entity, report)
        check_unique(entity, report)
        check_list(entity, report)
        check_form(entity, report)
        for key, spec in self.language.sections.items():
            if (entity.name, key) in self.faulty_sections:
                continue
            spec.check(entity, entity.sections[key], self._reporter(entity.document, (key,)))

    def _reporter(self, document: Document, base: tuple[Hashable, ...]) -> Report:
        def report(
            message: str, *path: Hashable, hint: str = "", key: bool = False, within: tuple[str, int] | None = None
        ) -> None:
            place = document.place((*base, *path), key=key)
            self.problems.append(Problem(place.within(*within) if within else place, message, hint))

        return report


def _added_twice(field: Field, first: Field) -> Problem:
    place, child = field.place(key=True), first.entity.name
    if first.document is not first.entity.document:
        message = f"{child!r} is the rows of another table already ({first.place(key=True)})"
        return Problem(place, message, "Make an entity of its own for these rows.")
    message = f"{child!r} has a field {first.name!r} of its own ({first.place(key=True)})"
    return Problem(place, message, "A child gets its link to the parent from the table: remove that field.")


__all__ = ["APP_FILE", "compile_business", "humanize", "read_folder"]
