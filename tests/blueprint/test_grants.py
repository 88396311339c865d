"""`access` and `profile`: what is granted, and what is wrong with them at its place."""

from __future__ import annotations

import pytest

from tests.blueprint.writing import business, told

APP = """
name: Shop
profile: employee
roles:
  clerk: {can: [change]}
  chief: {can: [view, add, change, delete]}
"""
EMPLOYEE = """
fields:
  account: user
  office: text
"""
LEAD = """
fields:
  name: {type: text, required: true}
  office: text
  owner: user
  home: address
  calls: {type: table, of: call}
access:
  clerk:
"""
CALL = "fields: {said: text}"


def grants(text):
    found = business(app=APP, employee=EMPLOYEE, call=CALL, lead=LEAD + text)
    return found.entities["lead"].grants["clerk"]


def wrong(text):
    return told(app=APP, employee=EMPLOYEE, call=CALL, lead=LEAD + text)


def test_what_is_named_is_granted_and_nothing_else():
    found = grants(
        "    {view: {rows: office == user.office, except: [home, calls]}, add: true, delete: {rows: owner == user}}"
    )
    assert set(found) == {"view", "add", "delete"}
    assert found["view"].rows.source == "office == user.office"
    assert found["view"].fields == {"name", "office", "owner"}
    assert found["add"].rows is None and found["add"].fields is None
    assert found["delete"].rows.source == "owner == user"


def test_only_names_the_fields_with_all_parts_of_an_address():
    found = grants("    {view: {only: [name, home]}}")
    assert found["view"].covers("home_city") and found["view"].covers("home") and not found["view"].covers("owner")


def test_who_may_change_may_see_the_same():
    found = grants("    {change: {rows: owner == user}}")
    assert found["view"] is found["change"]
    other = business(app=APP, employee=EMPLOYEE, call=CALL, lead=LEAD.replace("access:\n  clerk:\n", ""))
    assert set(other.entities["lead"].grants["clerk"]) == {"view", "change"}
    assert set(other.entities["lead"].grants["chief"]) == {"view", "add", "change", "delete"}


def test_a_role_with_nothing_may_do_nothing():
    assert grants("    {}") == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("    {view: {rows: ofice == '1'}}", "lead.yaml:9:19: 'Lead' has no field 'ofice' (Did you mean 'office'?)"),
        ("    {view: {rows: owner}}", "lead.yaml:9:19: a condition must be yes or no, this is a user (Compare it with something: 'owner == user'.)"),
        ("    {view: {rows: user.ofice == office}}", "lead.yaml:9:24: 'Employee' has no field 'ofice' (Did you mean 'office'?)"),
        ("    {view: {rows: count(calls) > 1}}", "lead.yaml:9:19: a rule for rows cannot read lists: it is asked for every record (Keep the sum or count in a computed field, and read that.)"),
        ("    {view: {except: [hom]}}", "lead.yaml:9:22: there is no field 'hom' (Did you mean 'home'?)"),
        ("    {view: {only: [name], except: [home]}}", "lead.yaml:9:27: say 'only' or 'except', not both"),
        ("    {view: 5}", "lead.yaml:9:12: 'view' takes true or false, not 5"),
        ("    {view: {row: a}}", "lead.yaml:9:13: unknown key 'row' (Did you mean 'rows'?)"),
        ("    {delete: {only: [name]}}", "lead.yaml:9:15: unknown key 'only'"),
        ("    {add: {except: [name]}}", "lead.yaml:9:6: 'clerk' could add nothing: 'name' is required, and not among its fields"),
        ("    {view: false, change: true}", "lead.yaml:9:19: 'clerk' may not change what it may not see (Grant 'view', or leave it out.)"),
        ("    {view: true}\n  clark: {view: true}", "lead.yaml:10:3: there is no role 'clark' (Did you mean 'clerk'?)"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(text, problem):
    found = wrong(text)
    assert len(found) == 1 and found[0].startswith(problem), found


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        ("employe", "app.yaml:2:10: there is no entity 'employe' (Did you mean 'employee'?)"),
        ("call", "app.yaml:2:10: 'call' does not say which user a record tells of: it has no user field"),
    ],
)
def test_a_profile_tells_of_a_user(profile, problem):
    found = told(app=APP.replace("profile: employee", f"profile: {profile}"), employee=EMPLOYEE, call=CALL)
    assert found[0].startswith(problem), found


def test_without_a_profile_a_user_has_no_fields():
    found = told(
        app=APP.replace("profile: employee\n", ""),
        employee=EMPLOYEE,
        call=CALL,
        lead=LEAD + "    {view: {rows: user.office == office}}",
    )
    assert found == ["lead.yaml:9:19: a user has no fields here (Name the entity that tells of users: 'profile:'.)"]
