"""How records are written to and read from files: import-export's defaults, links by what people know them by.

The tuned resources do what the library's guide says of performance, as far as the history stays whole: links and
records are looked up at once, and no differences are worked out. Its `use_bulk` writes no history.
"""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from import_export import fields, resources
from import_export.instance_loaders import CachedInstanceLoader
from import_export.widgets import CachedForeignKeyWidget, ForeignKeyWidget, ManyToManyWidget

from agency.models import Booking, Customer, Invoice, InvoiceLine, Tag, Task, Trip


def link(name: str, model: type, key: str, widget: type = ForeignKeyWidget) -> fields.Field:
    """Return the field of a link that files write by a column of its target."""
    return fields.Field(attribute=name, column_name=name, widget=widget(model, key))


User = get_user_model()


class CustomerResource(resources.ModelResource):
    owner = link("owner", User, "username")
    tags = fields.Field(attribute="tags", column_name="tags", widget=ManyToManyWidget(Tag, "; ", "name"))

    class Meta:
        model = Customer
        import_id_fields = ("email",)
        exclude = ("id", "updated")


class TripResource(resources.ModelResource):
    class Meta:
        model = Trip
        import_id_fields = ("code",)
        exclude = ("id", "updated")


class BookingResource(resources.ModelResource):
    customer = link("customer", Customer, "email")
    trip = link("trip", Trip, "code")
    sold_by = link("sold_by", User, "username")

    class Meta:
        model = Booking
        import_id_fields = ("number",)
        exclude = ("id", "updated")


class InvoiceResource(resources.ModelResource):
    customer = link("customer", Customer, "email")
    booking = link("booking", Booking, "number")

    class Meta:
        model = Invoice
        import_id_fields = ("number",)
        exclude = ("id", "updated")


class InvoiceLineResource(resources.ModelResource):
    invoice = link("invoice", Invoice, "number")

    class Meta:
        model = InvoiceLine
        import_id_fields = ("invoice", "position")
        exclude = ("id", "updated")


class TaskResource(resources.ModelResource):
    assignee = link("assignee", User, "username")
    customer = link("customer", Customer, "email")
    booking = link("booking", Booking, "number")

    class Meta:
        model = Task
        import_id_fields = ("key",)
        exclude = ("id", "updated")


class TunedCustomerResource(CustomerResource):
    owner = link("owner", User, "username", CachedForeignKeyWidget)

    class Meta(CustomerResource.Meta):
        skip_diff = True
        instance_loader_class = CachedInstanceLoader

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().select_related("owner").prefetch_related("tags")


class TunedBookingResource(BookingResource):
    customer = link("customer", Customer, "email", CachedForeignKeyWidget)
    trip = link("trip", Trip, "code", CachedForeignKeyWidget)
    sold_by = link("sold_by", User, "username", CachedForeignKeyWidget)

    class Meta(BookingResource.Meta):
        skip_diff = True
        instance_loader_class = CachedInstanceLoader

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().select_related("customer", "trip", "sold_by")
