"""The only file that names every field type and every capability."""

from __future__ import annotations

from crm.blueprint.language import Language
from crm.capabilities.history.capability import History
from crm.capabilities.transfer.capability import Transfer
from crm.capabilities.trash.capability import Trash
from crm.capabilities.workflow.capability import WorkflowCapability
from crm.fields.choices import Boolean, ChoiceType, ColorType
from crm.fields.contact import Email, Phone, Url
from crm.fields.files import File, Image
from crm.fields.identity import Json, SequenceType, SlugType, Uuid
from crm.fields.links import Link, Links, Table, Tags, User
from crm.fields.moments import Date, DateTime, Duration, Time
from crm.fields.numbers import Decimal, Integer, Money, Percent
from crm.fields.places import Address, Country
from crm.fields.text import LongText, Text
from crm.records.record import RECORD_FIELDS

FIELD_TYPES = (
    Text(),
    LongText(),
    Integer(),
    Decimal(),
    Money(),
    Percent(),
    Boolean(),
    Date(),
    DateTime(),
    Time(),
    Duration(),
    Email(),
    Phone(),
    Url(),
    ChoiceType(),
    Tags(),
    Link(),
    Links(),
    Table(),
    User(),
    File(),
    Image(),
    Address(),
    Country(),
    ColorType(),
    Json(),
    SequenceType(),
    SlugType(),
    Uuid(),
)

CAPABILITIES = (History(), Transfer(), WorkflowCapability(), Trash())

LANGUAGE = Language(
    types={one.name: one for one in FIELD_TYPES},
    sections={one.name: one for one in CAPABILITIES},
    record=RECORD_FIELDS,
)
