"""Compiles the section `workflow` of an entity: states and transitions, checked against fields and roles."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from crm.blueprint.expressions.computing import fits, misfit_hint
from crm.blueprint.expressions.parser import ExpressionError, kind_of, read_expression
from crm.blueprint.expressions.tree import BOOLEAN, NULL, RECORD, Expression, Literal
from crm.blueprint.language import Report
from crm.blueprint.names import a_field, humanize
from crm.blueprint.nodes import Entity, Field
from crm.blueprint.problems import did_you_mean
from crm.blueprint.text import Template, parse_template
from crm.capabilities.workflow.section import ActionSection, WorkflowSection
from crm.fields.reading import Reading

NAME = "workflow"


@dataclass(frozen=True, eq=False)
class Action:
    """A way from states to another; `roles` is None where whoever may change the record may do it."""

    name: str
    label: str
    icon: str
    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...] | None = None
    condition: Expression | None = None
    otherwise: Template | None = None
    require: tuple[Field, ...] = ()
    question: Template | None = None
    comment: str = ""
    sets: tuple[tuple[Field, Expression], ...] = ()
    then: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def is_asked(self) -> bool:
        """Whether there is something to be asked before."""
        return self.question is not None or bool(self.comment)

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.sources)} → {self.target})"


@dataclass(frozen=True, eq=False)
class Workflow:
    """The states of an entity's records, which `field` holds, and the actions by name."""

    field: Field
    actions: dict[str, Action] = field(default_factory=dict)

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(self.field.options.choices)

    @property
    def start(self) -> str:
        """The state that a new record begins in: the field's default, which the definitions may give by its label."""
        return self.field.type.default(self.field)

    def label(self, state: str) -> str:
        """Return what people call a state."""
        return self.field.type.display(state, self.field) if state else "nothing"


def workflow_of(entity: Entity) -> Workflow | None:
    """Return the workflow of an entity, or None."""
    return entity.read.get(NAME)


def read_workflow(entity: Entity, section: WorkflowSection, report: Report) -> None:
    """Read the workflow of an entity, guard its state, and report what is wrong."""
    state = _state_field(entity, section, report)
    if state is None:
        return
    entity.guarded.add(state.name)
    workflow = Workflow(state)
    entity.read[NAME] = workflow
    for name, raw in section.actions.items():
        action = _Reader(entity, state, name, report).read(raw)
        if action is not None:
            _check_labels(workflow, action, report)
            workflow.actions[name] = action


def _state_field(entity: Entity, section: WorkflowSection, report: Report) -> Field | None:
    if section.field is None:
        if section.actions:
            report("'field' is missing: which field holds the state?", key=True)
        return None
    state = entity.fields.get(section.field)
    if state is None:
        report(f"there is no field {section.field!r}", "field", hint=did_you_mean(section.field, entity.fields))
    elif not hasattr(state.options, "choices"):
        report(f"{a_field(state.type.name)} holds no state: it takes a field with choices", "field")
    elif getattr(state.options, "default", None) is None:
        message = f"{section.field!r} has no default, so a new record would have no state"
        report(message, "field", hint=f"Give it 'default: {next(iter(state.options.choices))}'.")
    else:
        return state
    return None


def _check_labels(workflow: Workflow, action: Action, report: Report) -> None:
    for other in workflow.actions.values():
        if other.label == action.label and set(other.sources) & set(action.sources):
            message = f"{action.name!r} and {other.name!r} would be two buttons {action.label!r} of one state"
            report(message, "actions", action.name, key=True, hint="Give one of them another 'label'.")


class _Reader:
    """Reads one action."""

    def __init__(self, entity: Entity, state: Field, name: str, report: Report):
        self.entity, self.state, self.name, self._report, self.trouble = entity, state, name, report, False

    def report(self, message: str, *path: Hashable, **more: Any) -> None:
        self.trouble = True
        self._report(message, "actions", self.name, *path, **more)

    def read(self, raw: ActionSection) -> Action | None:
        states = list(self.state.options.choices)
        self._check_states(raw, states)
        self._check_roles(raw)
        if (raw.condition is None) != (raw.otherwise is None):
            given, missing = ("if", "else") if raw.otherwise is None else ("else", "if")
            self.report(f"{given!r} has no place without {missing!r}", given, key=True)
        condition = self._condition(raw.condition) if raw.condition is not None else None
        action = Action(
            name=self.name,
            label=raw.label or humanize(self.name),
            icon=raw.icon,
            sources=tuple(one for one in states if one != raw.to) if raw.sources is None else tuple(raw.sources),
            target=raw.to,
            roles=None if raw.roles is None else tuple(raw.roles),
            condition=condition,
            otherwise=self._template(raw.otherwise, "else"),
            require=tuple(self._required(raw)),
            question=self._template(raw.confirm, "confirm"),
            comment=raw.comment or "",
            sets=tuple(self._sets(raw)),
            then=tuple(self._then(raw)),
        )
        return None if self.trouble else action

    def _check_states(self, raw: ActionSection, states: list[str]) -> None:
        named = [(raw.to, ("to",)), *((one, ("from", index)) for index, one in enumerate(raw.sources or ()))]
        for state, path in named:
            if state not in states:
                self.report(f"{self.state.name!r} has no state {state!r}", *path, hint=did_you_mean(state, states))
        for index, state in enumerate(raw.sources or ()):
            if state == raw.to:
                self.report(f"it leads from {state!r} to {state!r} itself", "from", index)
            elif state in (raw.sources or ())[:index]:
                self.report(f"{state!r} stands here twice", "from", index)

    def _check_roles(self, raw: ActionSection) -> None:
        known = self.entity.business.roles
        for index, role in enumerate(raw.roles or ()):
            if role not in known:
                self.report(f"app.yaml has no role {role!r}", "roles", index, hint=did_you_mean(role, known))

    def _expression(self, source: str, *path: Hashable) -> Expression | None:
        try:
            return read_expression(source, self.entity, with_user=True)
        except ExpressionError as error:
            self.report(error.message, *path, hint=error.hint, within=(source, error.offset))
            return None

    def _condition(self, source: str) -> Expression | None:
        condition = self._expression(source, "if")
        if condition is not None and condition.kind.name != BOOLEAN:
            hint = "Compare it with something: '> 0', '!= null'."
            self.report(f"a condition must be yes or no, this is {condition.kind}", "if", hint=hint)
        return condition

    def _template(self, source: str | None, *path: Hashable) -> Template | None:
        if source is None:
            return None
        try:
            template = parse_template(source)
            for slot in template.slots:
                self.entity.follow(".".join(slot.path))
        except ValueError as error:
            self.report(str(error), *path)
            return None
        except KeyError as error:
            hint = did_you_mean(error.args[0], self.entity.fields)
            self.report(f"there is no field {error.args[0]!r}", *path, hint=hint)
            return None
        return template

    def _required(self, raw: ActionSection) -> Iterator[Field]:
        for index, name in enumerate(raw.require):
            required = self.entity.find(name)
            if required is None:
                hint = did_you_mean(name, self.entity.fields)
                self.report(f"there is no field {name!r}", "require", index, hint=hint)
            else:
                yield required

    def _sets(self, raw: ActionSection) -> Iterator[tuple[Field, Expression]]:
        for name, source in raw.sets.items():
            leaf = self._settable(name)
            expression = self._expression(source, "set", name)
            if leaf is not None and expression is not None and self._check_value(leaf, expression):
                yield leaf, expression

    def _settable(self, name: str) -> Field | None:
        leaf, path = self.entity.find(name), ("set", name)
        if leaf is None:
            self.report(f"there is no field {name!r}", *path, key=True, hint=did_you_mean(name, self.entity.fields))
        elif leaf is self.state:
            self.report(f"{name!r} is the state itself: say it with 'to'", *path, key=True)
        elif leaf.computed is not None:
            self.report(f"{name!r} is computed: it cannot be set", *path, key=True)
        elif leaf.record or leaf.type.sets_on_save:
            self.report(f"{name!r} gets its value by itself: it cannot be set", *path, key=True)
        elif leaf.parts or leaf.type.many or kind_of(leaf) is None:
            self.report(f"{a_field(leaf.type.name)} has no single value that could be set", *path, key=True)
        else:
            return leaf
        return None

    def _check_value(self, leaf: Field, expression: Expression) -> bool:
        wanted, path = kind_of(leaf), ("set", leaf.name)
        if expression.kind.name == NULL and not getattr(leaf.options, "required", False):
            return True
        same_record = expression.kind.name != RECORD or expression.kind.entity == wanted.entity
        if not fits(expression.kind, wanted) or not same_record:
            message = f"the expression gives {expression.kind}, {a_field(leaf.type.name)} holds {wanted}"
            self.report(message, *path, hint=misfit_hint(expression.kind, wanted))
            return False
        if isinstance(expression.root, Literal) and isinstance(expression.root.value, str):
            try:
                leaf.type.validate(leaf.type.parse(expression.root.value, leaf, Reading()), leaf)
            except ValueError as error:
                self.report(str(error), *path)
                return False
        return True

    def _then(self, raw: ActionSection) -> Iterator[tuple[str, dict[str, Any]]]:
        known = self.entity.business.language.actions
        for index, entry in enumerate(raw.then):
            given = {entry: {}} if isinstance(entry, str) else entry
            if len(given) != 1:
                self.report("one action stands on a line: '- name: {key: value}'", "then", index)
                continue
            name, value = next(iter(given.items()))
            parameters = value if isinstance(value, dict) else {} if value is None else {"what": value}
            if name not in known:
                self.report(f"no capability has the action {name!r}", "then", index, hint=did_you_mean(name, known))
            elif not _takes(known[name], parameters):
                takes = f"{name!r} does not take these: {inspect.signature(known[name])}"
                self.report(takes, "then", index, hint="It is called with 'record', 'user' and what stands here.")
            else:
                yield name, parameters


def _takes(action: Any, parameters: dict[str, Any]) -> bool:
    try:
        inspect.signature(action).bind(record=None, user=None, **parameters)
    except TypeError:
        return False
    return True
