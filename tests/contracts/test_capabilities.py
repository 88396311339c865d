"""Every capability through its contract. A new capability is tested by standing in the list of the wiring."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from crm.blueprint.compiler import compile_business
from crm.blueprint.names import NAME
from crm.blueprint.reader import Document
from crm.builders.admin import admin_contributions
from crm.builders.models import model_contributions
from crm.kernel import actions
from crm.kernel.capability import BulkAction, Button, Capability, Page, Panel
from crm.kernel.contributions import ConflictError, Contributions, Kind
from crm.records.access import VERBS
from crm.wiring import CAPABILITIES, FIELD_TYPES, LANGUAGE

FOLDERS = Path(inspect.getfile(Capability)).parents[1] / "capabilities"
KINDS = {"page": Page, "list button": Button, "record button": Button, "bulk action": BulkAction}


def each(kinds=CAPABILITIES):
    return pytest.mark.parametrize("capability", kinds, ids=lambda one: one.name)


ASKED = {
    "workflow": {"field": "my_choice", "actions": {"send": {"from": ["draft"], "to": "sent"}}},
    "trash": {"restore_for": "30d"},
}
"""The sections without which a capability adds nothing."""


def sample_entity(**sections: Any) -> Any:
    """Return an entity with a field of every type, and nothing said of any capability but what is given."""
    fields = {f"my_{kind.name}": {"type": kind.name, **kind.example_options} for kind in FIELD_TYPES}
    fields["my_choice"]["default"] = "draft"
    files = {
        "app.yaml": {"name": "Sample"},
        "other.yaml": {"fields": {"name": "text"}},
        "thing.yaml": {"fields": fields, **sections},
    }
    documents = {name: Document(f"sample/{name}", data) for name, data in files.items()}
    return compile_business("sample", documents, LANGUAGE).entities["thing"]


@each()
def test_a_capability_introduces_itself(capability):
    assert NAME.match(capability.name)
    assert capability.summary.endswith(".") and "\n" not in capability.summary
    assert Path(inspect.getfile(type(capability))).parent == FOLDERS / capability.name


def test_no_two_capabilities_share_a_name_a_panel_or_an_action():
    for names in (
        [one.name for one in CAPABILITIES],
        [word for one in CAPABILITIES for word in one.panels],
        [name for one in CAPABILITIES for name in one.actions],
    ):
        assert len(names) == len(set(names))


@each()
def test_an_unknown_key_of_the_section_is_refused(capability):
    with pytest.raises(ValidationError, match="extra_forbidden"):
        capability.Section.model_validate({"colour_of_the_sky": "blue"})


@each()
def test_the_section_can_be_left_out_and_every_key_is_described(capability):
    assert capability.Section() is not None
    bare = [name for name, info in capability.Section.model_fields.items() if not info.description]
    assert not bare, f"the reference has nothing to say of {bare}"


@each()
def test_what_it_adds_can_be_printed_and_says_where_it_comes_from(capability):
    printed, added = [], 0
    for _ in range(2):
        entity = sample_entity(**ASKED)
        for contributions, add in (
            (Contributions("model"), capability.contribute_to_model),
            (Contributions("admin"), capability.contribute_to_admin),
        ):
            add(entity, contributions)
            printed.append(str(contributions))
            added += len(list(contributions))
            for one in contributions:
                assert one.origin == capability.name or str(one.origin).startswith("sample/thing.yaml")
                assert isinstance(one.value, KINDS.get(one.kind, object))
                assert " at 0x" not in str(one), "a plan is the same on every machine"
    assert printed[:2] == printed[2:] and added


@each()
def test_every_page_and_button_asks_for_a_verb_that_there_is(capability):
    contributions = Contributions("admin")
    capability.contribute_to_admin(sample_entity(**ASKED), contributions)
    pages = contributions.by_kind(Kind.PAGE)
    assert pages
    for one in contributions:
        if isinstance(one.value, Page | Button | BulkAction | Panel):
            assert one.value.verb in VERBS
        if isinstance(one.value, Button):
            assert one.value.page in pages
            assert one.value.verb == pages[one.value.page].verb, "a button is shown to whoever may open its page"
    assert set(contributions.by_kind(Kind.PANEL)) <= set(capability.panels), "a tab may name every panel that there is"


@each([one for one in CAPABILITIES if one.actions])
def test_an_action_is_known_by_its_name(capability):
    for name in capability.actions:
        with pytest.raises(ConflictError, match=f"(?s){capability.name}.*somebody else"):
            actions.register(name, print, "somebody else")


@each()
def test_followers_are_old_and_new_names_of_classes(capability):
    names = capability.models_renamed_with(sample_entity(), "gadget")
    assert names or capability.name != "history", "its versions follow"
    assert all(old != new and old[:1].isupper() and new[:1].isupper() for old, new in names.items())


@each()
def test_a_capability_imports_no_other(capability):
    others = {f"crm.capabilities.{one.name}" for one in CAPABILITIES} - {f"crm.capabilities.{capability.name}"}
    files = list((FOLDERS / capability.name).rglob("*.py"))
    assert files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = {node.module} if isinstance(node, ast.ImportFrom) else set()
            named |= {one.name for one in node.names} if isinstance(node, ast.Import) else set()
            assert not any(str(name).startswith(tuple(others)) for name in named), f"{path.name}:{node.lineno}"


# Plans


class Greedy(Capability):
    """Wants what the engine and another capability have already."""

    name = "greedy"
    summary = "A capability that wants another's place."

    def __init__(self, kind: str, wanted: str):
        self.kind, self.wanted = kind, wanted

    def contribute_to_model(self, entity: Any, contributions: Contributions) -> None:
        if self.kind == "column":
            contributions.add(Kind.COLUMN, self.wanted, None, self.name)

    def contribute_to_admin(self, entity: Any, contributions: Contributions) -> None:
        if self.kind != "column":
            contributions.add(self.kind, self.wanted, None, self.name)


def test_a_clash_with_a_definition_names_the_file_and_the_capability():
    with pytest.raises(ConflictError, match=r"column 'my_text': by sample/thing\.yaml.* and by greedy"):
        model_contributions(sample_entity(), [Greedy("column", "my_text")])


@pytest.mark.parametrize(("kind", "wanted", "owner"), [("page", "import", "transfer"), ("page", "history", "history")])
def test_a_clash_of_two_capabilities_names_both(kind, wanted, owner):
    for order in ([*CAPABILITIES, Greedy(kind, wanted)], [Greedy(kind, wanted), *CAPABILITIES]):
        with pytest.raises(ConflictError, match=f"{kind} '{wanted}'") as caught:
            admin_contributions(sample_entity(), order)
        assert owner in str(caught.value) and "greedy" in str(caught.value)


def test_the_plans_of_an_entity_with_every_type_are_the_same_each_time():
    printed = [
        str(make(sample_entity(), CAPABILITIES))
        for make in (model_contributions, admin_contributions)
        for _ in range(2)
    ]
    assert printed[0] == printed[1] and printed[2] == printed[3]
    assert not any(" at 0x" in text for text in printed)
