"""Expressions made up by Hypothesis: of every kind, with every operator and function, three deep."""

from __future__ import annotations

from hypothesis import strategies as st

LEAVES = {
    "number": ["n", "m", "p", "d", "party.credit", "0", "1", "2.5", "100", "0.005", "-3", "sum(lines.price)", "count(lines)",
               "avg(lines.q)", "max(lines.price)", "min(lines.q, flag)", "sum(lines.q, price > 1 and word != 'x')",
               "count(party.orders, n > 0)", "sum(lines.price, order.n > 0)", "avg(lines.price, flag == false)"],
    "text": ["t", "c", "u", "party.city", "party.name", "'red'", "'a'", "''"],
    "boolean": ["b", "true", "false", "(party == null)", "(c in ['red', 'blue'])", "(n not in [1, -7])", "(count(lines) > 0)"],
    "date": ["day", "until", "party.since", "today()", "date(at)", "max(lines.day)", "min(lines.day, flag)"],
    "datetime": ["at", "now()", "max(lines.at)"],
    "time": ["hour"],
    "duration": ["lasts", "days(2)", "hours(1.5)", "days(n)", "days(d)", "(-days(1))", "sum(lines.lasts)", "avg(lines.lasts)"],
}  # fmt: skip
ORDERED = ("number", "date", "datetime", "time", "duration")


def sources(kind: str, depth: int = 3) -> st.SearchStrategy[str]:
    """Return expressions of a kind as text."""
    leaf = st.sampled_from(LEAVES[kind])
    return leaf if depth == 0 else leaf | st.deferred(lambda: _deeper(kind, depth - 1))


def _pair(kind: str, depth: int, signs: list[str]) -> st.SearchStrategy[str]:
    part = sources(kind, depth)
    return st.tuples(part, st.sampled_from(signs), part).map(lambda found: f"({found[0]} {found[1]} {found[2]})")


def _pair_of(kind: str, other: str, depth: int, signs: list[str]) -> st.SearchStrategy[str]:
    parts = st.tuples(sources(kind, depth), st.sampled_from(signs), sources(other, depth))
    return parts.map(lambda found: f"({found[0]} {found[1]} {found[2]})")


def _call(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda found: template.format(*found))


def _deeper(kind: str, depth: int) -> st.SearchStrategy[str]:
    same, test = sources(kind, depth), sources("boolean", depth)
    always = [_call("({0} if {1} else {2})", same, test, same), _call("coalesce({0}, {1})", same, same)]
    if kind in ORDERED:
        always += [_call("min({0}, {1})", same, same), _call("max({0}, {1}, {2})", same, same, same)]
    return st.one_of([*always, *_OWN.get(kind, lambda depth: [])(depth)])


def _numbers(depth: int) -> list[st.SearchStrategy[str]]:
    part, small = sources("number", depth), sources("number", 0)
    return [
        _pair("number", depth, ["+", "-"]),
        _call("({0} * {1})", small, small),
        _call("({0} / {1})", small, small),
        _call("({0} / 100)", small),
        _call("(-{0})", part),
        _call("abs({0})", part),
        _call("round({0}, 1)", part),
        _call("round({0})", part),
        _call("len({0})", sources("text", depth)),
        _call("year({0})", sources("date", depth)),
        _call("month({0})", sources("date", depth)),
        _call("days_since({0})", sources("date", depth)),
        _call("days_between({0}, {1})", sources("date", depth), sources("date", depth)),
        _call("hours_in({0})", sources("duration", depth)),
    ]


def _conditions(depth: int) -> list[st.SearchStrategy[str]]:
    compared = [_pair(kind, depth, ["<", "<=", ">", ">=", "==", "!="]) for kind in ORDERED]
    return [
        *compared,
        _pair("text", depth, ["==", "!="]),
        _pair("boolean", depth, ["and", "or", "==", "!="]),
        _call("(not {0})", sources("boolean", depth)),
        *(_call("({0} == null)", sources(kind, depth)) for kind in LEAVES if kind != "boolean"),
    ]


_OWN = {
    "number": _numbers,
    "boolean": _conditions,
    "text": lambda depth: [_pair("text", depth, ["+"]), _call("lower({0})", sources("text", depth))],
    "date": lambda depth: [_call("({0} + {1})", sources("date", depth), sources("duration", depth)),
                           _call("({0} - days(31))", sources("date", depth))],
    "datetime": lambda depth: [_pair_of("datetime", "duration", depth, ["+", "-"]),
                               _call("({0} + days({1}))", sources("datetime", depth), sources("number", 0)),
                               _call("({0} - (days(n) if b else hours({1})))", sources("datetime", 0), sources("number", 0))],
    "duration": lambda depth: [_pair("duration", depth, ["+", "-"]), _pair("date", depth, ["-"]),
                               _pair("datetime", depth, ["-"]), _call("(-{0})", sources("duration", depth))],
}  # fmt: skip
