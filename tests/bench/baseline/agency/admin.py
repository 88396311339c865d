"""The admin in Unfold's theme, with history, import and export, as the three libraries' guides say."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectMultipleFilter,
    MultipleChoicesDropdownFilter,
    MultipleRelatedDropdownFilter,
    RangeDateFilter,
    RangeNumericFilter,
)
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from agency import resources
from agency.models import Booking, Customer, Invoice, InvoiceLine, Tag, Task, Trip, User

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_staff", "is_active", "last_login")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    list_display = ("name", "color")
    search_fields = ("name",)


class RecordAdmin(SimpleHistoryAdmin, ImportExportModelAdmin, ModelAdmin):
    """What all records have in common."""

    import_form_class = ImportForm
    export_form_class = ExportForm
    list_per_page = 50
    list_fullwidth = True
    list_filter_submit = True
    list_filter_sheet = True
    show_full_result_count = False
    warn_unsaved_form = True


def money(value: Decimal | None) -> str:
    """Return an amount as people read it."""
    return "" if value is None else f"£{value:,.2f}"


@admin.register(Customer)
class CustomerAdmin(RecordAdmin):
    resource_classes = [resources.CustomerResource]
    list_display = ("name", "shown_kind", "email", "phone", "address_city", "shown_tags", "owner", "created")
    list_filter = (
        ("kind", MultipleChoicesDropdownFilter),
        ("birthday", RangeDateFilter),
        ("tags", MultipleRelatedDropdownFilter),
        ("address_country", MultipleChoicesDropdownFilter),
        ("payment_terms", RangeNumericFilter),
        ("credit_limit", RangeNumericFilter),
        ("owner", MultipleRelatedDropdownFilter),
        "newsletter",
    )
    search_fields = ("name", "email", "phone", "company_number")
    list_select_related = ("owner",)
    ordering = ("name",)
    autocomplete_fields = ("tags", "owner")
    readonly_fields = ("reference",)
    fieldsets = (
        ("Who", {"fields": (("name", "kind"), ("email", "phone"), ("birthday", "newsletter"), "tags", "owner")}),
        (
            "Address",
            {
                "fields": (
                    "address_street",
                    ("address_city", "address_region"),
                    ("address_postcode", "address_country"),
                )
            },
        ),
        (
            "Business",
            {
                "classes": ("tab",),
                "fields": (("company_number", "vat_number"), ("payment_terms", "credit_limit"), "reference"),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("tags")

    @display(description="Kind", ordering="kind", label={"person": "info", "group": "primary", "company": "warning"})
    def shown_kind(self, customer: Customer) -> tuple[str, str]:
        return customer.kind, customer.get_kind_display()

    @display(description="Tags")
    def shown_tags(self, customer: Customer) -> str:
        return ", ".join(tag.name for tag in customer.tags.all())


@admin.register(Trip)
class TripAdmin(RecordAdmin):
    resource_classes = [resources.TripResource]
    list_display = ("code", "name", "country", "start_date", "end_date", "capacity", "shown_price", "shown_status")
    list_filter = (
        ("status", MultipleChoicesDropdownFilter),
        ("country", MultipleChoicesDropdownFilter),
        ("start_date", RangeDateFilter),
        ("price", RangeNumericFilter),
    )
    search_fields = ("code", "name")
    ordering = ("-start_date",)
    fieldsets = (
        (
            "Trip",
            {
                "fields": (
                    ("code", "name"),
                    ("country", "status"),
                    ("start_date", "end_date"),
                    ("capacity", "price", "deposit"),
                )
            },
        ),
        ("For the website", {"classes": ("tab",), "fields": ("slug", "summary", "cover", "brochure")}),
    )

    @display(description="Price per person", ordering="price")
    def shown_price(self, trip: Trip) -> str:
        return money(trip.price)

    @display(
        description="Status",
        ordering="status",
        label={"selling": "success", "full": "warning", "departed": "info", "cancelled": "danger"},
    )
    def shown_status(self, trip: Trip) -> tuple[str, str]:
        return trip.status, trip.get_status_display()


@admin.register(Booking)
class BookingAdmin(RecordAdmin):
    resource_classes = [resources.BookingResource]
    list_display = (
        "number",
        "customer",
        "trip_name",
        "trip_start",
        "seats",
        "shown_price",
        "shown_status",
        "booked_on",
    )
    list_filter = (
        ("status", MultipleChoicesDropdownFilter),
        ("trip", AutocompleteSelectMultipleFilter),
        ("customer", AutocompleteSelectMultipleFilter),
        ("booked_on", RangeDateFilter),
        ("seats", RangeNumericFilter),
        ("unit_price", RangeNumericFilter),
        ("sold_by", MultipleRelatedDropdownFilter),
    )
    search_fields = ("number", "customer__name", "customer__email", "trip__code", "trip__name")
    list_select_related = ("customer", "trip")
    ordering = ("-booked_on", "-number")
    autocomplete_fields = ("customer", "trip", "sold_by")
    readonly_fields = ("number",)
    fieldsets = (
        ("Booking", {"fields": (("number", "status"), ("customer", "trip"), ("booked_on", "sold_by"))}),
        ("Price", {"fields": (("seats", "unit_price", "discount"), "discount_reason")}),
        ("Wishes", {"fields": ("wishes", "extras")}),
    )

    @display(description="Trip: name", ordering="trip__name")
    def trip_name(self, booking: Booking) -> str:
        return booking.trip.name

    @display(description="Trip: start date", ordering="trip__start_date")
    def trip_start(self, booking: Booking) -> object:
        return booking.trip.start_date

    @display(description="Price per person", ordering="unit_price")
    def shown_price(self, booking: Booking) -> str:
        return money(booking.unit_price)

    @display(
        description="Status",
        ordering="status",
        label={"held": "warning", "confirmed": "success", "cancelled": "danger"},
    )
    def shown_status(self, booking: Booking) -> tuple[str, str]:
        return booking.status, booking.get_status_display()


class InvoiceLineInline(TabularInline):
    model = InvoiceLine
    fields = ("position", "description", "quantity", "price", "tax", "discount")
    ordering = ("position",)
    extra = 0
    tab = True


@admin.register(Invoice)
class InvoiceAdmin(RecordAdmin):
    resource_classes = [resources.InvoiceResource]
    list_display = ("number", "customer", "booking_number", "issued_on", "due_on", "shown_status")
    list_filter = (
        ("status", MultipleChoicesDropdownFilter),
        ("customer", AutocompleteSelectMultipleFilter),
        ("issued_on", RangeDateFilter),
        ("due_on", RangeDateFilter),
    )
    search_fields = ("number", "customer__name", "booking__number")
    list_select_related = ("customer", "booking")
    ordering = ("-issued_on", "-number")
    autocomplete_fields = ("customer", "booking")
    readonly_fields = ("number",)
    inlines = (InvoiceLineInline,)
    fieldsets = (
        (
            "Invoice",
            {"fields": (("number", "status"), ("customer", "booking"), ("issued_on", "due_on"))},
        ),
        ("Terms", {"classes": ("tab",), "fields": ("terms",)}),
    )

    @display(description="Booking: number", ordering="booking__number")
    def booking_number(self, invoice: Invoice) -> str:
        return invoice.booking.number if invoice.booking else ""

    @display(
        description="Status",
        ordering="status",
        label={"sent": "info", "part_paid": "warning", "paid": "success", "void": "danger"},
    )
    def shown_status(self, invoice: Invoice) -> tuple[str, str]:
        return invoice.status, invoice.get_status_display()


@admin.register(InvoiceLine)
class InvoiceLineAdmin(RecordAdmin):
    resource_classes = [resources.InvoiceLineResource]
    list_display = ("invoice", "position", "description", "quantity", "price", "tax", "discount")
    list_filter = (("invoice", AutocompleteSelectMultipleFilter), ("price", RangeNumericFilter))
    search_fields = ("description",)
    list_select_related = ("invoice__customer",)
    ordering = ("-id",)
    autocomplete_fields = ("invoice",)


@admin.register(Task)
class TaskAdmin(RecordAdmin):
    resource_classes = [resources.TaskResource]
    list_display = ("name", "shown_status", "shown_priority", "due", "assignee", "customer", "booking")
    list_filter = (
        ("status", MultipleChoicesDropdownFilter),
        ("priority", MultipleChoicesDropdownFilter),
        ("due", RangeDateFilter),
        ("assignee", MultipleRelatedDropdownFilter),
    )
    search_fields = ("name", "details", "customer__name")
    list_select_related = ("assignee", "customer", "booking__customer")
    ordering = ("due",)
    autocomplete_fields = ("assignee", "customer", "booking")
    readonly_fields = ("key",)

    @display(description="Status", ordering="status", label={"open": "info", "waiting": "warning", "done": "success"})
    def shown_status(self, task: Task) -> tuple[str, str]:
        return task.status, task.get_status_display()

    @display(description="Priority", ordering="priority", label={"high": "danger"})
    def shown_priority(self, task: Task) -> tuple[str, str]:
        return task.priority, task.get_priority_display()
