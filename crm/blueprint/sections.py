"""The schemas of `app.yaml` and of the keys of an entity's file that belong to no capability."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, StrictBool, StringConstraints, WithJsonSchema
from pydantic import Field as Key


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text), StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Path = Annotated[str, StringConstraints(pattern=r"^-?[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=200)]
Flag = StrictBool
Formula = Annotated[str, BeforeValidator(_as_text), StringConstraints(min_length=1)]
"""The text of an expression; `blueprint/expressions` reads it."""


@dataclass(frozen=True)
class IsIcon:
    """Marks a key that names an icon; `blueprint/icons.py` holds it against those that there are."""


Icon = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=60), IsIcon()]
CurrencyCode = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]
RegionCode = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})]
"""For editors; `blueprint/app.py` says which code is meant where it is none."""
Color = Literal["gray", "blue", "green", "orange", "red", "purple", "teal", "pink"]


class Section(BaseModel):
    """Base of every section: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)


Verb = Literal["view", "add", "change", "delete", "import", "export"]
VERBS: tuple[Verb, ...] = ("view", "add", "change", "delete", "import", "export")


class RoleSection(Section):
    """A role of the staff: a group of users, and what they may do with every entity."""

    label: Text | None = Key(None, description="What people call the role; made from its name when left out.")
    can: list[Verb] = Key(["view"], description="What the role may do with the records of every entity.")
    was: Name | None = Key(None, description="The role's former name: the people who have it keep it.")


class AppSection(Section):
    """`app.yaml`: the business as a whole."""

    name: Text = Key(description="The name of the business, shown in the sidebar and in the window's title.")
    currency: CurrencyCode = Key(
        "EUR",
        description="The currency of every `money` field, as an ISO 4217 code.",
    )
    time_zone: str = Key("UTC", description="The time zone of the business, as in the IANA list: `Europe/London`.")
    region: RegionCode | None = Key(
        None,
        description="An ISO 3166 country code. It says how phone numbers without a country code are read, how numbers, "
        "money and dates are written and read in forms and on pages, and how files write numbers and money.",
    )
    languages: list[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]{2,4})?$")]] = Key(
        ["en"], description="The languages of the business; the first is the default.", min_length=1
    )
    color: Color = Key("teal", description="The colour of buttons and links.")
    roles: dict[str, RoleSection | None] = Key({}, description="The roles of the staff, by name.")
    profile: Name | None = Key(
        None, description="The entity that tells more of a user, such as `employee`: `user.office` reads its fields."
    )
    menu: dict[str, list[Name]] = Key(
        {}, description="The sidebar: a heading, and the entities below it. Left out: every entity under one heading."
    )


class ListSection(Section):
    """`list`: how the records stand in the list."""

    columns: list[Path] | None = Key(
        None, description="The columns: fields, also across links (`customer.name`). Left out: the first seven fields."
    )
    filters: list[Path] | None = Key(
        None, description="The fields to filter by. Left out: every field that has a fitting filter."
    )
    search: list[Path] | None = Key(
        None,
        description="Where the search looks, and where the inputs of links that lead here look while one types: with "
        "nothing to search, a record cannot be picked by its name. Left out: every short text field.",
    )
    order: list[Path] | None = Key(
        None, description="The order of the rows; a `-` before a field turns it round. Left out: the newest first."
    )
    page: int = Key(50, ge=5, le=500, strict=True, description="How many rows stand on a page.")


Fields = dict[str, Any]
Names = list[Name]
Groups = list[list[Name]]


class FormSection(Section):
    """`form`: how a record's page is laid out."""

    quick: Names | None = Key(
        None,
        description="The fields of a short form that opens over any page (Alt+N), to add a record in passing. It holds "
        "every required field that has no default.",
    )

    tabs: dict[Text, Any] | None = Key(
        None,
        description="The tabs: a list of fields (fields in inner brackets share a line), a map of headings and lists "
        "of fields, `{related: entity}` for the records that point here, or the name of a panel such as `timeline`. "
        "Nothing is lost by leaving it out: fields that no tab names stand on the first one, under *More*; tables, "
        "records that point here and panels get tabs of their own behind the others.",
    )


class RuleSection(Section):
    """A rule: what must hold of every saved record."""

    check: Formula = Key(description="The condition that must hold: `seats <= trip.seats_free`.")
    message: Text = Key(description="What is said where it does not; `{path}` writes a field's value.")
    field: Name | None = Key(
        None, description="The field that the message stands beside. Left out: the first that the condition reads."
    )


class ShowSection(Section):
    """When a field is asked for."""

    visible_if: Formula | None = Key(None, description="The field is asked for only where this holds.")
    required_if: Formula | None = Key(None, description="The field must be filled where this holds.")
    read_only_if: Formula | None = Key(
        None, description="The field cannot be changed any more once this holds of the saved record."
    )


class RowLimit(Section):
    """Which records something may be done with."""

    rows: Formula | None = Key(
        None, description="What must hold of a record, and may read `user`: `owner == user`. Left out: all records."
    )


class Limit(RowLimit):
    """Which records and fields something may be done with."""

    only: Names | None = Key(None, description="The only fields. Left out: all.")
    except_: Names | None = Key(None, alias="except", description="All fields but these.")


class AccessSection(Section):
    """What a role may do with the records: nothing but what stands here."""

    view: Flag | Limit | None = Key(None, description="See them: `true`, or within limits.")
    add: Flag | Limit = Key(False, description="Add some: `true`, or within limits.")
    change: Flag | Limit = Key(False, description="Change them: `true`, or within limits.")
    delete: Flag | RowLimit = Key(False, description="Delete them: `true`, or some `rows`.")
    import_: Flag = Key(False, alias="import", description="Import them from files.")
    export: Flag = Key(False, description="Export those that it sees, with the fields that it sees.")


class EntitySection(Section):
    """An entity's file: what one kind of record is, and how it is shown."""

    label: Text | None = Key(None, description="What one record is called; made from the file's name when left out.")
    plural: Text | None = Key(None, description="What several are called; made from the label when left out.")
    icon: Icon = Key(
        "table_rows",
        description="The icon in the sidebar: a name of Google's Material Symbols, as fonts.google.com/icons lists "
        "them.",
    )
    title: Text | None = Key(
        None, description="How a record is called everywhere: text with fields in braces, `{number} {customer.name}`."
    )
    was: Name | None = Key(None, description="The entity's former name: the data and its history move along.")
    raw_fields: Fields = Key(
        alias="fields", description="The fields, by name: a type, or a map of `type` and its options."
    )
    unique: Groups = Key([], description="Lists of fields that together may occur only once.")
    listing: ListSection = Key(ListSection(), alias="list", description="How the records stand in the list.")
    rules: list[RuleSection] = Key(
        [],
        description="What must hold of every record, however it is written. A linked record that changes asks nothing.",
    )
    access: dict[Name, AccessSection] = Key(
        {}, description="What roles may do with the records; a role that is not named here may do what its `can` says."
    )
    show: dict[Name, ShowSection] = Key({}, description="When fields are asked for, required or closed, by name.")
    layout: FormSection = Key(FormSection(), alias="form", description="How a record's page is laid out.")
