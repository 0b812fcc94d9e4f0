"""Owns where the spans of a report lie: the lanes of the page, by branches or by workers. Pure.

A lane is a line of the page. Each branch and iteration has one of its own, on which its nodes lie; so has
each node that runs beside others. What has lanes of its own below it (a block) is above them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from ...types.paths import COMPENSATE, is_iteration, parent_of, part_path, undone_in
from .span import Span, in_order

HERE = "here"
"""What the lanes of nodes are called that ran on no worker, but on trio's own thread."""


@dataclass(slots=True)
class Lane:
    """One line: ``depth`` is how far it is indented, ``short`` what it is called where there is little room.

    ``look`` is that of the branch or the node that it is for. ``ended_well``: so did all that is on it and
    below it. ``undoes``: it is part of a compensation.
    """

    label: str
    short: str
    depth: int
    look: str
    ended_well: bool = True
    undoes: bool = False


def lanes_of(root: Span) -> tuple[list[Lane], list[Span]]:
    """The lanes of a run, and its spans in their order; each span is told its lane."""
    lanes: list[Lane] = []
    spans: list[Span] = []
    stack = [(child, 0, -1) for child in reversed(in_order(root))]
    while stack:
        span, depth, lane = stack.pop()
        if lane < 0:
            lane = len(lanes)
            undoes = undone_in(span.path) is not None
            lanes.append(Lane(_label(span), _short(span), depth, span.look, undoes=undoes))
        span.lane = lane
        lanes[lane].ended_well &= span.look in ("success", "restored", "skipped")
        spans.append(span)
        children = in_order(span)
        if span.kind == "branch" and not _overlap(children):
            # On the branch's own lane, but for what those have inside them.
            stack += [(child, depth, lane) for child in reversed(children)]
        else:
            stack += [(child, depth + 1, -1) for child in reversed(children)]
    _tell_those_above(lanes)
    return lanes, spans


def _tell_those_above(lanes: list[Lane]) -> None:
    above: list[Lane] = []
    for lane in lanes:
        while above and above[-1].depth >= lane.depth:
            above.pop()
        if not lane.ended_well:
            for each in above:
                each.ended_well = False
        above.append(lane)


def _label(span: Span) -> str:
    """What a lane is called: with what it undoes, and with the worker, where what lies on it ran on one."""
    inside = span.children if span.kind == "branch" else ()
    workers = dict.fromkeys(each.detail.get("worker") for each in (span, *inside))
    named = [str(worker) for worker in workers if worker]
    undone = undone_in(span.path)
    if undone is not None and part_path(undone, COMPENSATE) == parent_of(span.path):
        named.insert(0, undone)  # compensations of one node all have its name
    return span.label if not named else f"{span.label} · {', '.join(named)}"


def _short(span: Span) -> str:
    """An iteration by its number alone: what is cut off first must not be what tells it from others."""
    if span.kind == "branch" and is_iteration(span.path):
        return span.path[span.path.rindex("[") :]
    return span.label


def _overlap(spans: list[Span]) -> bool:
    return any(a.end is None or a.end > b.start for a, b in pairwise(spans))


def lanes_of_workers(spans: Iterable[Span]) -> list[tuple[str, list[Span]]]:
    """The nodes of a run by where they ran, as many lanes for each worker as it ran nodes at once.

    Nothing where no node ran elsewhere. Blocks are left out: they only wait for what is in them.
    """
    nodes = sorted((span for span in spans if not span.is_block), key=lambda span: span.start)
    if not any("worker" in span.detail for span in nodes):
        return []
    workers: dict[str, list[list[Span]]] = {}
    for span in nodes:
        lanes = workers.setdefault(str(span.detail.get("worker") or HERE), [])
        free = next((lane for lane in lanes if _end(lane[-1]) <= span.start), None)
        if free is None:
            lanes.append(free := [])
        free.append(span)
    return [
        (worker if number == 1 else f"{worker} ({number})", lane)
        for worker, lanes in sorted(workers.items())
        for number, lane in enumerate(lanes, 1)
    ]


def _end(span: Span) -> float:
    return inf if span.end is None else span.end
