"""The same lists in Django's own admin: the least that a list page can cost."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import admin
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin

from agency import resources
from agency.models import Booking, Customer, Invoice, InvoiceLine, Tag, Task, Trip, User

site = admin.AdminSite()
site.register([Tag, User])


class RecordAdmin(SimpleHistoryAdmin, ImportExportModelAdmin):
    list_per_page = 50
    show_full_result_count = False


@admin.register(Customer, site=site)
class CustomerAdmin(RecordAdmin):
    resource_classes = [resources.CustomerResource]
    list_display = ("name", "kind", "email", "phone", "address_city", "owner", "created")
    list_filter = ("kind", "owner", "newsletter")
    search_fields = ("name", "email", "phone", "company_number")
    list_select_related = ("owner",)
    ordering = ("name",)


@admin.register(Trip, site=site)
class TripAdmin(RecordAdmin):
    resource_classes = [resources.TripResource]
    list_display = ("code", "name", "country", "start_date", "end_date", "capacity", "price", "status")
    list_filter = ("status", "start_date")
    search_fields = ("code", "name")
    ordering = ("-start_date",)


@admin.register(Booking, site=site)
class BookingAdmin(RecordAdmin):
    resource_classes = [resources.BookingResource]
    list_display = ("number", "customer", "trip_name", "trip_start", "seats", "shown_price", "status", "booked_on")
    list_filter = ("status", "booked_on", "sold_by")
    search_fields = ("number", "customer__name", "customer__email", "trip__code", "trip__name")
    list_select_related = ("customer", "trip")
    ordering = ("-booked_on", "-number")
    raw_id_fields = ("customer", "trip")

    @admin.display(description="Trip: name", ordering="trip__name")
    def trip_name(self, booking: Booking) -> str:
        return booking.trip.name

    @admin.display(description="Trip: start date", ordering="trip__start_date")
    def trip_start(self, booking: Booking) -> object:
        return booking.trip.start_date

    @admin.display(description="Price per person", ordering="unit_price")
    def shown_price(self, booking: Booking) -> str:
        return _money(booking.unit_price)


def _money(value: Decimal) -> str:
    return f"£{value:,.2f}"


class InvoiceLineInline(admin.TabularInline):
    model = InvoiceLine
    extra = 0


@admin.register(Invoice, site=site)
class InvoiceAdmin(RecordAdmin):
    resource_classes = [resources.InvoiceResource]
    list_display = ("number", "customer", "issued_on", "due_on", "status")
    list_filter = ("status", "issued_on", "due_on")
    search_fields = ("number", "customer__name", "booking__number")
    list_select_related = ("customer",)
    ordering = ("-issued_on", "-number")
    raw_id_fields = ("customer", "booking")
    inlines = (InvoiceLineInline,)


@admin.register(Task, site=site)
class TaskAdmin(RecordAdmin):
    resource_classes = [resources.TaskResource]
    list_display = ("name", "status", "priority", "due", "assignee", "customer")
    list_filter = ("status", "priority", "due")
    search_fields = ("name", "details", "customer__name")
    list_select_related = ("assignee", "customer")
    ordering = ("due",)
    raw_id_fields = ("customer", "booking")
