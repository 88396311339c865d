"""The contract of a field type: all of its faces together."""

from __future__ import annotations

from crm.fields.faces.comparison import ComparisonFace
from crm.fields.faces.definition import DefinitionFace
from crm.fields.faces.display import DisplayFace
from crm.fields.faces.exchange import ExchangeFace
from crm.fields.faces.expressions import ExpressionFace
from crm.fields.faces.form import FormFace
from crm.fields.faces.listing import ListFace
from crm.fields.faces.storage import StorageFace


class FieldType(
    DefinitionFace,
    StorageFace,
    DisplayFace,
    ListFace,
    ExchangeFace,
    ComparisonFace,
    ExpressionFace,
    FormFace,
):
    """One kind of field. Override what differs, in one class; see `docs/how-it-works.md` for a walk through."""
