"""The day that a page looks back to."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class DayForm(forms.Form):
    """Asks for the day whose end is looked at; of today, it is now."""

    on = forms.DateField(error_messages={"required": gettext_lazy("Choose a day.")})

    def clean_on(self) -> date:
        day = self.cleaned_data["on"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come."))
        if day.year < FIRST_YEAR:
            raise forms.ValidationError(_("Nothing was kept then."))
        return day

    @property
    def moment(self) -> datetime:
        end = timezone.make_aware(datetime.combine(self.cleaned_data["on"], LAST_TIME))
        return min(end, timezone.now())

    @property
    def words(self) -> str:
        return date_format(self.cleaned_data["on"], "j F Y")

    @property
    def query(self) -> str:
        return f"?on={self.cleaned_data['on'].isoformat()}"


FIRST_YEAR = 1900
LAST_TIME = time.max.replace(fold=1)
"""The last moment of a day, also of one whose last hour the clocks show twice (PEP 495)."""


def day_of(request: HttpRequest) -> DayForm:
    """Return the form with the day that a page was asked for; unbound where none was."""
    return DayForm(request.GET if "on" in request.GET else None)


def context_of(admin: Any, request: HttpRequest, form: DayForm, title: str) -> dict[str, Any]:
    """Return what the templates of both pages take."""
    return {
        **admin.admin_site.each_context(request),
        "title": title,
        "opts": admin.opts,
        "entity": admin.definition,
        "form": form,
        "day": form.data.get("on", ""),
        "today": timezone.localdate().isoformat(),
    }
