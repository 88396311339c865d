"""The tables: customers, trips, bookings, invoices with their lines, tasks; each with its history."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import FileExtensionValidator, MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.text import slugify
from django_countries.fields import CountryField
from phonenumber_field.modelfields import PhoneNumberField
from simple_history.models import HistoricalRecords


class User(AbstractUser):
    """Someone of the staff."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Tag(models.Model):
    name = models.CharField(max_length=60, unique=True)
    color = models.CharField(max_length=10, default="gray")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Counter(models.Model):
    """The last number given out, by prefix: `B-2026-`."""

    key = models.CharField(max_length=200, primary_key=True)
    value = models.BigIntegerField(default=0)

    @classmethod
    def take(cls, prefix: str) -> int:
        """Take the next number; call it in the transaction that saves the record."""
        counter, _ = cls.objects.select_for_update().get_or_create(key=prefix)
        counter.value += 1
        counter.save()
        return counter.value


class Stamped(models.Model):
    created = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    updated = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True


class Numbered(Stamped):
    """A record with a number such as B-2026-00001, given when it is first saved."""

    prefix = ""
    number = models.CharField(max_length=80, unique=True, null=True, blank=True)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            if not self.number:
                prefix = f"{self.prefix}-{timezone.localdate().year}-"
                self.number = f"{prefix}{Counter.take(prefix):05}"
            super().save(*args, **kwargs)


def amount(name: str, **options: Any) -> models.DecimalField:
    """Return a column of money, not below zero."""
    return models.DecimalField(name, max_digits=14, decimal_places=2, validators=[MinValueValidator(0)], **options)


def percentage(name: str, default: int) -> models.DecimalField:
    """Return a column of percent, from 0 to 100."""
    limits = [MinValueValidator(0), MaxValueValidator(100)]
    return models.DecimalField(
        name, max_digits=14, decimal_places=2, null=True, blank=True, default=default, validators=limits
    )


class Customer(Stamped):
    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        GROUP = "group", "Group"
        COMPANY = "company", "Company"

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=60, choices=Kind, default=Kind.PERSON, blank=True)
    email = models.EmailField(unique=True, null=True, blank=True)
    phone = PhoneNumberField(max_length=60, region="GB", blank=True, default="")
    birthday = models.DateField(null=True, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="+")
    address_street = models.CharField("street", max_length=200, blank=True, default="")
    address_city = models.CharField("city", max_length=100, blank=True, default="")
    address_region = models.CharField("region", max_length=100, blank=True, default="")
    address_postcode = models.CharField("postcode", max_length=20, blank=True, default="")
    address_country = CountryField("country", blank=True, default="")
    company_number = models.CharField(max_length=20, blank=True, default="")
    vat_number = models.CharField("VAT number", max_length=20, blank=True, default="")
    payment_terms = models.BigIntegerField(
        "payment terms (days)",
        null=True,
        blank=True,
        default=14,
        validators=[MinValueValidator(0), MaxValueValidator(120)],
    )
    credit_limit = amount("credit limit", null=True, blank=True, default=0)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="looked after by",
    )
    newsletter = models.BooleanField("wants the newsletter", default=False, blank=True)
    reference = models.UUIDField(unique=True, null=True, blank=True, default=uuid.uuid4)
    history = HistoricalRecords(m2m_fields=[tags])

    def __str__(self) -> str:
        return self.name


class Trip(Stamped):
    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        SELLING = "selling", "On sale"
        FULL = "full", "Full"
        DEPARTED = "departed", "Departed"
        CANCELLED = "cancelled", "Cancelled"

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=100, unique=True, null=True, blank=True)
    country = CountryField()
    status = models.CharField(max_length=60, choices=Status, default=Status.PLANNED, blank=True)
    start_date = models.DateField()
    end_date = models.DateField()
    capacity = models.BigIntegerField(
        "places", null=True, blank=True, default=24, validators=[MinValueValidator(1), MaxValueValidator(400)]
    )
    price = amount("price per person")
    deposit = percentage("deposit", 20)
    summary = models.TextField(blank=True, default="")
    cover = models.ImageField(upload_to="covers", max_length=255, blank=True, default="")
    brochure = models.FileField(
        upload_to="brochures", max_length=255, blank=True, default="", validators=[FileExtensionValidator(["pdf"])]
    )
    history = HistoricalRecords()

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.slug = self.slug or slugify(f"{self.name}-{self.code}")
        super().save(*args, **kwargs)


class Booking(Numbered):
    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        HELD = "held", "Held"
        CONFIRMED = "confirmed", "Confirmed"
        CANCELLED = "cancelled", "Cancelled"

    prefix = "B"
    customer = models.ForeignKey(Customer, models.PROTECT)
    trip = models.ForeignKey(Trip, models.PROTECT)
    status = models.CharField(max_length=60, choices=Status, default=Status.DRAFT, blank=True)
    booked_on = models.DateField(default=timezone.localdate)
    seats = models.BigIntegerField(
        "party size", null=True, blank=True, default=1, validators=[MinValueValidator(1), MaxValueValidator(40)]
    )
    unit_price = amount("price per person")
    discount = amount("discount", null=True, blank=True, default=0)
    discount_reason = models.CharField("discount reason", max_length=120, blank=True, default="")
    sold_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    wishes = models.TextField("special wishes", blank=True, default="")
    extras = models.JSONField(null=True, blank=True, help_text="What the website sent along")
    history = HistoricalRecords()

    def __str__(self) -> str:
        return f"{self.number} {self.customer.name}"


class Invoice(Numbered):
    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SENT = "sent", "Sent"
        PART_PAID = "part_paid", "Part paid"
        PAID = "paid", "Paid"
        VOID = "void", "Void"

    prefix = "INV"
    customer = models.ForeignKey(Customer, models.PROTECT)
    booking = models.ForeignKey(Booking, models.PROTECT, null=True, blank=True)
    status = models.CharField(max_length=60, choices=Status, default=Status.DRAFT, blank=True)
    issued_on = models.DateField(default=timezone.localdate)
    due_on = models.DateField()
    terms = models.TextField("payment terms", blank=True, default="")
    history = HistoricalRecords()

    def __str__(self) -> str:
        return f"{self.number} {self.customer.name}"


class InvoiceLine(Stamped):
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.BigIntegerField("no.", null=True, blank=True, default=1, validators=[MinValueValidator(1)])
    description = models.CharField(max_length=200)
    quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True, default=1)
    price = models.DecimalField(max_digits=14, decimal_places=2)
    tax = percentage("tax", 20)
    discount = percentage("discount", 0)
    history = HistoricalRecords()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.description


class Task(Stamped):
    class Status(models.TextChoices):
        OPEN = "open", "Open"
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"

    class Priority(models.TextChoices):
        LOW = "low", "Low"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High"

    name = models.CharField("what", max_length=160)
    status = models.CharField(max_length=60, choices=Status, default=Status.OPEN, blank=True)
    priority = models.CharField(max_length=60, choices=Priority, default=Priority.NORMAL, blank=True)
    due = models.DateField(null=True, blank=True)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True)
    booking = models.ForeignKey(Booking, models.CASCADE, null=True, blank=True)
    estimate = models.DurationField(null=True, blank=True)
    details = models.TextField(blank=True, default="")
    key = models.UUIDField(unique=True, null=True, blank=True, default=uuid.uuid4)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name
