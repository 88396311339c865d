"""Reads an expression: parsed by Python's own parser, held against an allowlist and against the definitions."""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from decimal import Decimal
from typing import Any

from crm.blueprint.expressions.functions import AGGREGATES, FUNCTIONS, MOST_PLACES, QUOTIENT
from crm.blueprint.expressions.nesting import MAX_NESTING, nesting
from crm.blueprint.expressions.tree import (
    BOOLEAN,
    DATE,
    DATETIME,
    DURATION,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    USER,
    Aggregate,
    Expression,
    Kind,
    Literal,
    Node,
    Operation,
    Path,
)  # fmt: skip
from crm.blueprint.names import a_field, plural
from crm.blueprint.problems import did_you_mean

MAX_LENGTH = 500
MAX_DEPTH = 25
MAX_NODES = 150
MAX_STEPS = 8
"""How many names a path may have: each link on the way is a join."""
TOO_DEEP = "this is nested too deeply; compute a part of it in a field of its own"
DIGITS = 14
WORDS = {"true": (BOOLEAN, True), "false": (BOOLEAN, False), "null": (NULL, None), "none": (NULL, None)}
SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<",
    ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in", ast.NotIn: "not in", ast.And: "and", ast.Or: "or",
}  # fmt: skip
MOMENTS = {DATE, DATETIME}
CURLY_QUOTES = "‘’‚“”„«»"


class ExpressionError(ValueError):
    """An expression that cannot be used; `offset` counts the letters before the part that is wrong."""

    def __init__(self, message: str, offset: int = 0, hint: str = ""):
        super().__init__(message)
        self.message, self.offset, self.hint = message, offset, hint


def read_expression(source: str, entity: Any, with_user: bool = False) -> Expression:
    """Read an expression about the records of an entity. Raises ExpressionError at the first thing that is wrong."""
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"an expression may have {MAX_LENGTH} letters, this one has {len(source)}")
    body = _parse(source)
    root = _Reader(source, with_user).read(body, entity, 0)
    if nesting(root) > MAX_NESTING:
        raise ExpressionError(TOO_DEEP, root.offset)
    return Expression(source, root, entity)


def _parse(source: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(source.strip(), mode="eval").body
    except SyntaxError as error:
        raise _unreadable(source, error) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError("this cannot be read") from None
    if sum(1 for _ in ast.walk(body)) > MAX_NODES * 2:
        raise ExpressionError("the expression is too long; compute a part of it in a field of its own")
    return body


def _unreadable(source: str, error: SyntaxError) -> ExpressionError:
    if "\0" not in source and (not error.offset or "never closed" in error.msg):
        return ExpressionError("the expression is not complete", len(source.rstrip()), _syntax_hint(source))
    offset = _offset(source, error.lineno or 1) + (error.offset or 1) - 1
    taken = next((match for match in re.finditer(r"\b[a-z]+\b", source) if match[0] in TAKEN), None)
    if taken is not None:
        return ExpressionError(f"{taken[0]!r} is a word of Python, which names no field", taken.start())
    return ExpressionError("this cannot be read here", min(offset, len(source)), _syntax_hint(source))


TAKEN = set(keyword.kwlist) - {"and", "else", "if", "in", "is", "not", "or"}
"""The words of Python that have no place in an expression."""


def _offset(source: str, line: int) -> int:
    """Return how many letters stand before a line of the expression, which begins where the blanks before it end."""
    ends = [0, *(line_end.end() for line_end in re.finditer(r"\r\n?|\n", source.strip()))]
    return len(source) - len(source.lstrip()) + ends[min(line, len(ends)) - 1]


def _syntax_hint(source: str) -> str:
    if set(CURLY_QUOTES) & set(source):
        return "Write straight quotes, as in 'held'; these are curly ones."
    if "&&" in source or "||" in source:
        return "Write 'and' and 'or'."
    if "=" in source.replace("==", "").replace("<=", "").replace(">=", "").replace("!=", ""):
        return "Equal is written with two signs: '=='."
    return ""


class _Reader:
    def __init__(self, source: str, with_user: bool):
        self.source, self.with_user = source, with_user

    def at(self, node: ast.expr) -> int:
        return self._letters(node.lineno, node.col_offset)

    def _letters(self, line: int, octets: int) -> int:
        """Return how many letters stand before a spot that Python's parser counts in bytes."""
        start = _offset(self.source, line)
        return start + len(self.source[start:].encode()[:octets].decode(errors="ignore"))

    def fail(self, message: str, node: ast.expr, hint: str = "") -> ExpressionError:
        return ExpressionError(message, self.at(node), hint)

    def wrong_name(self, message: str, node: ast.expr, name: str, hint: str = "") -> ExpressionError:
        """Return the error of the name that a path, or the beginning of one, ends with."""
        end = self._letters(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return ExpressionError(message, max(end - len(name), self.at(node)), hint)

    def read(self, node: ast.expr, entity: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.fail(TOO_DEEP, node)
        reader = getattr(self, f"_{type(node).__name__.lower()}", None)
        if reader is None:
            raise self.fail("this has no place in an expression", node, "See the reference for what there is.")
        return reader(node, entity, depth + 1)

    # Values

    def _constant(self, node: ast.Constant, entity: Any, depth: int) -> Node:
        value = node.value
        if isinstance(value, bool):
            return Literal(Kind(BOOLEAN), value, offset=self.at(node))
        if isinstance(value, int | float):
            return self._number(node)
        if isinstance(value, str):
            kind = Kind(TEXT) if value else Kind(NULL)
            if re.search("[\x00\ud800-\udfff]", value):
                raise self.fail("a text may not hold what no database keeps: a NUL, half a letter", node)
            return Literal(kind, value or None, offset=self.at(node))
        if value is None:
            return Literal(Kind(NULL), None, offset=self.at(node))
        raise self.fail("this value has no place in an expression", node)

    def _number(self, node: ast.Constant) -> Node:
        if isinstance(node.value, int) and abs(node.value) >= 10**DIGITS:
            raise self.fail(f"a number may have {DIGITS} digits", node)
        value = Decimal(repr(node.value))
        if not value.is_finite() or abs(value) >= 10**DIGITS or -value.as_tuple().exponent > 6:
            raise self.fail(f"a number may have {DIGITS} digits, 6 of them after the point", node)
        places = max(0, -value.as_tuple().exponent)
        return Literal(Kind(NUMBER, places), value.quantize(Decimal(1).scaleb(-places)), offset=self.at(node))

    def _name(self, node: ast.Name, entity: Any, depth: int) -> Node:
        if node.id.lower() in WORDS and not entity.find(node.id):
            name, value = WORDS[node.id.lower()]
            return Literal(Kind(name), value, offset=self.at(node))
        return self._path(node, [node.id], entity)

    def _attribute(self, node: ast.Attribute, entity: Any, depth: int) -> Node:
        names, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            raise self.fail("only a field or a link may stand before a point", inner)
        return self._path(node, [inner.id, *reversed(names)], entity)

    def _path(self, node: ast.expr, names: list[str], entity: Any) -> Node:
        if len(names) > MAX_STEPS:
            raise self.fail(f"a path may have {MAX_STEPS} names, this one has {len(names)}", node)
        of_user = names[0] == USER and self.with_user
        steps: list[Any] = []
        holder = entity
        if of_user:
            names, holder = names[1:], getattr(entity.business, "profile", None)
            if names and holder is None:
                raise self.fail("a user has no fields here", node, "Name the entity that tells of users: 'profile:'.")
        for index, name in enumerate(names):
            here = node
            for _ in names[index + 1 :]:
                here = here.value if isinstance(here, ast.Attribute) else here
            steps.append(self._step(here, name, steps, holder, ".".join(names)))
            holder = steps[-1].target
        if of_user and not steps:
            return Path(Kind(USER), (), True, offset=self.at(node))
        end = steps[-1]
        if end.type.many or end.type.rows:
            hint = f"Say what of them: 'count({'.'.join(names)})', or 'sum({'.'.join(names)}.…)'."
            raise self.fail(f"{'.'.join(names)!r} holds several records", node, hint)
        kind = kind_of(end)
        if kind is None:
            raise self.fail(f"{a_field(end.type.name)} has no value for expressions", node)
        return Path(kind, tuple(steps), of_user, offset=self.at(node))

    def _step(self, node: ast.expr, name: str, before: list[Any], holder: Any, path: str) -> Any:
        if before and before[-1].parts:
            field = before[-1].parts.get(f"{before[-1].name}_{name}")
            if field is None:
                known = [part.removeprefix(f"{before[-1].name}_") for part in before[-1].parts]
                hint = did_you_mean(name, known)
                raise self.wrong_name(f"{before[-1].label!r} has no part {name!r}", node, name, hint)
            return field
        if holder is None:
            message = f"{before[-1].name!r} is no link, so nothing can follow it"
            raise self.wrong_name(message, node, name)
        if before and before[-1].type.many:
            hint = f"Say what of them: 'sum({path})'."
            raise self.wrong_name(f"{before[-1].name!r} holds several records", node, name, hint)
        field = holder.find(name)
        if field is None:
            known = [*holder.fields, *holder.record_fields]
            hint = holder.now_called(name) or did_you_mean(name, known)
            if not before and name == USER:
                hint = "Whoever acts is known in 'access' and 'workflow' alone: the rest holds for everybody."
            if not before and name in FUNCTIONS:
                hint = f"A function is written with brackets: '{name}({'…' if FUNCTIONS[name].takes else ''})'."
            if name in collections_of(holder):
                hint = f"Say what of them: 'count({name})', or 'sum({name}.…)'."
            raise self.wrong_name(f"{holder.label!r} has no field {name!r}", node, name, hint)
        return field

    # Operators

    def _binop(self, node: ast.BinOp, entity: Any, depth: int) -> Node:
        sign = SIGNS.get(type(node.op))
        if sign is None:
            raise self.fail("this operator has no place in an expression", node, "There are + - * and /.")
        left, right = self.read(node.left, entity, depth), self.read(node.right, entity, depth)
        kind = _arithmetic(sign, left, right)
        if kind is None:
            hint = _duration_hint(left, node.left, right, node.right) if sign in "+-" else _if_hint(left, right, node)
            raise self.fail(f"{left.kind} and {right.kind} cannot be combined by {sign!r}", node, hint)
        if kind.places > MOST_PLACES:
            raise self.fail(f"this has more than {MOST_PLACES} digits after the point", node, "Use round(…, 2) within.")
        return Operation(kind, sign, (left, right), offset=self.at(node))

    def _unaryop(self, node: ast.UnaryOp, entity: Any, depth: int) -> Node:
        inner = self.read(node.operand, entity, depth)
        if isinstance(node.op, ast.Not):
            self._condition(inner, node.operand)
            return Operation(Kind(BOOLEAN), "not", (inner,), offset=self.at(node))
        if isinstance(node.op, ast.USub) and isinstance(inner, Literal) and inner.kind.name == NUMBER:
            return Literal(inner.kind, -inner.value, offset=self.at(node))
        if isinstance(node.op, ast.USub) and inner.kind.name in {NUMBER, DURATION}:
            return Operation(inner.kind, "neg", (inner,), offset=self.at(node))
        raise self.fail(f"this operator cannot stand before {inner.kind}", node)

    def _boolop(self, node: ast.BoolOp, entity: Any, depth: int) -> Node:
        parts = [self.read(operand, entity, depth) for operand in node.values]
        for part, operand in zip(parts, node.values, strict=True):
            self._condition(part, operand)
        return Operation(Kind(BOOLEAN), SIGNS[type(node.op)], tuple(parts), offset=self.at(node))

    def _condition(self, part: Node, node: ast.expr) -> None:
        if part.kind.name != BOOLEAN:
            hint = "Compare it with something: '> 0', '!= null'."
            raise self.fail(f"a condition must be yes or no, this is {part.kind}", node, hint)

    def _compare(self, node: ast.Compare, entity: Any, depth: int) -> Node:
        self._check_chain(node)
        parts, left, before = [], self.read(node.left, entity, depth), node.left
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            sign = SIGNS.get(type(operator))
            if sign is None:
                raise self.fail("'is' has no place in an expression", node, "Write '=='; '== null' for nothing.")
            if sign in {"in", "not in"}:
                return self._in(sign, left, comparator, entity, depth)
            right = self.read(comparator, entity, depth)
            self._comparable(sign, left, right, node, _duration_hint(left, before, right, comparator))
            parts.append(Operation(Kind(BOOLEAN), sign, (left, right), offset=self.at(before)))
            left, before = right, comparator
        return parts[0] if len(parts) == 1 else Operation(Kind(BOOLEAN), "and", tuple(parts), offset=self.at(node))

    def _check_chain(self, node: ast.Compare) -> None:
        """Refuse `1 < (…) < 3` around another such chain: what stands in the middle is worked out twice."""
        chains = [one for one in ast.walk(node) if isinstance(one, ast.Compare) and len(one.ops) > 1]
        if len(node.ops) > 1 and (len(chains) > 1 or any(isinstance(one, ast.In | ast.NotIn) for one in node.ops)):
            raise self.fail("these comparisons cannot stand in one chain", node, "Write 'and' between them.")

    def _in(self, sign: str, left: Node, node: ast.expr, entity: Any, depth: int) -> Node:
        if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
            raise self.fail("a list must stand behind 'in'", node, "As in: status in ['held', 'confirmed'].")
        options = tuple(self.read(element, entity, depth) for element in node.elts)
        for element, option in zip(node.elts, options, strict=True):
            if not isinstance(option, Literal) or option.value is None:
                raise self.fail("the list behind 'in' holds plain values only", element)
            self._comparable("==", left, option, element)
        membership = Operation(Kind(BOOLEAN), "in", (left, *options), offset=left.offset)
        return membership if sign == "in" else Operation(Kind(BOOLEAN), "not", (membership,), offset=left.offset)

    def _comparable(self, sign: str, left: Node, right: Node, node: ast.expr, hint: str = "") -> None:
        kinds = {left.kind.name, right.kind.name}
        equality = sign in {"==", "!="}
        if NULL in kinds:
            if not equality:
                raise self.fail("nothing is neither more nor less than something", node, "Write '== null'.")
            return
        if len(kinds) > 1 and kinds != {RECORD, USER} or left.kind.entity != right.kind.entity and RECORD in kinds:
            hint = "Write date(…) for the day of a moment." if kinds == MOMENTS else hint or _record_hint(left, right)
            raise self.fail(f"{left.kind} cannot be compared with {right.kind}", node, hint)
        if not equality and kinds & {BOOLEAN, RECORD, USER, TEXT}:
            raise self.fail(f"{left.kind} is neither more nor less than another", node)
        for operand, other in ((left, right), (right, left)):
            self._known_choice(operand, other, node)

    def _known_choice(self, path: Node, literal: Node, node: ast.expr) -> None:
        """Refuse a value that the field can never have."""
        if not (isinstance(path, Path) and path.steps and isinstance(literal, Literal)):
            return
        known = getattr(path.steps[-1].options, "choices", None)
        if known and literal.value not in known:
            raise self.fail(f"{str(path)!r} is never {literal.value!r}", node, did_you_mean(literal.value, known))

    def _ifexp(self, node: ast.IfExp, entity: Any, depth: int) -> Node:
        test = self.read(node.test, entity, depth)
        self._condition(test, node.test)
        first, other = self.read(node.body, entity, depth), self.read(node.orelse, entity, depth)
        kind = _common(first.kind, other.kind)
        if kind is None:
            raise self.fail(f"this is {first.kind} or else {other.kind}; both must be the same", node)
        return Operation(kind, "if", (test, first, other), offset=self.at(node))

    # Functions

    def _call(self, node: ast.Call, entity: Any, depth: int) -> Node:
        if not isinstance(node.func, ast.Name):
            raise self.fail("only a function of the language can be called", node)
        name = node.func.id
        if node.keywords or any(isinstance(argument_node, ast.Starred) for argument_node in node.args):
            raise self.fail(f"{name!r} takes plain values", node)
        if name in AGGREGATES and not (
            name in FUNCTIONS and len(node.args) > 1 and not self._is_children(node, entity)
        ):
            return self._aggregate(name, node, entity, depth)
        function = FUNCTIONS.get(name)
        if function is None:
            raise self.fail(f"there is no function {name!r}", node, did_you_mean(name, [*FUNCTIONS, *AGGREGATES]))
        arguments = tuple(self.read(argument_node, entity, depth) for argument_node in node.args)
        least = len(function.takes) - (name == "round")
        if not (least <= len(arguments) <= (20 if function.variadic else len(function.takes))):
            raise self.fail(f"{name!r} takes {len(function.takes) or 'no'} value(s), not {len(arguments)}", node)
        for index, (argument, argument_node) in enumerate(zip(arguments, node.args, strict=True)):
            takes = function.takes[min(index, len(function.takes) - 1)] if function.takes else frozenset()
            if argument.kind.name not in takes:
                raise self.fail(f"{name!r} cannot take {argument.kind}", argument_node)
            if function.variadic and argument.kind.name != arguments[0].kind.name:
                raise self.fail(f"{name!r} takes values of one kind; this is {argument.kind}", argument_node)
        if name == "round" and len(arguments) > 1:
            digits = arguments[1]
            if not isinstance(digits, Literal) or digits.kind.places or not 0 <= digits.value <= 6:
                raise self.fail("round() takes the number of digits, 0 to 6", node.args[1])
        return Operation(function.gives(arguments), name, arguments, offset=self.at(node))

    def _is_children(self, node: ast.Call, entity: Any) -> bool:
        try:
            self._children(node.args[0], entity)
        except ExpressionError:
            return False
        return True

    def _children(self, node: ast.expr, entity: Any) -> tuple[tuple, Any, str, list[str]]:
        """Read `customer.invoices.total`: the way to the parent, the children's link, their table, and the rest."""
        names, inner = [], node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            raise self.fail("the records that point here must be named first", node)
        names, relation_path, holder = [inner.id, *reversed(names)], [], entity
        if len(names) > MAX_STEPS:
            raise self.fail(f"a path may have {MAX_STEPS} names, this one has {len(names)}", node)
        for index, name in enumerate(names):
            known = collections_of(holder)
            if name in known:
                link, table = known[name]
                return tuple(relation_path), link, table, names[index + 1 :]
            field = holder.find(name)
            if field is None or field.target is None or field.type.many:
                shown = ".".join(names[: index + 1])
                hint = did_you_mean(name, known) if known else f"Nothing points to {holder.label!r}."
                raise self.fail(f"{shown!r} is not a list of records that point here", node, hint)
            relation_path.append(field)
            holder = field.target
        raise self.fail(f"{'.'.join(names)!r} is one record, not several", node)

    def _aggregate(self, name: str, node: ast.Call, entity: Any, depth: int) -> Node:
        if not 1 <= len(node.args) <= 2:
            raise self.fail(f"{name!r} takes a list of records and, if need be, a condition", node)
        relation_path, link, table, rest = self._children(node.args[0], entity)
        child = link.entity
        where = self.read(node.args[1], child, depth) if len(node.args) == 2 else None
        if where is not None:
            self._condition(where, node.args[1])
            if any(isinstance(part, Aggregate) for part in where.walk()):
                raise self.fail("a sum cannot depend on another sum", node.args[1], "Compute it in a field first.")
        steps: tuple[Any, ...] = ()
        kind = Kind(NUMBER)
        if name == "count":
            if rest:
                raise self.fail("count() takes the records themselves", node, f"Leave out '.{'.'.join(rest)}'.")
        else:
            if not rest:
                raise self.fail(f"{name}() must know of what", node, f"As in: {name}({_written(node.args[0])}.amount).")
            value = self._path(node.args[0], rest, child)
            steps = value.steps
            fitting = {NUMBER, DURATION} if name in {"sum", "avg"} else {NUMBER, DURATION, DATE, DATETIME}
            if value.kind.name not in fitting:
                raise self.fail(f"{name}() cannot take {value.kind}", node.args[0])
            kind = Kind(NUMBER, QUOTIENT) if name == "avg" and value.kind.name == NUMBER else value.kind
        return Aggregate(kind, name, relation_path, link, steps, where, table, offset=self.at(node))

    def _list(self, node: ast.List, entity: Any, depth: int) -> Node:
        raise self.fail("a list stands only behind 'in'", node)


def kind_of(field: Any) -> Kind | None:
    """Return the kind of a field's value in expressions, or None where it has none."""
    if field.target is not None:
        return Kind(RECORD, entity=field.target.name)
    name = field.type.kind
    return Kind(name, field.type.places(field) if name == NUMBER else 0) if name else None


def collections_of(entity: Any) -> dict[str, tuple[Any, str]]:
    """Return the lists of records that point to one of the entity: their name → the link, and the table field.

    Rows go by the name of their table, others by their entity's name in the plural; where several links of an entity
    lead here, by `<entity>_<link>`.
    """
    collections: dict[str, tuple[Any, str]] = {}
    links = [one for one in entity.pointing_here() if one.type.stored and not one.type.many]
    tables = {one.target.name: one for one in entity.fields.values() if one.type.rows and one.target}
    for link in links:
        table = tables.get(link.entity.name)
        if table is not None and link.document is not link.entity.document:
            collections[table.name] = link, table.name
        elif sum(one.entity is link.entity for one in links) == 1:
            collections.setdefault(plural(link.entity.name), (link, ""))
        else:
            collections[f"{link.entity.name}_{link.name}"] = link, ""
    return collections


def _written(node: ast.expr) -> str:
    return ast.unparse(node)


def _arithmetic(sign: str, left: Node, right: Node) -> Kind | None:
    left_kind, right_kind = left.kind, right.kind
    names = left_kind.name, right_kind.name
    if names == (NUMBER, NUMBER):
        return Kind(NUMBER, _places(sign, left_kind, right_kind, right))
    if names == (TEXT, TEXT) and sign == "+":
        return Kind(TEXT)
    if names == (DURATION, DURATION) and sign in "+-":
        return Kind(DURATION)
    if left_kind.name in MOMENTS and right_kind.name == DURATION and sign in "+-":
        return left_kind
    if names[0] in MOMENTS and names[0] == names[1] and sign == "-":
        return Kind(DURATION)
    return None


def _if_hint(left: Node, right: Node, node: ast.BinOp) -> str:
    """Return how a number that counts only where a condition holds is written."""
    if {left.kind.name, right.kind.name} != {BOOLEAN, NUMBER}:
        return ""
    condition, number = (node.left, node.right) if left.kind.name == BOOLEAN else (node.right, node.left)
    return f"A number where a condition holds is written '{_written(number)} if {_written(condition)} else 0'."


def _duration_hint(left: Node, left_source: ast.expr, right: Node, right_source: ast.expr) -> str:
    """Return how a number beside a date or a duration is written: dates know durations, such as so many days."""
    if left.kind.name in {*MOMENTS, DURATION} and right.kind.name == NUMBER:
        return f"A number of days is written days({_written(right_source)})."
    if right.kind.name in {*MOMENTS, DURATION} and left.kind.name == NUMBER:
        return f"A number of days is written days({_written(left_source)}), behind a date."
    return ""


def _record_hint(left: Node, right: Node) -> str:
    """Return how a linked record is compared with a text or a number: by one of its fields."""
    link = next((side for side in (left, right) if isinstance(side, Path) and side.kind.name == RECORD), None)
    if link is None:
        return ""
    other = right if link is left else left
    kinds = {leaf.name: kind_of(leaf) for leaf in link.steps[-1].target.leaves}
    fields = [f"{link}.{name}" for name, kind in kinds.items() if kind is not None and kind.name == other.kind.name]
    return f"Name a field of it: {' or '.join(fields[:3])}." if fields else ""


def _places(sign: str, left_kind: Kind, right_kind: Kind, right: Node) -> int:
    if sign == "*":
        return left_kind.places + right_kind.places
    if sign == "/":
        tens = power_of_ten(right)
        return left_kind.places + tens if tens is not None else QUOTIENT
    return max(left_kind.places, right_kind.places)


def power_of_ten(node: Node) -> int | None:
    """Return n where the node is the literal 10ⁿ: dividing by it needs no rounding."""
    value = node.value if isinstance(node, Literal) else None
    if isinstance(value, Decimal) and value in {Decimal(10) ** n for n in range(1, 7)}:
        return len(str(int(value))) - 1
    return None


def _common(kind: Kind, other: Kind) -> Kind | None:
    if NULL in {kind.name, other.name}:
        return other if kind.name == NULL else kind
    if (kind.name, kind.entity) != (other.name, other.entity):
        return None
    return Kind(kind.name, max(kind.places, other.places), kind.entity)
