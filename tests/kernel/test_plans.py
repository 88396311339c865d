"""Plans: what models and pages consist of, as text that is the same everywhere; clashes name both origins.

With GOLDEN=renew the texts are written anew; read what git says of them before committing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crm.builders.admin import plan_admin
from crm.builders.models import plan_model
from crm.capabilities.history.capability import History
from crm.kernel import actions
from crm.kernel.capability import Button, Capability, Page
from crm.kernel.plans import Clash, Plan
from crm.wiring import CAPABILITIES
from tests.support.records import business, entity

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ENTITIES = sorted(business().entities)


@pytest.mark.parametrize("name", ["customer", "booking"])
def test_plans_are_as_they_were(name):
    text = f"{plan_model(entity(name), CAPABILITIES)}\n\n{plan_admin(entity(name), CAPABILITIES)}\n"
    path = GOLDEN / f"plan_{name}.txt"
    if os.environ.get("GOLDEN") == "renew":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "GOLDEN=renew writes it anew"


@pytest.mark.parametrize("name", ENTITIES)
def test_every_addition_has_an_origin_and_no_address_in_memory(name):
    for plan in (plan_model(entity(name), CAPABILITIES), plan_admin(entity(name), CAPABILITIES)):
        for one in plan:
            assert str(one.origin)
            assert " at 0x" not in str(one), one


@pytest.mark.parametrize("name", ENTITIES)
def test_a_field_is_the_cause_of_its_column(name):
    plan = plan_model(entity(name), CAPABILITIES)
    for leaf in entity(name).leaves:
        if leaf.stored:
            assert leaf.name in {one.name for one in plan.about(leaf.name) if one.kind == "column"}


def test_a_clash_within_a_plan_names_both_origins():
    plan = Plan("admin travel.Customer")
    plan.add("page", "call", 1, "calls")
    plan.add("button", "call", 2, "phones")
    with pytest.raises(Clash) as clash:
        plan.add("page", "call", 3, "phones")
    assert str(clash.value) == "admin travel.Customer: two additions of page 'call': by calls and by phones"


class Diary(Capability):
    """A stranger that wants the address that history has."""

    name = "diary"
    summary = "Keeps a diary."

    def plan_model(self, entity, plan):
        if entity.name == "customer":
            plan.add("column", "email", None, self.name)

    def plan_admin(self, entity, plan):
        plan.add("page", "diary", Page("<path:object_id>/diary/", lambda *_: None), self.name)
        plan.add("record button", "history", Button("Diary", "book", "diary"), self.name)


def test_a_clash_of_two_capabilities_names_both():
    with pytest.raises(Clash, match=r"two additions of record button 'history': by history and by diary"):
        plan_admin(entity("customer"), [History(), Diary()])


def test_a_clash_of_a_capability_and_a_file_names_the_line():
    with pytest.raises(Clash, match=r"column 'email': by travel/customer\.yaml:\d+:\d+ and by diary"):
        plan_model(entity("customer"), [Diary()])


def test_two_actions_of_one_name_are_refused_by_both_names(monkeypatch):
    monkeypatch.setattr(actions, "_actions", {})
    actions.register("send", print, "messages")
    actions.register("send", print, "messages")
    with pytest.raises(Clash, match="two actions are called 'send': of messages and of phones"):
        actions.register("send", print, "phones")


def test_an_action_is_run_by_its_name_and_an_unknown_one_lists_what_there_is(monkeypatch):
    monkeypatch.setattr(actions, "_actions", {})
    actions.register("double", lambda number: 2 * number, "test")
    assert actions.run("double", number=4) == 8
    with pytest.raises(LookupError, match="no capability has the action 'tripple'; known: double"):
        actions.run("tripple", number=4)
