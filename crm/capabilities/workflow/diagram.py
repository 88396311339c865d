"""A drawing of the states of a workflow, as SVG: states from top to bottom, arcs of the actions on their right."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.capabilities.workflow.compiler import Workflow

WIDTH = 340
BOX, HIGH, STEP, TOP = 112, 30, 62, 6
NEAR, FAR = 150, 214
"""How far to the right the shortest and the longest arcs reach."""
LINE = 15
"""How far apart the labels of arcs stand at least."""
LETTERS = 18


@dataclass
class Arc:
    """An arc of an action from one height to another; `reach` is how far to the right it goes."""

    action: str
    start: float
    end: float
    reach: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def draw(workflow: Workflow) -> SafeString:
    """Return the drawing. The table beside it says the same, so it is one picture to a screen reader."""
    arcs = _arcs(workflow)
    heights = _label_heights(arcs)
    height = max([TOP + STEP * len(workflow.states) - (STEP - HIGH) + TOP, *(one + LINE for one in heights.values())])
    states = format_html_join("\n", "{}", ([_state(workflow, index)] for index in range(len(workflow.states))))
    lines = format_html_join("\n", "{}", ([_line(one, heights[one.action])] for one in arcs))
    labels = format_html_join(
        "\n",
        '<text x="{}" y="{}">{}</text>',
        ((FAR + 10, f"{one:.1f}", _short(workflow.actions[name].label, LETTERS)) for name, one in heights.items()),
    )
    return format_html(
        '<svg class="crm-states" viewBox="0 0 {} {}" role="img" aria-label="The states of {} and the actions between'
        ' them; the table below says the same"><defs><marker id="crm-arrow" viewBox="0 0 8 8" refX="7" refY="4"'
        ' markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>{}{}{}</svg>',
        WIDTH,
        int(height),
        workflow.field.entity.label.lower(),
        lines,
        labels,
        states,
    )


def _arcs(workflow: Workflow) -> list[Arc]:
    """Return an arc for each way of each action; at a state, they begin and end beside one another."""
    rank = {state: index for index, state in enumerate(workflow.states)}
    ways = [(rank[one], rank[action.target], action) for action in workflow.actions.values() for one in action.sources]
    leaving, coming = dict.fromkeys(rank.values(), 0), dict.fromkeys(rank.values(), 0)
    farthest, arcs = max([1, *(abs(start - end) for start, end, _ in ways)]), []
    for start, end, action in ways:
        spread = [-9 + 4 * (leaving[start] % 3), 3 + 4 * (coming[end] % 3)]
        leaving[start] += 1
        coming[end] += 1
        reach = NEAR + (FAR - NEAR) * (abs(start - end) - 1) / max(1, farthest - 1)
        arcs.append(Arc(action.name, _middle(start) + spread[0], _middle(end) + spread[1], reach))
    return arcs


def _label_heights(arcs: list[Arc]) -> dict[str, float]:
    """Return where the label of each action stands: beside the middle of its arcs, and clear of the others."""
    middles: dict[str, list[float]] = {}
    for arc in arcs:
        middles.setdefault(arc.action, []).append(arc.middle)
    lowest, heights = 0.0, {}
    for name, arc_middles in sorted(middles.items(), key=lambda one: sum(one[1]) / len(one[1])):
        heights[name] = lowest = max(sum(arc_middles) / len(arc_middles) + 4, lowest + LINE)
    return heights


def _middle(rank: int) -> float:
    return TOP + STEP * rank + HIGH / 2


def _state(workflow: Workflow, index: int) -> SafeString:
    state = workflow.states[index]
    badges = workflow.field.type.badges(state, workflow.field)
    top = TOP + STEP * index
    return format_html(
        '<g class="crm-{}"><rect x="1" y="{}" width="{}" height="{}" rx="7"/>'
        '<text x="{}" y="{}" text-anchor="middle">{}</text></g>',
        badges[0][1] if badges else "gray",
        top,
        BOX,
        HIGH,
        1 + BOX / 2,
        top + HIGH / 2 + 4,
        _short(workflow.label(state), 15),
    )


def _line(arc: Arc, text: float) -> SafeString:
    """Return an arc, and a thin line to its label. A curve reaches three quarters of the way to what pulls it."""
    edge = BOX + 2
    pull = edge + (arc.reach - edge) * 4 / 3
    return format_html(
        '<path class="crm-arc" d="M{0} {1}C{2} {1} {2} {3} {0} {3}" marker-end="url(#crm-arrow)"/>'
        '<path class="crm-lead" d="M{4} {5}L{6} {7}"/>',
        edge,
        f"{arc.start:.1f}",
        f"{pull:.1f}",
        f"{arc.end:.1f}",
        f"{arc.reach:.1f}",
        f"{arc.middle:.1f}",
        FAR + 6,
        f"{text - 4:.1f}",
    )


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"
