"""The table of inputs: what a field type's kind of input is in Unfold's forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from django import forms
from django.apps import apps
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from unfold import widgets

from crm.blueprint.bounds import is_key
from crm.blueprint.nodes import Field
from crm.builders.cells import GIVEN_LATER
from crm.fields.comparison import bounded_key, fold_text
from crm.fields.limits import check_storable, limits_of
from crm.fields.notation import POINT, date_input_formats, form_notation
from crm.fields.reading import Reading

Made = dict[str, Any]
PICKER_STYLES = {"screen": ["admin/css/vendor/select2/select2.css", "admin/css/autocomplete.css"]}
PICKER_SCRIPTS = [
    "admin/js/vendor/jquery/jquery.min.js",
    "admin/js/vendor/select2/select2.full.js",
    "admin/js/jquery.init.js",
    "unfold/js/select2.init.js",
]


def _plain(widget: type[forms.Widget]) -> Callable[..., Made]:
    def make(field: Field, **_: Any) -> Made:
        return {"widget": widget(attrs=_attrs(field))}

    return make


def _attrs(field: Field) -> dict[str, str]:
    options = field.type.input_options(field)
    return {key: str(value) for key, value in options.items() if key in NUMBER_KEYS and value is not None}


NUMBER_KEYS = ("min", "max", "step", "prefix", "suffix")


def _number(field: Field, **_: Any) -> Made:
    attrs = _attrs(field)
    if {"prefix", "suffix"} & set(attrs):
        widget: forms.Widget = AffixedInput(attrs={"inputmode": "decimal", "class": "crm-affixed"}, affixes=attrs)
    elif form_notation(field.business).decimal == POINT:
        widget = widgets.UnfoldAdminIntegerFieldWidget(attrs=attrs)
    else:  # a browser's own number input follows its settings, and knows no groups
        low, _high = limits_of(field)
        mode = "decimal" if field.type.places(field) else "text" if low is None or low < 0 else "numeric"
        widget = widgets.UnfoldAdminTextInputWidget({"inputmode": mode})
    return {"form_class": _parsed_by(field), "widget": widget}


class AffixedInput(widgets.UnfoldAdminTextInputWidget):
    """A number with a currency sign before it or a percent sign behind."""

    template_name = "crm/affixed.html"

    def __init__(self, attrs: dict[str, str], affixes: dict[str, str]):
        super().__init__(attrs=attrs)
        self.affixes = affixes

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["template_name"] = "django/forms/widgets/text.html"
        context["widget"].update({"type": "text", **self.affixes})
        return context


class LongSelect(widgets.UnfoldAdminSelect2Widget):
    """A select of many choices: they are written at once, not by a template each, which took 30 ms a select."""

    template_name = "crm/select.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = forms.Widget.get_context(self, name, value, attrs)
        chosen = set(context["widget"]["value"])
        tags = _option_tags(tuple(("" if key is None else str(key), str(label)) for key, label in self.choices))
        marked = (f"{head}{' selected' if key in chosen else ''}{tail}" for key, head, tail in tags)
        context["widget"]["options"] = mark_safe("\n".join(marked))
        return context


@lru_cache(maxsize=256)
def _option_tags(choices: tuple[tuple[str, str], ...]) -> list[tuple[str, str, str]]:
    """Return each key, and its tag before and behind the place of `selected`: rows of a form have the same choices."""
    return [(key, format_html('<option value="{}"', key), format_html(">{}</option>", label)) for key, label in choices]


def _select(field: Field, **_: Any) -> Made:
    choices = field.type.input_options(field)["choices"]
    widget = LongSelect if len(choices) > 12 else widgets.UnfoldAdminSelectWidget
    return {"widget": widget(), "choices_form_class": forms.TypedChoiceField}


def _country(field: Field, **_: Any) -> Made:
    return {"widget": LongSelect()}


def _date(field: Field, **_: Any) -> Made:
    widget = widgets.UnfoldAdminSingleDateWidget(attrs=_day_hint(field))
    return {"widget": widget, "error_messages": _day_errors(field)}


def _day_hint(field: Field) -> dict[str, str]:
    """Return what an empty input of a day shows: the order of day, month and year."""
    form = date_input_formats(field.business)[0]
    return {"placeholder": form.replace("%d", "dd").replace("%m", "mm").replace("%Y", "yyyy")}


def _day_errors(field: Field) -> dict[str, str]:
    example = date(2027, 12, 31).strftime(date_input_formats(field.business)[0])
    return {"invalid": _("Enter a date that there is, such as %(example)s.") % {"example": example}}


def _moment(field: Field, **_: Any) -> Made:
    widget = widgets.UnfoldAdminSplitDateTimeWidget()
    for part, name in zip(widget.widgets, ("date", "time"), strict=True):
        part.attrs["aria-label"] = f"{field.label}: {name}"
    widget.widgets[0].attrs |= _day_hint(field)
    return {"form_class": forms.SplitDateTimeField, "widget": widget}


def _color(field: Field, **_: Any) -> Made:
    return {"widget": widgets.UnfoldAdminColorInputWidget(attrs={"type": "color"})}


UNUSED = ("max_length", "encoder", "decoder", "region", "max_digits", "decimal_places", "min_value", "max_value")
"""What model fields tell their inputs, and the types check themselves."""


class ParsedField(forms.CharField):
    """A text input whose value the field's own type reads and writes: durations, JSON, phones, amounts."""

    def __init__(self, *, field: Field, **more: Any):
        for unused in UNUSED:
            more.pop(unused, None)
        super().__init__(**more)
        self.field = field

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        return self.field.type.written(value, self.field, form_notation(self.field.business))

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text in self.empty_values:
            return self.field.type.empty(self.field)
        try:
            reading = Reading(numbers=form_notation(self.field.business))
            return self.field.type.parse(text, self.field, reading)
        except ValueError as error:
            raise _validation_error(error) from None

    def run_validators(self, value: Any) -> None:
        """Let the type validate the value; a form that keeps what was typed has read it by then."""
        if value in self.empty_values:
            return
        try:
            self.field.type.validate(value, self.field)
        except ValueError as error:
            raise _validation_error(error) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return not self.field.type.equals(initial, self.to_python(data))
        except ValidationError:
            return True


def _validation_error(error: ValueError) -> ValidationError:
    return ValidationError(str(error)[:1].upper() + str(error)[1:])


def _textarea(field: Field, **_: Any) -> Made:
    return {"widget": widgets.UnfoldAdminTextareaWidget(attrs={"rows": "4"})}


def _parsed(widget: type[forms.Widget], **attrs: str) -> Callable[..., Made]:
    def make(field: Field, **_: Any) -> Made:
        made = widget(attrs={**_attrs(field), **attrs})
        return {"form_class": _parsed_by(field), "widget": made}

    return make


def _parsed_by(field: Field) -> type[ParsedField]:
    return type("Parsed", (_Bound,), {"bound": field})


class _Bound(ParsedField):
    bound: Field

    def __init__(self, **more: Any):
        super().__init__(field=self.bound, **more)


class WholeKeys:
    """Refuses what can be no primary key before the database is asked."""

    def _check_values(self, value: Any) -> Any:
        wrong = next((one for one in value if not is_key(one)), None)
        if wrong is not None:
            code = "invalid_choice"
            raise ValidationError(self.error_messages[code], code=code, params={"value": wrong})  # type: ignore[attr-defined]
        return super()._check_values(value)  # type: ignore[misc]


class RecordsField(WholeKeys, forms.ModelMultipleChoiceField):
    """Several records, by their primary keys."""


class KnownTitles:
    """An autocomplete that asks the database for the chosen records' titles only where nobody has told it."""

    known: dict[str, str] = {}

    def optgroups(self, name: str, value: list[str], attr: Any = None) -> list:
        value = [one for one in value if not str(one) or is_key(one)]
        chosen = {str(one) for one in value if str(one)}
        if chosen and chosen <= set(self.known):
            options = [
                self.create_option(name, key, self.known[key], True, index)  # type: ignore[attr-defined]
                for index, key in enumerate(sorted(chosen))
            ]
            blank = [] if self.is_required or self.allow_multiple_selected else [("", "")]  # type: ignore[attr-defined]
            empty = [self.create_option(name, key, text, False, 0) for key, text in blank]  # type: ignore[attr-defined]
            return [(None, [*empty, *options], 0)]
        return super().optgroups(name, value, attr)  # type: ignore[misc]


class RecordSelect(KnownTitles, AutocompleteSelect):
    """Picks one record by typing a part of its title."""


class RecordSelectMultiple(KnownTitles, AutocompleteSelectMultiple):
    """Picks several records by typing a part of their titles."""


def _record(field: Field, db_field: Any, admin: Any, **_: Any) -> Made:
    return {"widget": RecordSelect(db_field, admin.admin_site)}


def _records(field: Field, db_field: Any, admin: Any, **_: Any) -> Made:
    return {"widget": RecordSelectMultiple(db_field, admin.admin_site), "form_class": RecordsField}


def _person(field: Field, db_field: Any, **_: Any) -> Made:
    people = db_field.remote_field.model._default_manager.filter(is_staff=True).order_by("first_name", "username")
    return {"widget": LongSelect(), "queryset": people}


class TagsField(forms.ModelMultipleChoiceField):
    """Tags by name; a name that is not there yet becomes a new tag, unless the field names its only ones."""

    def __init__(self, *, scope: str, only: list[str] | None, **more: Any):
        tags = apps.get_model("crm", "Tag")
        self.scope, self.only = scope, only
        super().__init__(tags._default_manager.filter(scope=scope), to_field_name="name", **more)

    def clean(self, value: Any) -> Any:
        names = {fold_text(name): name for name in (str(one).strip() for one in reversed(value or [])) if name}
        for name in names.values():
            check_storable(name)
        tags = self.queryset.model._default_manager
        keys = {bounded_key(key): name for key, name in names.items()}
        known = dict(tags.filter(scope=self.scope, key__in=list(keys)).values_list("key", "name"))
        allowed = {bounded_key(fold_text(name)): name for name in self.only or ()}
        new = {key: allowed.get(key, name) for key, name in keys.items() if key not in known}
        wrong = sorted(set(new.values()) - set(allowed.values())) if self.only else []
        wrong = wrong or [name for name in new.values() if len(name) > 60]
        if wrong:
            unknown = _("“%(tag)s” is none of the tags.") % {"tag": wrong[0][:60]}
            raise ValidationError(unknown if self.only else _("A tag is too long."))
        tags.bulk_create([tags.model(scope=self.scope, name=name) for name in new.values()], ignore_conflicts=True)
        self.queryset = self.queryset.all()
        return super().clean(sorted(tags.filter(scope=self.scope, key__in=list(keys)).values_list("name", flat=True)))


def _tags(field: Field, **_: Any) -> Made:
    options = field.type.input_options(field)
    attrs = {} if options["choices"] else {"data-tags": "true"}
    widget = TagsWidget(attrs=attrs)
    made = TagsField(
        scope=options["scope"],
        only=options["choices"],
        required=False,
        widget=widget,
        label=field.label,
    )
    if options["choices"]:
        widget.choices = [(name, name) for name in options["choices"]]
    return {"formfield": made}


class TagsWidget(widgets.UnfoldAdminSelect2MultipleWidget):
    """A list of tags that can be typed into; crm.js lets new ones be made."""


def _given(field: Field, **_: Any) -> Made:
    attrs = {"placeholder": GIVEN_LATER}
    return {"widget": widgets.UnfoldAdminTextInputWidget(attrs=attrs), "required": False}


class TimeInput(widgets.UnfoldAdminSingleTimeWidget):
    """A time of day; whole minutes are shown without their seconds."""

    def __init__(self, attrs: dict[str, str] | None = None):
        super().__init__(attrs={**(attrs or {})})

    def format_value(self, value: Any) -> str | None:
        shown = super().format_value(value)
        return shown[:5] if shown and shown.endswith(":00") and len(shown) == 8 else shown


def _image(field: Field, **_: Any) -> Made:
    """Leave the look at the content to the type: Django's own field tries every decoder there is, and no limit."""
    return {"widget": widgets.UnfoldAdminImageFieldWidget(attrs={"accept": "image/*"}), "form_class": forms.FileField}


INPUTS: dict[str, Callable[..., Made]] = {
    "text": _plain(widgets.UnfoldAdminTextInputWidget),
    "textarea": _textarea,
    "number": _number,
    "switch": _plain(widgets.UnfoldBooleanSwitchWidget),
    "date": _date,
    "datetime": _moment,
    "time": _plain(TimeInput),
    "duration": _parsed(widgets.UnfoldAdminTextInputWidget),
    "email": _plain(widgets.UnfoldAdminEmailInputWidget),
    "phone": _parsed(widgets.UnfoldAdminTextInputWidget),
    "url": _plain(widgets.UnfoldAdminURLInputWidget),
    "select": _select,
    "country": _country,
    "color": _color,
    "json": _parsed(widgets.UnfoldAdminTextareaWidget, rows="3"),
    "file": _plain(widgets.UnfoldAdminFileFieldWidget),
    "image": _image,
    "given": _given,
    "slug": _given,
    "record": _record,
    "records": _records,
    "person": _person,
    "tags": _tags,
}


def make_input(field: Field, db_field: Any, admin: Any, request: HttpRequest) -> Made:
    """Return what `formfield()` needs to make the input of a field; `formfield` holds one that is made already."""
    return INPUTS[field.type.input](field=field, db_field=db_field, admin=admin, request=request)
