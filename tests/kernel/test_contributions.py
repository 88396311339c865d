"""Plans: what models and pages consist of, as text that is the same everywhere; clashes name both origins.

With GOLDEN=renew the texts are written anew; read what git says of them before committing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crm.builders.admin import admin_contributions
from crm.builders.models import model_contributions
from crm.capabilities.history.capability import History
from crm.kernel import actions
from crm.kernel.capability import Button, Capability, Page
from crm.kernel.contributions import ConflictError, Contributions, Kind
from crm.wiring import CAPABILITIES
from tests.support.records import business, entity

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ENTITIES = sorted(business().entities)


@pytest.mark.parametrize("name", ["customer", "booking"])
def test_plans_are_as_they_were(name):
    text = f"{model_contributions(entity(name), CAPABILITIES)}\n\n{admin_contributions(entity(name), CAPABILITIES)}\n"
    path = GOLDEN / f"plan_{name}.txt"
    if os.environ.get("GOLDEN") == "renew":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "GOLDEN=renew writes it anew"


@pytest.mark.parametrize("name", ENTITIES)
def test_every_addition_has_an_origin_and_no_address_in_memory(name):
    for contributions in (
        model_contributions(entity(name), CAPABILITIES),
        admin_contributions(entity(name), CAPABILITIES),
    ):
        assert list(contributions)
        for one in contributions:
            assert str(one.origin)
            assert " at 0x" not in str(one), one


@pytest.mark.parametrize("name", ENTITIES)
def test_a_field_is_the_cause_of_its_column(name):
    contributions = model_contributions(entity(name), CAPABILITIES)
    stored = [leaf for leaf in entity(name).leaves if leaf.stored]
    assert stored
    for leaf in stored:
        assert leaf.name in {one.name for one in contributions.about(leaf.name) if one.kind == "column"}


def test_a_clash_within_a_plan_names_both_origins():
    contributions = Contributions("admin travel.Customer")
    contributions.add(Kind.PAGE, "call", 1, "calls")
    contributions.add(Kind.LIST_BUTTON, "call", 2, "phones")
    with pytest.raises(ConflictError) as clash:
        contributions.add(Kind.PAGE, "call", 3, "phones")
    assert str(clash.value) == "admin travel.Customer: two additions of page 'call': by calls and by phones"


class Diary(Capability):
    """A stranger that wants the address that history has."""

    name = "diary"
    summary = "Keeps a diary."

    def contribute_to_model(self, entity, contributions):
        if entity.name == "customer":
            contributions.add(Kind.COLUMN, "email", None, self.name)

    def contribute_to_admin(self, entity, contributions):
        contributions.add(Kind.PAGE, "diary", Page("<path:object_id>/diary/", lambda *_: None), self.name)
        contributions.add(Kind.RECORD_BUTTON, "history", Button("Diary", "book", "diary"), self.name)


def test_a_clash_of_two_capabilities_names_both():
    with pytest.raises(ConflictError, match=r"two additions of record button 'history': by history and by diary"):
        admin_contributions(entity("customer"), [History(), Diary()])


def test_a_clash_of_a_capability_and_a_file_names_the_line():
    with pytest.raises(ConflictError, match=r"column 'email': by travel/customer\.yaml:\d+:\d+ and by diary"):
        model_contributions(entity("customer"), [Diary()])


def test_two_actions_of_one_name_are_refused_by_both_names(monkeypatch):
    monkeypatch.setattr(actions, "_actions", {})
    actions.register("send", print, "messages")
    actions.register("send", print, "messages")
    with pytest.raises(ConflictError, match="two actions are called 'send': of messages and of phones"):
        actions.register("send", print, "phones")


def test_an_action_is_run_by_its_name_and_an_unknown_one_lists_what_there_is(monkeypatch):
    monkeypatch.setattr(actions, "_actions", {})
    actions.register("double", lambda number: 2 * number, "test")
    assert actions.run("double", number=4) == 8
    with pytest.raises(LookupError, match="no capability has the action 'tripple'; known: double"):
        actions.run("tripple", number=4)
