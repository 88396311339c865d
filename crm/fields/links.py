"""Links between records: to one, to several, rows of one's own, people of the staff, and tags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from django.conf import settings
from django.db import models
from django.db.models import NOT_PROVIDED
from pydantic import Field as Key

from crm.blueprint.bounds import shorten
from crm.blueprint.language import Report
from crm.blueprint.nodes import Field
from crm.blueprint.problems import did_you_mean
from crm.blueprint.sections import Flag, Name, Text
from crm.fields import columns
from crm.fields.actor import current_actor
from crm.fields.base import FieldType
from crm.fields.cell_values import text_of
from crm.fields.comparison import fold_text
from crm.fields.faces.exchange import Reference
from crm.fields.options import Options, Required
from crm.fields.reading import Reading

ON_DELETE = {"protect": models.PROTECT, "cascade": models.CASCADE, "empty": models.SET_NULL}


class LinkOptions(Required):
    to: Name = Key(description="The entity that the link leads to.")
    on_delete: Literal["protect", "cascade", "empty"] | None = Key(
        None,
        description="What happens when the target is deleted: `protect` refuses it, `cascade` deletes this too, "
        "`empty` clears the link. Left out: protect where required, else empty.",
    )
    unique: Flag = Key(False, description="Whether two records may lead to the same target.")


class Link(FieldType):
    name = "link"
    summary = "A link to one record of another entity, or of the same."
    Options = LinkOptions
    example_options = {"to": "other"}
    filter = "link"
    input = "record"

    def target(self, field: Field) -> str:
        return field.options.to

    def needs_target(self, field: Field) -> bool:
        return field.options.required

    def check(self, field: Field, report: Report) -> None:
        if field.options.required and field.options.on_delete == "empty":
            report("a required link cannot be emptied", "on_delete", hint="Use 'protect' or 'cascade'.")

    def column(self, field: Field) -> models.Field:
        action = field.options.on_delete or ("protect" if field.options.required else "empty")
        common = self.common(field)
        unique = common.pop("unique")
        common.pop("db_index")
        return columns.Link(
            _model(field),
            on_delete=ON_DELETE[action],
            related_name=f"{field.entity.name}_{field.name}_set",
            related_query_name=f"{field.entity.name}_{field.name}",
            unique=unique,
            **common,
        )

    def display(self, value: Any, field: Field) -> str:
        return str(value)

    def serialize(self, value: Any, field: Field) -> Any:
        return value

    def parse(self, raw: Any, field: Field, reading: Reading) -> Any:
        return text_of(raw)

    def reference(self, field: Field) -> Reference:
        return Reference(_model(field), entity=self.target(field))


class LinksOptions(Options):
    to: Name = Key(description="The entity that the links lead to.")


class Links(Link):
    name = "links"
    summary = "Links to any number of records."
    Options = LinksOptions
    many = True
    sortable = False
    input = "records"

    def needs_target(self, field: Field) -> bool:
        return False

    def check(self, field: Field, report: Report) -> None:
        """Nothing: `to` is checked with every target."""

    def column(self, field: Field) -> models.Field:
        return columns.Links(
            _model(field),
            related_name=f"{field.entity.name}_{field.name}_set",
            related_query_name=f"{field.entity.name}_{field.name}",
            blank=True,
            verbose_name=field.label,
            help_text=field.options.help or "",
        )

    def nullable(self, field: Field) -> bool:
        return False

    def display(self, value: Iterable[Any], field: Field) -> str:
        return ", ".join(str(record) for record in value)

    def reference(self, field: Field) -> Reference:
        return Reference(_model(field), entity=self.target(field), many=True)

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}}


class TableOptions(Options):
    of: Name = Key(description="The entity of the rows. It gets a required link to this one, named after it.")
    order_by: Name | None = Key(None, description="The field of the rows that gives their order.")
    rows: Name | None = Key(None, description="A whole-number field of this entity that says how many rows there are.")


class Table(FieldType):
    name = "table"
    summary = "Rows of another entity that are a part of this record: edited in its form, deleted with it."
    Options = TableOptions
    example_options = {"of": "other"}
    stored = False
    many = True
    rows = True
    listable = False
    sortable = False
    input = "rows"

    def adds(self, field: Field) -> Iterable[tuple[str, str, dict[str, Any]]]:
        link = {"type": "link", "to": field.entity.name, "required": True, "on_delete": "cascade"}
        former = field.entity.section.was
        renamed = {"was": former} if former else {}
        yield field.options.of, field.entity.name, {**link, "label": field.entity.label, **renamed}

    def target(self, field: Field) -> str:
        return field.options.of

    def check(self, field: Field, report: Report) -> None:
        child, order, rows = field.target, field.options.order_by, field.options.rows
        if field.options.of == field.entity.name:
            report("an entity cannot be a row of itself", "of", hint="Use a link.")
            return
        if order and (child is None or child.find(order) is None):
            report(f"{field.options.of!r} has no field {order!r}", "order_by", hint=did_you_mean(order, child.fields))
        counter = field.entity.fields.get(rows) if rows else None
        if rows and (counter is None or counter.type.value_schema(counter).get("type") != "integer"):
            fields = field.entity.fields.items()
            numbers = [name for name, other in fields if other.type.value_schema(other).get("type") == "integer"]
            hint = did_you_mean(rows, numbers) or "Name a field of type integer."
            report(f"{rows!r} is no whole-number field of {field.entity.name!r}", "rows", hint=hint)

    def column(self, field: Field) -> None:
        return None

    def value_schema(self, field: Field) -> dict[str, Any]:
        return {"type": "array"}


class UserOptions(Required):
    default: Literal["me"] | None = Key(None, description="`me` is whoever adds the record.")
    unique: Flag = Key(False, description="Whether two records may name the same person.")


class User(Link):
    name = "user"
    summary = "Someone of the staff; files hold the user name. `default: me` is whoever adds the record."
    kind = "user"
    Options = UserOptions
    example_options: dict[str, Any] = {}
    input = "person"

    def target(self, field: Field) -> str:
        return ""

    def needs_target(self, field: Field) -> bool:
        return False

    def check(self, field: Field, report: Report) -> None:
        """Nothing: the options say it all."""

    def column(self, field: Field) -> models.Field:
        common = self.common(field)
        common.pop("db_index")
        return columns.Link(
            settings.AUTH_USER_MODEL,
            on_delete=models.PROTECT if field.options.required else models.SET_NULL,
            related_name="+",
            **common,
        )

    def default(self, field: Field) -> Any:
        return current_actor if field.options.default else NOT_PROVIDED

    def display(self, value: Any, field: Field) -> str:
        return value.get_full_name() or value.get_username()

    def columns_displayed(self, field: Field) -> tuple[str, ...]:
        return "username", "first_name", "last_name"

    def reference(self, field: Field) -> Reference:
        return Reference(settings.AUTH_USER_MODEL, key="username")


class TagsOptions(Options):
    choices: list[Text] | None = Key(None, description="The only tags there are; left out, new ones may be made up.")


class Tags(Links):
    name = "tags"
    summary = "Any number of tags, shared by the records of the entity; each may have a colour."
    Options = TagsOptions
    example_options: dict[str, Any] = {}
    input = "tags"

    def target(self, field: Field) -> str:
        return ""

    def scope(self, field: Field) -> str:
        """Return what keeps the tags of this field apart from all others."""
        return f"{field.business.label}.{field.entity.name}.{field.name}"

    def column(self, field: Field) -> models.Field:
        return columns.Links(
            "crm.Tag",
            related_name="+",
            blank=True,
            verbose_name=field.label,
            help_text=field.options.help or "",
        )

    def badges(self, value: Any, field: Field) -> list[tuple[str, str]]:
        return [(tag.name, tag.color) for tag in value]

    def columns_displayed(self, field: Field) -> tuple[str, ...]:
        return "name", "color"

    def parse(self, raw: Any, field: Field, reading: Reading) -> str:
        text = text_of(raw)
        known = field.options.choices
        if known is not None:
            same = {fold_text(name): name for name in known}.get(fold_text(text))
            if same is None:
                raise ValueError(f"{shorten(text)} is none of the tags. {did_you_mean(text, known)}".strip())
            return same
        if len(text) > 60:
            raise ValueError("a tag may have 60 letters at most.")
        return text

    def reference(self, field: Field) -> Reference:
        scope = {"scope": self.scope(field)}
        return Reference("crm.Tag", key="name", folded="key", many=True, create=True, scope=scope)

    def input_options(self, field: Field) -> dict[str, Any]:
        return {"scope": self.scope(field), "choices": field.options.choices}


def _model(field: Field) -> str:
    target = field.target
    if target is None:
        raise LookupError(f"{field}: no entity {field.type.target(field)!r}")
    return f"{field.business.label}.{target.class_name}"
