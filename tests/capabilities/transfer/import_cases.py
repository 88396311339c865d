"""Imports files as people have them, each from an empty business, and prints in JSON what came of it.

Runs in a process of its own, as the business `depot`: test_cases.py starts it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from crm.capabilities.transfer.file_reader import FileRefused
from crm.capabilities.transfer.resource import export_rows
from crm.capabilities.transfer.runs import import_file, start_run
from crm.management.entities import business_here
from crm.models import Tag

CASES = Path(__file__).with_name("cases")
BUSINESS = business_here()
FILES = {
    **{path.name: "customer" for path in sorted(CASES.iterdir())},
    "20a_mail.csv": "person",
    "20b_mail.csv": "person",
    "28_blank_ws.csv": "visit",
}
FIRST = {"20b_mail.csv": ["20a_mail.csv"]}


def model(name: str) -> Any:
    return apps.get_model(BUSINESS.label, BUSINESS.entities[name].class_name)


def rows(name: str) -> list[dict[str, str]]:
    """Return all records of an entity, each value as a file holds it."""
    found = []
    for record in model(name).objects.order_by("pk"):
        row = {}
        for leaf in BUSINESS.entities[name].leaves:
            value = getattr(record, leaf.name)
            value = sorted(tag.name for tag in value.all()) if leaf.type.many else value
            if value not in (None, "", []):
                row[leaf.name] = value if isinstance(value, list | bool) else str(value)
        found.append(row)
    return found


def take_in(file: str, data: bytes, entity: str, **options: Any) -> dict[str, Any]:
    try:
        _, preparation = import_file(BUSINESS.entities[entity], file, data, **options)
    except FileRefused as error:
        return {"told": [str(error)], "rows": rows(entity)}
    told = [*preparation.refusals, *(f"{row} {column}: {text}" for row, column, text in preparation.errors)]
    return {"told": told, "counts": preparation.counts, "rows": rows(entity)}


def undone(function: Any, *words: Any, **options: Any) -> Any:
    """Return what a function returns, with the database as it was before."""
    with transaction.atomic():
        found = function(*words, **options)
        transaction.set_rollback(True)
    return found


def case(file: str, **options: Any) -> dict[str, Any]:
    for before in FIRST.get(file, ()):
        take_in(before, (CASES / before).read_bytes(), FILES[before])
    return take_in(file, (CASES / file).read_bytes(), FILES[file], **options)


def german(text: str, **options: Any) -> dict[str, Any]:
    return take_in("german.csv", text.encode(), "customer", **options)


def preview() -> list[Any]:
    run = start_run(BUSINESS.entities["customer"], "a.csv", b"code;name;weight;credit\nA;A;0,125;1.375,50\n", None)
    return run.read_preview()["rows"][0]["cells"]


def round_trip(format: str) -> dict[str, Any]:
    german(
        "code;name;phone;weight;credit;discount;points\nA;A;030 901820;13,750;1.375,50;7,5;1.200\nB;B;;0,125;-3,5;;\n"
    )
    data = export_rows(BUSINESS.entities["customer"], model("customer").objects.order_by("pk"), format)
    text = data.decode() if format == "csv" else ""
    return {**take_in(f"again.{format}", data, "customer"), "text": text}


def try_doubles(entity: str, *records: dict[str, Any]) -> list[str]:
    """Make records one after the other, and return what is said: by the record itself, and by the database alone."""
    said = []
    for values in records:
        record = model(entity)(**values)
        try:
            record.full_clean()
            told = "fine"
        except ValidationError as error:
            told = " ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        try:
            with transaction.atomic():
                record.save()
        except IntegrityError:
            told += " (refused)"
        said.append(told)
    return said


def rename_computed() -> list[Any]:
    """Write what a computed part of a group reads, and return the keys that follow from it."""
    bike = model("bike").objects.create(brand="Trek", serial="1")
    keys = lambda: model("bike").objects.values_list("label", "_label_key").get(pk=bike.pk)  # noqa: E731
    found = [keys()]
    bike.brand = "Giant"
    bike.save()
    found.append(keys())
    model("bike").objects.filter(pk=bike.pk).update(brand="Cube")
    return [*found, keys()]


def tags_of_forms() -> list[str]:
    from crm.builders.inputs import TagsField

    field = TagsField(scope="depot.customer.interests", only=None, required=False)
    field.clean(["Wine", "wine", " WINE\u200b"])
    field.clean(["beer", "wine"])
    return sorted(Tag.objects.values_list("name", flat=True))


def main() -> dict[str, Any]:
    found = {file: undone(case, file) for file in FILES}
    found["cp1252"] = undone(case, "05a_cp1252.csv", encoding="cp1252")
    found["points"] = undone(german, "code,name,weight\nA,A,0.125\nB,B,13.750\n", numbers="1,234.56")
    found["unsure"] = undone(german, "code,name,weight\nA,A,0.125\nB,B,13.750\n")
    found["spelling"] = undone(lambda: [german(f"code;name\n{code};{code}\n") for code in SPELLINGS][-1])
    found["preview"] = undone(preview)
    found |= {f"again {format}": undone(round_trip, format) for format in ("csv", "xlsx", "json")}
    found["bikes"] = undone(try_doubles, "bike", *BIKES)
    found["computed"] = undone(rename_computed)
    found["tags"] = undone(tags_of_forms)
    return found


SPELLINGS = ("UML-Ä 1", "uml-A\u0308\u00a01", "UML-\u200bÄ 1 ", "uml\u2011ä  1")
BIKES = (
    {"brand": "Trek"},
    {"brand": "Trek"},
    {"brand": "Trek", "frame": "F1"},
    {"brand": "TREK ", "frame": "f1"},
    {"brand": "Trek", "country": "DE", "size": "small"},
    {"brand": "trek", "country": "DE", "size": "small"},
    {"brand": "Trek", "serial": "S1"},
    {"brand": "Other", "serial": "s\u200b1"},
)


if __name__ == "__main__":
    print(json.dumps(main(), ensure_ascii=False))
