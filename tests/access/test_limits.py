"""Rows and fields within limits: what is there, what is not, and that nothing is lost by those who do not see it all."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.capabilities.transfer.runs import import_file
from crm.records import access
from crm.records.access import as_viewer, group_name
from crm.release.roles import sync_roles
from tests.support.granting import grant
from tests.support.pages import address, form_data, rows_of, save, text_of
from tests.support.people import client_of, person
from tests.support.records import business, entity, make, model

pytestmark = pytest.mark.django_db
ALL = {"view": True, "add": True, "change": True, "delete": True, "import": True, "export": True}
OWN = {"view": {"rows": "owner == user"}, "add": True, "change": True, "delete": True, "import": True, "export": True}


@pytest.fixture
def seller(monkeypatch):
    grant(monkeypatch, "sales", customer=OWN, booking=ALL, passenger=ALL, invoice=ALL)
    return person("sales")


def test_a_record_of_others_is_not_there(seller):
    mine, theirs = make("customer", owner=seller), make("customer", name="Ben")
    client = client_of(seller)
    assert [one.pk for one in rows_of(client.get(address("customer")))] == [mine.pk]
    for page in ("change", "delete", "history"):
        assert client.get(address("customer", page, mine.pk)).status_code == 200
        assert client.get(address("customer", page, theirs.pk)).status_code == 404
    for key in (theirs.pk, theirs.pk + 1000):
        assert "There is no customer at this address" in text_of(client.get(address("customer", "change", key)))


def test_a_link_to_a_hidden_record_is_named_so_and_stays(seller):
    theirs = make("customer", name="Ben Secret")
    booking = make("booking", customer=theirs)
    client = client_of(seller)
    page = client.get(address("booking", "change", booking.pk))
    assert "Hidden customer" in text_of(page) and "Secret" not in text_of(page)
    assert save(client, "booking", booking, wishes="A window").status_code == 302
    booking.refresh_from_db()
    assert (booking.customer, booking.wishes) == (theirs, "A window")


def test_nothing_can_be_linked_to_a_hidden_record(seller):
    mine, theirs = make("customer", owner=seller), make("customer", name="Ben")
    booking = make("booking", customer=mine)
    answer = save(client_of(seller), "booking", booking, customer=theirs.pk)
    assert answer.status_code == 200 and "not one of the available choices" in text_of(answer)


def test_rows_of_a_hidden_parent_are_hidden(monkeypatch, seller):
    grant(monkeypatch, "sales", booking={"view": {"rows": "sold_by == user"}})
    mine, theirs = make("booking", sold_by=seller), make("booking")
    shown, hidden = make("passenger", booking=mine), make("passenger", booking=theirs)
    assert [one.pk for one in access.visible_rows(seller, model("passenger"))] == [shown.pk]
    assert access.can_access_record(seller, shown) and not access.can_access_record(seller, hidden)
    grant(monkeypatch, "sales", booking={"view": {"except": ["passengers"]}})
    seller = person("sales")
    assert not access.visible_rows(seller, model("passenger")).exists()


def test_a_change_stays_within_the_rows_that_may_be_changed(monkeypatch):
    grant(
        monkeypatch,
        "sales",
        customer={"view": True, "add": {"rows": "owner == user"}, "change": {"rows": "owner == user"}},
    )
    seller = person("sales")
    mine, theirs = make("customer", name="Ada", owner=seller), make("customer", name="Ben")
    client = client_of(seller)
    answer = save(client, "customer", mine, owner="")
    assert "it is not one of the customers that are yours to change" in text_of(answer)
    assert not form_data(client.get(address("customer", "change", theirs.pk)), "customer_form").get("name")
    answer = save(client, "customer", None, name="New", kind="person")
    assert "it is not one of the customers that are yours to add" in text_of(answer)
    client.post(
        address("customer"),
        {"action": "edit", "_selected_action": [mine.pk, theirs.pk], "crm_field": "name", "crm_save": "1", "name": "X"},
    )
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.name, theirs.name) == ("X", "Ben")


def test_hidden_fields_are_not_there_and_closed_ones_are_shown(monkeypatch):
    grant(monkeypatch, "sales", customer={"view": {"except": ["email"]}, "change": {"only": ["name"]}})
    customer = make("customer", name="Ada", email="ada@example.com", phone="+442079460018")
    client = client_of("sales")
    page = client.get(address("customer", "change", customer.pk))
    assert "ada@example.com" not in text_of(page) and "+44 20 7946 0018" in text_of(page)
    answer = client.post(
        address("customer", "change", customer.pk),
        {**form_data(page, "customer_form"), "name": "Eve", "email": "x@example.com", "phone": "1"},
    )
    assert answer.status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.email, customer.phone) == ("Eve", "ada@example.com", "+442079460018")


def test_an_import_writes_within_the_limits_alone(monkeypatch, seller):
    make("customer", email="a@example.com", owner=seller)
    make("customer", email="b@example.com", name="Ben")
    client = client_of(seller)
    file = SimpleUploadedFile("c.csv", b"email,name\na@example.com,Ada\nb@example.com,Eve\n")
    text = text_of(client.post(address("customer", "import"), {"file": file}, follow=True))
    assert "names a record that is not yours to change" in text and "Ben" not in text
    grant(monkeypatch, "sales", customer={**OWN, "change": {"except": ["phone"]}})
    file = SimpleUploadedFile("c.csv", b"email,phone\na@example.com,+442079460018\n")
    text = text_of(client_of(seller).post(address("customer", "import"), {"file": file}, follow=True))
    assert "is not yours to change" in text


@pytest.mark.parametrize("is_there", [True, False])
def test_an_import_tells_nothing_of_hidden_records_that_its_links_name(monkeypatch, seller, is_there):
    """By their key or their `#id`, there or in the trash: they are told of as what was never there."""
    grant(monkeypatch, "sales", note=ALL)
    hidden = [make("customer", email=email) for email in ("hidden@example.com", None)]
    mine = make("customer", owner=seller)
    for customer in hidden if not is_there else ():
        customer.delete()
    names = ["hidden@example.com", *(f"#{customer.pk}" for customer in hidden), f"#{mine.pk + 1000}"]
    file = "\n".join(["key,customer,subject,body", *(f",{name},Once,x" for name in [*names, f"#{mine.pk}"])]).encode()

    def told(user):
        _, plan = import_file(entity("note"), "n.csv", file, user, dry_run=True)
        return [text for _row, _column, text in plan.errors]

    assert told(seller) == [f"there is no customer '{name}'." for name in names]
    if is_there:
        assert told(None) == [f"there is no customer '{names[-1]}'."], "whoever sees them all may name them"


def test_an_export_comes_back_unchanged_though_links_are_hidden(seller):
    make("booking", customer=make("customer", email="b@example.com"), full=True)
    client = client_of(seller)
    data = client.get(f"{address('booking', 'export')}?format=csv").content
    assert b"b@example.com" not in data
    page = client.post(address("booking", "import"), {"file": SimpleUploadedFile("b.csv", data)}, follow=True)
    assert page.context["run"].unchanged == 1, page.context["preview"]


def test_roles_add_up_but_a_field_is_seen_of_all_records_or_of_none(monkeypatch):
    grant(monkeypatch, "sales", customer={"view": {"except": ["email"]}})
    grant(monkeypatch, "guide", customer={"view": {"rows": "owner == user", "except": ["phone"]}})
    user = person("sales")
    sync_roles(business())
    user.groups.add(Group.objects.get(name=group_name(business(), "guide")))
    make("customer")
    assert access.visible_rows(user, model("customer")).count() == 1
    seen = {name: access.can_view_field(user, entity("customer").fields[name]) for name in ("name", "email", "phone")}
    assert seen == {"name": True, "email": False, "phone": True}


def test_a_permission_given_by_hand_knows_no_limits(monkeypatch, seller):
    make("customer")
    group = Group.objects.create(name="auditors")
    group.permissions.add(Permission.objects.get(codename="view_customer"))
    assert not access.visible_rows(seller, model("customer")).exists()
    seller.groups.add(group)
    seller = type(seller).objects.get(pk=seller.pk)
    assert access.visible_rows(seller, model("customer")).count() == 1


def test_who_has_no_profile_has_nothing_of_it(monkeypatch):
    one = entity("guide")
    monkeypatch.setattr(type(business()), "profile", property(lambda self: one))
    account = entity("customer").fields["owner"]
    monkeypatch.setitem(one.fields, "account", account)
    grant(monkeypatch, "sales", trip={"view": {"rows": "summary == user.phone"}})
    make("trip", summary="")
    monkeypatch.setattr("crm.expressions.evaluate.profile_of", lambda user, entity: None)
    assert not access.visible_rows(person("sales"), model("trip")).exists()


def test_titles_and_messages_are_for_the_eyes_of_whoever_looks(seller):
    theirs = make("customer", name="Ben")
    assert str(theirs) == "Ben"
    with as_viewer(seller):
        assert str(theirs) == "Hidden customer"
    with as_viewer(person(is_superuser=True)):
        assert str(theirs) == "Ben"


@pytest.mark.parametrize("page", ["list", "form"])
def test_limits_cost_two_queries_at_most(monkeypatch, page):
    def count(user):
        customers = [make("customer", owner=user) for _ in range(3)]
        bookings = [make("booking", customer=one) for one in customers]
        url = address("booking") if page == "list" else address("booking", "change", bookings[0].pk)
        client = client_of(user)
        client.get(url)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    free = count(person(is_superuser=True)) + 2  # Django itself asks for permissions twice, of whoever is no superuser
    grant(
        monkeypatch,
        "sales",
        customer=OWN,
        booking={**ALL, "view": {"rows": "customer.owner == user", "except": ["wishes"]}},
        passenger=ALL,
    )
    assert count(person("sales")) <= free + 2


@pytest.mark.parametrize(("cell", "left"), [("", ["hidden"]), ("new@example.com", ["hidden", "new"])])
def test_an_import_keeps_the_links_that_its_writer_does_not_see(monkeypatch, cell, left):
    """The file could not name them, so it does not take them away."""
    grant(monkeypatch, "sales", trip=ALL, guide={"view": {"rows": "name != 'hidden'"}})
    hidden, seen, _new = (make("guide", name=name, email=f"{name}@example.com") for name in ("hidden", "seen", "new"))
    trip = make("trip", code="T1", guides=[hidden, seen])
    client = client_of("sales")
    file = SimpleUploadedFile("t.csv", f"code,guides\nT1,{cell}\n".encode())
    page = client.post(address("trip", "import"), {"file": file}, follow=True)
    client.post(page.redirect_chain[-1][0], {"import": "1"})
    assert sorted(guide.name for guide in trip.guides.all()) == left


def test_the_imports_of_others_are_for_those_who_see_everything(seller):
    """A preview and its errors hold all values of the file, whoever may see the records."""
    file = b"email,name\nben@example.com,Ben Secret\n"
    runs = {}
    for who, user in (("manager", person("manager")), ("seller", seller)):
        sent = {"file": SimpleUploadedFile("c.csv", file)}
        runs[who] = client_of(user).post(address("customer", "import"), sent, follow=True).redirect_chain[-1][0]
    client, page = client_of(seller), address("customer", "import")
    assert client.get(runs["manager"]).status_code == 404 and client.get(runs["seller"]).status_code == 200
    assert runs["manager"] not in client.get(page).content.decode()
    assert client_of("manager").get(runs["seller"]).status_code == 200
