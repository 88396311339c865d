"""manage.py import: records from a file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import localtime

from crm.blueprint.nodes import Entity
from crm.capabilities.transfer.file_reader import FORMATS, FileRefused
from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.models import ImportRun
from crm.capabilities.transfer.preparation import ImportPlan
from crm.capabilities.transfer.runs import import_sheet, imported_before, read_file
from crm.fields.notation import notation_like
from crm.management.entities import RecordsCommand, find_entity, find_user


def _sample(value: str) -> str:
    try:
        notation_like(value)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return value


def _encoding(value: str) -> str:
    try:
        "".encode(value)
    except (LookupError, UnicodeError):
        raise ArgumentTypeError(f"{value!r} is no encoding.") from None
    return value


class Command(RecordsCommand):
    help = "Imports records of an entity from a CSV, XLSX or JSON file: all of it, or nothing where a row has an error."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("entity")
        parser.add_argument("file")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
        parser.add_argument("--format", choices=FORMATS, help="the format, where the name does not end with it")
        parser.add_argument("--numbers", type=_sample, help="how the file writes numbers: 1,234.56 or 1.234,56")
        parser.add_argument("--encoding", type=_encoding, help="the encoding of a CSV file, such as cp1252")
        parser.add_argument("--user", help="the user name of whoever imports, for the history")
        parser.add_argument("--reason", default="", help="why, for the history")
        parser.add_argument("--again", action="store_true", help="add the rows of a file that was imported already")

    def handle(self, *args: Any, **options: Any) -> None:
        entity, path = find_entity(options["entity"]), Path(options["file"])
        known = {name: options[name] for name in ("dry_run", "format", "reason", "numbers", "encoding")}
        user = find_user(options["user"])
        try:
            run, sheet = read_file(entity, path.name, self._bytes_of(path), user, **known)
            self._refuse_doubles(run, entity, options)
            import_plan = import_sheet(run, entity, sheet, user, **known)
        except (FileRefused, ImportRefused) as error:
            raise CommandError(f"{path.name}: {error}") from None
        self._tell(path, import_plan, options["dry_run"])

    def _bytes_of(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None

    def _refuse_doubles(self, run: ImportRun, entity: Entity, options: dict[str, Any]) -> None:
        earlier = imported_before(entity, run.sha256)
        if earlier and not options["again"] and not options["dry_run"]:
            when = f"{localtime(earlier.finished):%Y-%m-%d %H:%M}"
            raise CommandError(f"This very file was imported on {when}; --again adds all of its rows once more.")

    def _tell(self, path: Path, import_plan: ImportPlan, dry_run: bool) -> None:
        for refusal in import_plan.refusals:
            self.stderr.write(f"{path.name}: {refusal}")
        for row, column, text in import_plan.errors:
            self.stderr.write(f"{path.name}, row {row}, {column}: {text}")
        if import_plan.warning:
            self.stderr.write(f"{path.name}: {import_plan.warning}")
        counts = ", ".join(f"{name} {count}" for name, count in import_plan.counts.items())
        if not import_plan.is_sound:
            self.stderr.write("Nothing was imported.")
            self.stdout.write(counts)
            sys.exit(1)
        if dry_run:
            self.stderr.write("A dry run: nothing was written.")
        self.stdout.write(counts)
