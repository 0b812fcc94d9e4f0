"""Owns the check of places: what may be in a body that runs elsewhere, and what must have a place."""

from __future__ import annotations

from collections.abc import Mapping

from ..runtimes.placing import HERE, OTHER_PROCESSES
from ..runtimes.types import BlockingRuntime
from ..runtimes.wrapping import innermost
from ..types.ast import CheckpointNode, ForeachNode
from ..types.findings import Findings
from .checked import CheckedNode
from .positions import Index, Level
from .streams import is_stream
from .values import BoundSettings


def places_of_bodies(
    index: Index,
    nodes: Mapping[int, CheckedNode],
    settings: Mapping[int, BoundSettings | None],
) -> dict[int, str]:
    """The names of the places where bodies run whole, by the keys of those that run elsewhere: iterations and
    branches."""
    places = {}
    for key, level in index.levels.items():
        node = None if level.outer is None else level.outer.node
        bound = settings[key]
        place = None
        if isinstance(node, ForeachNode):
            place = nodes[node.key].place
        elif bound is not None and bound.constant is not None and level.body.tag == "branch":
            place = bound.constant.place
        if place is not None and place != HERE:
            places[key] = place
    return places


def check_places(
    index: Index,
    nodes: Mapping[int, CheckedNode],
    bodies: Mapping[int, str],
    findings: Findings,
) -> None:
    """Report what cannot run where it is; ``bodies`` are the places of those that run elsewhere."""
    for key, place in index.positions.items():
        node = place.node
        if node is None:
            continue
        checked = nodes[key]
        _check_blocking(checked, findings)
        _check_stream(checked, findings)
        around = _placed_around(place.level, bodies) if bodies else None
        if around is None:
            continue
        if isinstance(node, CheckpointNode):
            findings.at_element(
                node,
                "cannot-travel",
                f"a <checkpoint> asks where the run is, and this one would run at {around!r}",
                expected="a <checkpoint> outside of what has a place",
            )
        if checked.limits and node.limit is not None:
            findings.at_value(
                node.limit,
                "cannot-travel",
                f"limits are counted where the run is, and {node.label!r} would run at {around!r}",
                expected="the limit on what has the place",
            )
        if node.compensate is not None:
            findings.at_element(
                node.compensate,
                "cannot-travel",
                f"{node.label!r} would run at {around!r}, and its <compensate> belongs to the run",
                expected="the <compensate> on a node that runs here",
            )
        if node.place is not None and checked.place not in (None, HERE, "thread"):
            findings.at_value(
                node.place,
                "nested-place",
                f"{node.label!r} is inside what runs at {around!r} whole, and has a place of its own",
                expected="thread, or no place here",
            )


def _check_blocking(checked: CheckedNode, findings: Findings) -> None:
    node = checked.node
    if isinstance(innermost(checked.runtime), BlockingRuntime) and checked.place in (None, HERE):
        findings.at_element(
            node,
            "needs-a-place",
            f"{node.type!r} is a plain function, which would hold up everything else in trio's thread",
            expected='place="thread", place="process" or another place',
        )


def _check_stream(checked: CheckedNode, findings: Findings) -> None:
    node = checked.node
    if checked.place in OTHER_PROCESSES and node.place is not None and is_stream(checked):
        findings.at_value(
            node.place,
            "cannot-travel",
            f"{node.label!r} gives a stream, which cannot leave {checked.place!r}",
            expected="the place on a <foreach> around it and what consumes it, or a source without stream",
        )


def _placed_around(level: Level | None, bodies: Mapping[int, str]) -> str | None:
    """The place of the innermost body around that runs whole somewhere else; None where all is here."""
    while level is not None:
        found = bodies.get(level.body.key)
        if found is not None:
            return found
        level = None if level.outer is None else level.outer.level
    return None
