"""manage.py export: records to standard output."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError

from crm.capabilities.transfer.formula_injection import ExportRefused
from crm.capabilities.transfer.resource import FORMATS, export_rows
from crm.management.entities import RecordsCommand, find_entity


class Command(RecordsCommand):
    help = "Writes all records of an entity to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("entity")
        parser.add_argument("--format", choices=tuple(FORMATS), default="csv")

    def handle(self, *args: Any, **options: Any) -> None:
        entity = find_entity(options["entity"])
        model = apps.get_model(entity.business.label, entity.class_name)
        try:
            data = export_rows(entity, model._default_manager.order_by("pk"), options["format"])
        except ExportRefused as error:
            raise CommandError(str(error)) from None
        stream = getattr(self.stdout._out, "buffer", None)
        if stream is not None and self.stdout._out is sys.stdout:
            stream.write(data)
            stream.flush()
        else:
            self.stdout.write(data.decode("utf-8", "surrogateescape"), ending="")
