"""What the database is, against the files: the shipped business has no difference, and each kind of one is told."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState

from crm.blueprint.compiler import read_folder
from crm.models import Release
from crm.release.applying import give_up_left_over
from crm.release.differences import Altered, LeftOver, OtherDefinitions, UnknownMigration
from crm.release.errors import NotApplied
from crm.release.plan import ReleasePlan, make_plan
from crm.release.plan_text import plan_text
from crm.release.releases import Task, last_release, note_release, strike_off
from crm.release.repeated import Contradiction, without_repeats
from crm.release.roles import sync_roles
from crm.release.snapshot import snapshot_in_force
from crm.wiring import LANGUAGE

HERE = settings.BUSINESS_LOCATION


def plan_here() -> ReleasePlan:
    return make_plan(read_folder(HERE.folder, LANGUAGE), HERE)


def note(pending: tuple[str, ...] = ()) -> None:
    """Note a release of the definitions in force, with the groups of its roles."""
    sync_roles(apps.get_app_config(HERE.label).business)
    note_release(HERE.label, pending, hash=snapshot_in_force(HERE).hash)


@pytest.mark.django_db
def test_the_shipped_business_has_no_step_and_no_difference_after_its_migrations():
    plan = plan_here()
    assert [type(one) for one in plan.differences] == [OtherDefinitions]
    assert "apply has not noted a release in this database yet." in plan_text(plan)
    note()
    plan = plan_here()
    assert (plan.operations, plan.differences, plan.edits) == ([], [], [])


@pytest.mark.django_db
def test_a_column_an_index_and_a_migration_of_another_branch_are_left_over():
    note()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE travel_trip ADD COLUMN stars integer NOT NULL DEFAULT 3")
        cursor.execute("ALTER TABLE travel_historicaltrip ADD COLUMN stars integer")
        cursor.execute("CREATE UNIQUE INDEX by_hand ON travel_trip (created, updated)")
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('travel', '0099_release_abc123', '2026-01-01')"
        )
    differences = plan_here().differences
    assert [type(one) for one in differences] == [UnknownMigration, LeftOver, LeftOver]
    text = plan_text(plan_here())
    assert text.startswith("travel: the definitions are in force, but the database differs from its files\n")
    assert "? The migration 0099_release_abc123 was run in this database, and its file is not here." in text
    assert "? The column trip.stars is left over, with 0 values: no file here makes it." in text
    assert "? created + updated of trip must be unique in the database, and no file here asks for that." in text
    assert text.count("apply --drop-left-over archives") == 1


@pytest.mark.django_db
def test_a_release_says_what_is_left_until_all_is_struck_off():
    note((Task.RECOMPUTE, Task.COUNT_RULES.note("trip.rules.0")))
    first = last_release(HERE.label)
    assert first.pending == (Task.RECOMPUTE, Task.COUNT_RULES.note("trip.rules.0"))
    note((Task.RELOAD, Task.WRITE_SNAPSHOT))
    release = last_release(HERE.label)
    assert release.pending == (Task.WRITE_SNAPSHOT, Task.COUNT_RULES.note("trip.rules.0"), Task.RELOAD), (
        "tasks have an order; rules are taken over"
    )
    assert Release.objects.get(pk=first.pk).pending == []
    plan = plan_here()
    assert not plan.is_empty and plan.is_only_unfinished
    assert "Still to do: write applied.json; count the records that break new rules; tell the web server" in plan_text(
        plan
    )
    for task in release.pending:
        strike_off(release, task)
    assert plan_here().is_empty and last_release(HERE.label).pending == ()


@pytest.mark.django_db
def test_the_check_warns_of_what_can_be_told_without_reading_tables(capsys):
    call_command("check", databases=["default"])
    assert "apply has not noted a release in this database yet." in capsys.readouterr().err
    note((Task.RECOMPUTE,))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('travel', '0099_release_abc123', '2026-01-01')"
        )
    call_command("check", databases=["default"])
    said = capsys.readouterr().err
    assert "was not finished. Still to do: work out the computed values." in said and "0099_release_abc123" in said


# What two branches have both added


def state_with(**fields: models.Field) -> ProjectState:
    state = ProjectState()
    unique = models.UniqueConstraint(fields=["name"], name="once")
    columns = [("id", models.BigAutoField(primary_key=True)), *fields.items()]
    state.add_model(ModelState("shop", "Customer", columns, options={"constraints": [unique]}))
    return state


NICK = models.CharField(max_length=30, db_default="", default="")


def add(name: str, field: models.Field) -> migrations.AddField:
    return migrations.AddField("Customer", name, field)


def left_of(*operations: migrations.AddField, **fields: models.Field) -> list:
    return without_repeats(list(operations), state_with(name=models.TextField(), **fields), "shop")


def test_a_field_that_is_there_is_not_added_again_by_whatever_way_it_comes_to_be():
    phone = add("phone", models.TextField())
    assert left_of(add("nick", NICK), phone, nick=NICK) == [phone]
    started = models.CharField(max_length=30, default="none")
    backfilled = (add("nick", started), migrations.AlterField("Customer", "nick", NICK))
    assert left_of(*backfilled, nick=NICK) == []
    assert left_of(*backfilled) == list(backfilled)


def test_a_field_that_both_add_differently_is_a_contradiction():
    with pytest.raises(Contradiction, match="customer.nick is added by both, as different columns"):
        left_of(add("nick", NICK), nick=models.IntegerField())


def test_a_model_that_is_there_gets_what_it_does_not_have():
    fields = [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField()), ("nick", NICK)]
    twice = models.UniqueConstraint(fields=["nick"], name="another")
    (added, constraint) = left_of(migrations.CreateModel("Customer", fields, {"constraints": [twice]}))
    assert (added.name, constraint.constraint) == ("nick", twice)


def test_what_a_migration_itself_takes_away_before_is_added():
    once = models.UniqueConstraint(fields=["name"], name="once")
    constraint = migrations.AddConstraint("Customer", once)
    assert left_of(constraint) == []
    again = [migrations.RemoveConstraint("Customer", "once"), constraint]
    assert left_of(*again) == again
    field = [migrations.RemoveField("Customer", "name"), add("name", models.IntegerField())]
    assert left_of(*field) == field


def test_what_is_left_over_is_not_dropped_while_a_column_is_another_one():
    """Dropping would not undo that, and whoever asks for it wants the whole of the other branch gone."""
    plan = ReleasePlan(None, None, "", [], differences=[Altered("trip.name is text.", "Mend it."), LeftOver("x", "y")])
    with pytest.raises(NotApplied, match="Columns were changed, too.*\n.*trip.name is text"):
        give_up_left_over(plan, [], lambda text: None)


@pytest.mark.django_db
def test_roles_are_given_no_permission_of_another_app_and_leave_groups_made_by_hand_alone():
    """An entity called `group` has a permission `change_group`, and so has the office: that is not the role's."""
    business = apps.get_app_config(HERE.label).business
    office = ContentType.objects.get(app_label="auth", model="group")
    stranger = Permission.objects.create(content_type=office, codename="view_customer", name="Another's")
    by_hand = Group.objects.create(name=f"{HERE.label}lers")
    gone = Group.objects.create(name=f"{HERE.label}.gone")
    sync_roles(business)
    assert Group.objects.filter(permissions__codename="view_customer").exists()
    assert not Group.objects.filter(permissions=stranger).exists()
    assert Group.objects.filter(pk=by_hand.pk).exists() and not Group.objects.filter(pk=gone.pk).exists()


@pytest.mark.django_db
def test_a_role_that_was_renamed_leaves_the_group_of_a_new_role_of_its_former_name_alone(monkeypatch):
    """A `was:` may stay for good, and another role take the name that became free."""
    business = apps.get_app_config(HERE.label).business
    sync_roles(business)
    former = Group.objects.get(name=f"{HERE.label}.manager")
    monkeypatch.setitem(business.app.roles, "guide", business.roles["guide"].model_copy(update={"was": "manager"}))
    sync_roles(business)
    former.refresh_from_db()
    assert former.name == f"{HERE.label}.manager"
