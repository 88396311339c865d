"""manage.py schema: the JSON Schema of the language."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from crm.blueprint.schema import app_schema, entity_schema
from crm.wiring import LANGUAGE


class Command(BaseCommand):
    help = "Writes the JSON Schema of an entity's file (or of app.yaml), for editors that complete and check YAML."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--app", action="store_true", help="the schema of app.yaml")
        parser.add_argument("--to", metavar="FOLDER", help="write entity.schema.json and app.schema.json there")

    def handle(self, *args: Any, **options: Any) -> None:
        schemas = {"entity": entity_schema(LANGUAGE), "app": app_schema()}
        if not options["to"]:
            self.stdout.write(_text(schemas["app" if options["app"] else "entity"]))
            return
        folder = Path(options["to"])
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas.items():
            path = folder / f"{name}.schema.json"
            path.write_text(_text(schema) + "\n", encoding="utf-8")
            self.stdout.write(str(path))


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False)
