"""The schema of the key `workflow:`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field as Key
from pydantic import StringConstraints

from crm.blueprint.sections import Formula, Icon, Name, Section, Text

State = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class ActionSection(Section):
    """An action: a way from states to another. It is a button on the record, and an action on ticked rows."""

    label: Text | None = Key(None, description="What the button reads; made from the name when left out.")
    icon: Icon = Key("arrow_forward", description="The icon of the button: a name of Google's Material Symbols.")
    sources: list[State] | None = Key(
        None, alias="from", min_length=1, description="The states that it starts from. Left out: all but `to`."
    )
    to: State = Key(description="The state that it leads to.")
    roles: list[Name] | None = Key(
        None, min_length=1, description="The roles that may do it. Left out: whoever may change the record."
    )
    condition: Formula | None = Key(
        None, alias="if", description="What must hold; `user` is whoever does it. Needs `else`."
    )
    otherwise: Text | None = Key(
        None, alias="else", description="What is said where `if` does not hold; `{path}` writes a field's value."
    )
    require: list[Name] = Key([], description="Fields that must be filled, or have rows or records, before it.")
    confirm: Text | None = Key(
        None, description="The question that is asked before; `{path}` writes a field's value. Left out: none."
    )
    comment: Literal["required", "optional"] | None = Key(
        None, description="Whether a comment is asked for, to be kept with the step. Left out: none."
    )
    sets: dict[Name, Formula] = Key(
        {}, alias="set", description="Fields, and what they become along with it: `{booked_on: today()}`."
    )
    then: list[Name | dict[Name, Any]] = Key(
        [], description="Named actions of capabilities that follow, in the same transaction: `{name: {key: value}}`."
    )


class WorkflowSection(Section):
    """`workflow`: how records go from state to state. Nothing but its actions changes the state then."""

    field: Name | None = Key(None, description="The choice field that holds the state; its default is the beginning.")
    actions: dict[Name, ActionSection] = Key({}, description="The ways from state to state, by name.")
