"""A choice or a role that goes: whoever has it is counted, and follows where something takes its place."""

from __future__ import annotations

from tests.release.shop import Shop

PERSON = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
user = get_user_model().objects.create(username="bo", is_staff=True)
user.groups.set(Group.objects.filter(name="shop.clerk"))
"""
GROUPS = "SELECT name FROM auth_group ORDER BY name"
ROLES_OF_BO = (
    "SELECT auth_group.name FROM auth_group JOIN crm_user_groups ON auth_group.id = crm_user_groups.group_id "
    "JOIN crm_user ON crm_user.id = crm_user_groups.user_id WHERE username = 'bo'"
)


def test_a_choice_that_records_have_is_not_taken_from_them(shop: Shop):
    shop.edit("purchase", ("{open: Open, done: Done}, default: open", "{done: Done}"))
    told = shop.plan()
    assert "x take the choice 'open' from purchase.state — refused  (shop/purchase.yaml:5:3)" in told
    assert "2 records have it. Give them another choice first, or name the one that takes its place" in told
    assert "take the choice 'open'" in shop.refused("--allow-data-loss")
    shop.execute("UPDATE shop_purchase SET state = 'done'")
    shop.apply()


def test_a_choice_that_nobody_has_goes_quietly(shop: Shop):
    shop.edit("purchase", ("open: Open, done: Done", "open: Open"))
    assert "Plan: no change of the database." in shop.plan()
    shop.apply()


def test_a_choice_that_takes_the_place_of_another_gets_its_records_and_their_history(shop: Shop):
    shop.edit(
        "purchase",
        (
            "{open: Open, done: Done}, default: open",
            "{waiting: {label: Waiting, was: open}, done: Done}, default: waiting",
        ),
    )
    assert "~ exchange choices of purchase.state: 'waiting' for 'open' — converts" in shop.plan()
    shop.apply()
    assert shop.values("purchase", "state") == [("waiting",)] * 2
    assert {one for (one,) in shop.values("historicalpurchase", "state", order="history_id")} == {"waiting"}
    shop.run("check")


def test_a_place_is_taken_once_and_of_what_is_gone(shop: Shop):
    shop.edit("purchase", ("done: Done", "done: {was: open}, other: {was: old}, third: {was: old}"))
    told = shop.run("plan", expect=1).stderr.decode()
    assert "'open' is still a choice: nothing takes its place" in told
    assert told.count("more than one choice takes the place of 'old'") == 2


def test_a_field_and_its_choice_are_renamed_together(shop: Shop):
    shop.edit(
        "purchase",
        (
            "  state: {type: choice, choices: {open: Open,",
            "  stage: {type: choice, was: state, choices: {new: {was: open},",
        ),
        ("default: open", "default: new"),
    )
    shop.apply()
    assert shop.values("purchase", "stage") == [("new",)] * 2


def test_what_still_has_the_former_name_is_named(shop: Shop):
    shop.write("job", "was: helper\nfields: {name: {type: text, required: true}}")
    shop.edit("customer", ("  city: text\n", "  city: text\n  town: {type: text, was: city}\n"))
    told = shop.plan()
    assert "shop/helper.yaml is still there: delete it, or leave 'was' out." in told
    assert "customer.city is still there, too: remove it, or leave 'was' out." in told
    assert "refused" in shop.refused()


def test_a_role_that_people_have_is_not_taken_from_them_unseen(shop: Shop):
    shop.shell(PERSON)
    shop.edit("app", ("clerk: {can: [view, add]}", "boss: {can: [view]}"))
    assert "! take the role clerk from 1 account — loses data" in shop.plan()
    shop.refused()
    shop.edit("app", ("boss: {can", "boss: {was: clerk, can"))
    assert "+ rename the role clerk to boss, with 1 account — safe" in shop.plan()
    shop.apply()
    assert shop.rows(ROLES_OF_BO) == [("shop.boss",)]
    shop.edit("app", ("boss: {was: clerk, can: [view]}", "other: {can: [view]}"))
    shop.apply("--allow-data-loss")
    assert shop.rows(GROUPS) == [("shop.other",)] and shop.rows(ROLES_OF_BO) == []


def test_groups_that_are_not_as_they_should_be_are_brought_in_line(shop: Shop):
    """As in a second database of the same folder: the definitions are in force, its groups are of before."""
    shop.execute("DELETE FROM auth_group_permissions")
    shop.execute("INSERT INTO auth_group (name) VALUES ('shop.gone')")
    told = shop.plan()
    assert "+ bring the groups of these roles in line with the definitions: clerk, gone — safe" in told
    shop.apply()
    assert shop.rows(GROUPS) == [("shop.clerk",)]
    assert shop.rows("SELECT count(*) FROM auth_group_permissions")[0][0] > 0


def test_what_lies_in_the_trash_breaks_no_rule(shop: Shop):
    shop.edit("customer", ("title: ", "trash: {restore_for: 30d}\ntitle: "))
    shop.apply()
    shop.shell('from django.apps import apps\napps.get_model("shop", "customer").objects.create(name="Zed").delete()')
    shop.edit("customer", ("title: ", "rules: [{check: name != 'Zed', message: No Zed}]\ntitle: "))
    assert "+ all 3 customers meet the rule" in shop.plan()
