"""The same new unique value saved twice at once: one is saved, the other is told so in the words of the gate."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from crm.builders.record_admin import RecordAdmin
from crm.capabilities.transfer import importing
from crm.capabilities.transfer.importing import ImportRefused
from crm.capabilities.transfer.runs import import_file
from crm.records import record as records
from crm.records import uniqueness, writes
from crm.records.uniqueness import ValueTaken
from crm.records.writes import write_records
from tests.support.pages import address
from tests.support.people import client_of, person
from tests.support.records import entity, make, model
from tests.support.threads import in_threads

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a database with concurrent writers is needed: set DATABASE_URL to it"
)
EMAIL = "ann@example.com"
TAKEN = "Customer with this Email already exists."
FORM = {"name": "Ann", "kind": "person", "email": EMAIL, "payment_terms": "1", "credit_limit": "0", "_save": "1"}
FILE = f"email,name\nben@example.com,Ben\n{EMAIL},Ann\n".encode()


def meeting(write):
    """Return a function that writes once both are past the look of the gate."""
    looked = Barrier(2)

    def wait(*args, **options):
        with suppress(BrokenBarrierError):
            looked.wait(timeout=10)
        return write(*args, **options)

    return wait


def preceded(write, act):
    """Return a function that lets somebody else save first, and then writes."""

    def late(*args, **options):
        act()
        return write(*args, **options)

    return late


@contextmanager
def untranslated(monkeypatch):
    """Let the error of the database through, as it would be without the translation."""
    with monkeypatch.context() as patch:
        for module in (records, writes):
            patch.setattr(module, "taken_as_rule_error", lambda records=(): nullcontext())
        yield


def add(user):
    client = client_of(user)
    client.raise_request_exception = False
    response = client.post(address("customer", "add"), FORM)
    return response.status_code, response.content.decode()


def bring_in():
    try:
        import_file(entity("customer"), "c.csv", FILE)
    except ImportRefused as refused:
        return str(refused)
    return ""


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_forms_at_once_the_second_is_shown_again_with_the_message_beside_its_field(monkeypatch):
    user = person(is_superuser=True)
    monkeypatch.setattr(RecordAdmin, "save_model", meeting(RecordAdmin.save_model))
    answers = in_threads(2, lambda _: add(user))
    assert sorted(status for status, _ in answers) == [200, 302]
    page = next(text for status, text in answers if status == 200)
    assert page.count(TAKEN) == 1 and model("customer").objects.count() == 1


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_without_the_translation_the_second_form_is_an_error_of_the_server(monkeypatch):
    user = person(is_superuser=True)
    monkeypatch.setattr(RecordAdmin, "save_model", meeting(RecordAdmin.save_model))
    with untranslated(monkeypatch):
        assert sorted(status for status, _ in in_threads(2, lambda _: add(user))) == [302, 500]


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_imports_at_once_the_second_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(importing, "_write", meeting(importing._write))
    assert sorted(in_threads(2, lambda _: bring_in())) == ["", refusal("ben@example.com", 2)]
    assert model("customer").objects.count() == 2


def refusal(email, row):
    name = email.partition("@")[0].title()
    return f"row {row}, {name}: {TAKEN} Nothing was written."


@pytest.mark.django_db
def test_a_form_whose_value_is_taken_since_the_look_is_shown_again(client, monkeypatch):
    rival = lambda: make("customer", name="Other", email="Ann@Example.com")  # noqa: E731
    monkeypatch.setattr(RecordAdmin, "save_model", preceded(RecordAdmin.save_model, rival))
    status, page = add(person(is_superuser=True))
    assert status == 200 and page.count(TAKEN) == 1
    with untranslated(monkeypatch):
        assert add(person(is_superuser=True))[0] == 500, "the test above notices"


@pytest.mark.django_db
def test_an_import_whose_value_is_taken_since_the_look_names_the_row(monkeypatch):
    rival = lambda: make("customer", name="Other", email="Ann@Example.com")  # noqa: E731
    monkeypatch.setattr(importing, "_write", preceded(importing._write, rival))
    assert bring_in() == refusal(EMAIL, 3)
    model("customer").objects.all().delete_for_good()
    with untranslated(monkeypatch):
        assert bring_in().startswith("The database refused, and nothing was written: "), "the test above notices"


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["save", "bulk", "save_as"])
def test_code_past_the_gate_gets_a_refusal_that_is_an_error_of_the_database_too(monkeypatch, way):
    make("customer", name="Other", email=EMAIL)
    mine = [model("customer")(name="Ben", email="ben@example.com"), model("customer")(name="Ann", email=EMAIL)]
    monkeypatch.setattr("crm.records.gate.check_record", lambda *_, **__: None)
    with pytest.raises(ValueTaken) as taken, transaction.atomic():
        if way == "bulk":
            write_records(model("customer"), created=mine)
        else:
            mine[1].save_as(None) if way == "save_as" else mine[1].save()
    error = taken.value
    assert isinstance(error, IntegrityError) and isinstance(error, ValidationError)
    assert (error.record, error.field, error.messages) == (mine[1], "email", [TAKEN])


@pytest.mark.django_db
def test_other_errors_of_the_database_stay_what_they_are():
    customer = make("customer", name="Ann")
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        model("customer").objects.bulk_create([model("customer")(pk=customer.pk, name="Ben")])
    assert uniqueness.violated_group(refused.value) == (None, ())
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        write_records(model("customer"), created=[model("customer")(name=None)])
    assert not isinstance(refused.value, ValueTaken)
