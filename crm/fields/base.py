"""The contract of a field type: storage, display, exchange with files, form input, filter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Annotated, Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models
from pydantic import AfterValidator
from pydantic import Field as Key

from crm.blueprint.bounds import UNSTORABLE
from crm.blueprint.language import Report
from crm.blueprint.nodes import Field
from crm.blueprint.sections import Flag, Formula, Name, Section, Text
from crm.fields.notation import Notation

NOTHING = models.NOT_PROVIDED


@dataclass(frozen=True)
class Reading:
    """How a file writes what is not plain: its words for nothing, its date formats (strptime's), its numbers."""

    nulls: frozenset[str] = frozenset({""})
    dates: tuple[str, ...] = ()
    numbers: Notation | None = None
    """How its texts write numbers; None is the English way, as in definitions."""


class Share(float):
    """A number that a spreadsheet shows as a percentage: 0.2, where people see 20 %."""


class ShownNumber(float):
    """A number that a spreadsheet shows as another text than its digits: 1067, where people see 01067."""

    def __new__(cls, value: float, shown: str) -> ShownNumber:
        made = super().__new__(cls, value)
        made.shown = shown
        return made


class Inexact(float):
    """A number of more than 15 digits in a spreadsheet, which keeps 15: the others are not in the file."""


@dataclass(frozen=True)
class Unreadable:
    """A cell whose content is not in the file, though a spreadsheet shows some; `reason` is a sentence."""

    reason: str


@dataclass(frozen=True)
class Reference:
    """A field whose values are records elsewhere: `model` is a label such as `travel.Customer`.

    `entity` names the target among the definitions, else `key` is the target's column that files write.
    `folded` is the target's column with the comparison form of `key`; left out, the values themselves are folded.
    `create` says whether a value that is not there yet is added; `scope` fills the added record's other columns.
    """

    model: str
    entity: str = ""
    key: str = ""
    folded: str = ""
    many: bool = False
    create: bool = False
    scope: Mapping[str, Any] = field(default_factory=dict)


class Options(Section):
    """The options that every field has."""

    label: Text | None = Key(None, description="What people call the field; made from its name when left out.")
    help: Annotated[str, Key(max_length=400)] | None = Key(None, description="A line of help below the input.")
    was: Name | None = Key(None, description="The field's former name: the data and its history move along.")
    read_only: Flag = Key(False, description="Shown in the form, but not changed there.")


class Required(Options):
    """The options of a field that may be required."""

    required: Flag = Key(False, description="Whether a record can be saved without it.")


class Computable(Options):
    """The options of a field whose value may be worked out."""

    compute: Formula | None = Key(
        None, description="The expression that gives the value: `seats * unit_price - discount`. Nobody types it then."
    )


class Stored(Required, Computable):
    """The options of a field with a value of its own in the database."""

    default: Any = Key(
        None,
        description="What a new record starts with: a plain value and no expression; some types know a word as well, "
        "such as `today`.",
    )
    backfill: Any = Key(None, description="What existing records get when the field is added or becomes required.")
    index: Flag = Key(False, description="Whether the database keeps an index, for filtering and ordering large lists.")


class Keyed(Stored):
    """The options of a field whose values can be kept apart."""

    unique: Flag = Key(False, description="Whether two records may have the same value.")


def _ordered(limits: Any) -> Any:
    return limits


Limit = Annotated[Any, AfterValidator(_ordered)]


class FieldType:
    """One kind of field. Override the faces that differ; see `docs/how-it-works.md` for a walk through."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for the reference: what the type is for."""
    Options: ClassVar[type[Options]] = Keyed
    examples: ClassVar[Sequence[Any]] = ()
    """Values as files write them; the reference shows them and the contract tests live on them."""
    example_options: ClassVar[Mapping[str, Any]] = {}

    stored = True
    many = False
    rows = False
    listable = True
    sortable = True
    searchable = False
    reads_as_title = False
    folds = False
    """True where texts that are written differently may be one value; `comparison_key` says which."""
    usable_as_key = True
    """False where a value cannot be the key that tells the records of a file apart."""
    kind = ""
    """What a value is in expressions (`blueprint/expressions/tree.py`): number, text, boolean …, or nothing."""
    filter = ""
    """The kind of filter that fits: text, choice, boolean, number, date, link, or nothing."""
    filter_by_default = True
    input = "text"
    """The kind of input in a form; builders/inputs.py has the table."""
    align = "left"
    breaks = True
    """False where a list never breaks the text into lines: a phone number, a moment."""
    writes_numbers = False
    """True where a value is written as a number, or with one, so that a file's notation matters."""
    uploads = False
    """True where a value is the name of an upload, which may belong to another record."""
    sets_on_save = False
    """True where the type gives values at saving; see `fill`."""

    # What the blueprint asks

    def parts(self, field: Field) -> Mapping[str, tuple[str, dict[str, Any]]]:
        return {}

    def adds(self, field: Field) -> Iterable[tuple[str, str, dict[str, Any]]]:
        return ()

    def target(self, field: Field) -> str:
        return ""

    def needs_target(self, field: Field) -> bool:
        return False

    def check(self, field: Field, report: Report) -> None:
        """Report a default or backfill that is no value of this type."""
        for key in ("default", "backfill"):
            raw = getattr(field.options, key, None)
            if raw is None or (key == "default" and str(raw) in self.default_words(field)):
                continue
            try:
                self.validate(self.parse(raw, field, Reading()), field)
            except ValueError as error:
                report(f"{key!r}: {error}", key)

    def places(self, field: Field) -> int:
        """Return how many digits stand after the point of a number."""
        return 0

    def columns_displayed(self, field: Field) -> tuple[str, ...]:
        """Return the columns that `display` reads of a target which is no entity's record; none given means all."""
        return ()

    def operand(self, value: Any, field: Field) -> Any:
        """Return a value as expressions calculate with it; None for nothing."""
        return str(value) or None if self.kind == "text" and value is not None else value

    # The model column

    def column(self, field: Field) -> models.Field | None:
        """Return the model field, or None for a type that keeps nothing of its own."""
        raise NotImplementedError

    def nullable(self, field: Field) -> bool:
        """Say whether nothing is stored as NULL."""
        return not field.options.required

    def validators(self, field: Field) -> list[Callable[[Any], None]]:
        return []

    def common(self, field: Field, **more: Any) -> dict[str, Any]:
        """Return the column's arguments that most types share."""
        options = field.options
        null = self.nullable(field)
        values: dict[str, Any] = {
            "verbose_name": field.label,
            "help_text": options.help or "",
            "null": null,
            "blank": not getattr(options, "required", False),
            "unique": getattr(options, "unique", False),
            "db_index": getattr(options, "index", False) and not getattr(options, "unique", False),
            "validators": self.validators(field),
            **self._defaults(field),
        }
        return {key: value for key, value in {**values, **more}.items() if value is not NOTHING}

    def _defaults(self, field: Field) -> dict[str, Any]:
        """A column's default for Python, and the database's own so that an older release can still insert."""
        default, defaults = self.default(field), {}
        if default is not NOTHING:
            defaults["default"] = default
        in_database = self.db_default(field)
        if in_database is not NOTHING:
            defaults["db_default"] = in_database
            defaults.setdefault("default", None if self.empty(field) is None else self.empty(field))
        return defaults

    def default_words(self, field: Field) -> Mapping[str, Callable[[], Any]]:
        """Return the words that stand for a default found out at saving, such as `today`."""
        return {}

    def default(self, field: Field) -> Any:
        """Return the default of a new record: a value, a callable, or NOTHING."""
        raw = getattr(field.options, "default", None)
        if raw is None:
            return NOTHING
        words = self.default_words(field)
        return words[str(raw)] if str(raw) in words else self.parse(raw, field, Reading())

    def db_default(self, field: Field) -> Any:
        """Return the database's own default: the default or backfill where it is a value, else NOTHING."""
        default = self.default(field)
        if default is not NOTHING and not callable(default):
            return default
        backfill = getattr(field.options, "backfill", None)
        if backfill is not None:
            return self.parse(backfill, field, Reading())
        empty = self.empty(field)
        return NOTHING if self.nullable(field) or empty is None else empty

    def empty(self, field: Field) -> Any:
        """Return the value that means nothing."""
        return None

    # Text for people

    def display(self, value: Any, field: Field) -> str:
        """Return a value that is not empty as people read it."""
        return str(value)

    def badges(self, value: Any, field: Field) -> list[tuple[str, str]]:
        """Return the coloured labels that the value is shown as, text and colour each; empty for plain text."""
        return []

    def icon(self, value: Any, field: Field) -> bool | None:
        """Return True or False where a tick or a cross says it better than text."""
        return None

    def picture(self, value: Any, field: Field) -> str:
        """Return the colour or the picture's URL that is shown beside the text."""
        return ""

    def address(self, value: Any, field: Field) -> str:
        """Return the address that the value leads to when clicked (a mail, a call, a page, a file), or nothing."""
        return ""

    # Files

    def serialize(self, value: Any, field: Field) -> Any:
        """Return a value as a file holds it: text, a number, a boolean, a date, or what JSON knows. None is empty."""
        return value

    def written(self, value: Any, field: Field, notation: Notation | None = None) -> Any:
        """Return `plain` as a text file or a form writes it, with numbers in a notation; `parse` reverses it too."""
        return self.serialize(value, field)

    def number_texts(self, cell: str) -> list[str]:
        """Return the numbers in a cell of text, by which a column's notation may be decided."""
        return []

    def parse(self, raw: Any, field: Field, reading: Reading) -> Any:
        """Return the value that a file's `raw` means; raise ValueError with a sentence for people.

        Never called with an empty cell. Reverses `plain`, and understands what people and other systems write.
        """
        raise NotImplementedError

    def validate(self, value: Any, field: Field) -> Any:
        """Check a parsed value against the field's limits; raise ValueError with every complaint."""
        complaints = []
        for validator in field.validators:
            try:
                validator(value)
            except ValidationError as error:
                complaints += error.messages
        if complaints:
            raise ValueError(" ".join(complaints))
        return value

    def reference(self, field: Field) -> Reference | None:
        """Say where the values are records; None for values in themselves."""
        return None

    def equals(self, value: Any, other: Any) -> bool:
        """Say whether two values are the same to people."""
        return value == other

    def comparison_key(self, value: Any, field: Field) -> Any:
        """Return the comparison form of a stored value: two values with the same one are one value.

        It is behind `unique`, `match_on` and the links of files. Idempotent; types that fold give text.
        """
        return value

    # At saving

    def fill(self, records: Sequence[models.Model], field: Field) -> None:
        """Give a value to each record that has none, all at once, in the transaction that saves them."""

    # For forms, schemas and the reference

    def input_options(self, field: Field) -> dict[str, Any]:
        """Return what the input needs to know: choices, limits, suffix; see builders/inputs.py."""
        return {}

    def value_schema(self, field: Field) -> dict[str, Any]:
        """Return the JSON Schema of a value as `plain` gives it."""
        return {"type": "string"}

    def replaced_values(self, field: Field) -> dict[str, str]:
        """Return the values that take the place of others, which the field no longer takes: old → new."""
        return {}


def text_of(raw: Any) -> str:
    """Return a cell as text: a whole float from a spreadsheet without its `.0`, or what the spreadsheet shows.

    Raises ValueError where a spreadsheet has not kept all digits, or shows a text that the file does not tell.
    """
    if (shown := getattr(raw, "shown", None)) is not None:
        return shown
    if isinstance(raw, date | time | timedelta | Share):
        raise ValueError(AS_TEXT.format("a percentage" if isinstance(raw, Share) else "a date or a time"))
    if isinstance(raw, Inexact):
        raise ValueError(f"{raw:.15g} has more digits than a spreadsheet keeps in a number: make it a cell of text.")
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() else f"{raw:.15g}"
    return str(raw).strip()


AS_TEXT = "is {} in the spreadsheet, shown in a way that the file does not tell: make it a cell of text."


def check_storable(text: Any) -> None:
    """Refuse text that no database keeps: NUL characters and lone surrogates. Raises ValidationError."""
    ProhibitNullCharactersValidator()(text)
    if UNSTORABLE.search(str(text)):
        raise ValidationError("Halves of characters are not allowed.", code="surrogates_not_allowed")


def limits_of(field: Field) -> tuple[Any, Any]:
    """Return the field's `min` and `max`, or None."""
    return getattr(field.options, "min", None), getattr(field.options, "max", None)


def check_limits(field: Field, report: Report) -> None:
    """Report a `min` above `max`."""
    low, high = limits_of(field)
    if low is not None and high is not None and low > high:
        report(f"'min' ({low}) is more than 'max' ({high})", "min")
