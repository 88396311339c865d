"""The admin of a record: one class, the same for every entity; what differs comes from its contributions."""

from __future__ import annotations

from django.contrib.admin import ShowFacets
from django.forms import Media
from unfold.admin import ModelAdmin

from crm.blueprint.layout import Tab
from crm.builders.delete_page import DeletePage
from crm.builders.form_page import FormPage
from crm.builders.inputs import PICKER_SCRIPTS, PICKER_STYLES
from crm.builders.list_page import ListPage
from crm.builders.mixins import Access, ShownFields, TypedFormFields
from crm.builders.page_urls import PageUrls
from crm.kernel.contributions import Contributions


class RecordAdmin(ListPage, FormPage, DeletePage, PageUrls, TypedFormFields, ShownFields, Access, ModelAdmin):
    """The admin of one entity: its list, its forms, the deletion of its records, and its other pages."""

    contributions: Contributions
    tabs: list[Tab]
    filterset_class: type
    column_paths: list[str]
    change_form_template = "crm/change_form.html"
    delete_confirmation_template = "crm/delete.html"
    delete_selected_confirmation_template = "crm/delete_selected.html"
    list_filter_submit = True
    list_filter_sheet = True
    show_full_result_count = False
    warn_unsaved_form = True
    compressed_fields = False
    save_as = False
    list_fullwidth = True
    list_max_show_all = 200
    show_facets = ShowFacets.NEVER

    @property
    def media(self) -> Media:
        """Return the scripts of the pickers too, which the list's filters need as well as the forms."""
        return super().media + Media(css=PICKER_STYLES, js=PICKER_SCRIPTS)
