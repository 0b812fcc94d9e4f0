"""Owns the drawing of a workflow in the report of its run: what failed is in it, however large it is."""

from __future__ import annotations

from ..observe.report import DrawStates
from ..observe.report.story import States
from ..picture import as_svg, folded, picture_of
from ..program.loading import Flow

_LOOKED_FOR = frozenset({"failed", "fallback", "running"})


def drawing_of(flow: Flow) -> DrawStates:
    """What draws a workflow once the states of its nodes are known."""

    def draw(states: States) -> str:
        wanted = {number for number, counts in states.items() if _LOOKED_FOR & counts.keys()}
        return as_svg(folded(picture_of(flow), wanted))

    return draw
