"""Owns which points a proof tries: all that an undisturbed run shows, and pairs of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from random import Random
from typing import TypeVar

from .points import (
    FATES,
    CancelAt,
    DeadlineAt,
    PlaceAt,
    Point,
    Points,
    RaiseAt,
    StallAt,
    is_from_outside,
)
from .probe import FOREVER
from .story import Story

MOST_PAIRED = 700
T = TypeVar("T")


def points_of(story: Story) -> Iterator[Point]:
    """Every point of a run, as an undisturbed one shows them.

    A cancellation at each step of the scheduler; an error before, in and after each wait of each leaf node,
    before each control node, and, where something answers a node's error, one that lasts; a node that waits
    until its time limit; a worker that dies, a reply that is lost or comes late; a deadline from outside at each
    instant at which something happens.
    """
    probe = story.trial.probe
    for step in range(1, probe.steps + 1):
        yield CancelAt(step)
    for label, count in sorted(probe.entries.items()):
        for number in range(1, count + 1):
            yield RaiseAt(label, number, 0)
    answered = {e.path for e in story.executions if story.plan.step(e.node).recovers}
    for call in probe.calls:
        for wait in range(call.places):
            yield RaiseAt(call.label, call.number, wait)
            if call.path in answered:
                yield RaiseAt(call.label, call.number, wait, lasting=True)
        if call.bound < FOREVER:
            yield StallAt(call.label, call.number)
    for label, count in sorted(probe.placed.items()):
        for number in range(1, count + 1):
            yield from (PlaceAt(label, number, fate) for fate in FATES)
    for time in sorted(probe.times):
        yield DeadlineAt(time)


def pairs_of(points: Sequence[Point], chance: Random) -> list[Points]:
    """An error or a time limit with each disturbance from outside, and each two errors.

    Of very many points a part is taken by chance before they are paired.
    """
    inside = sample([point for point in points if not is_from_outside(point)], MOST_PAIRED, chance)
    outside = sample([point for point in points if is_from_outside(point)], MOST_PAIRED, chance)
    apart = [pair for pair in combinations(inside, 2) if _call_of(pair[0]) != _call_of(pair[1])]
    return [*product(inside, outside), *apart]


def _call_of(point: Point) -> tuple[str, int] | None:
    """The call that a point disturbs: one call is not disturbed twice."""
    return (point.label, point.call) if isinstance(point, RaiseAt | StallAt | PlaceAt) else None


def sample(found: list[T], most: int, chance: Random) -> list[T]:
    """At most this many of them, chosen by chance, in their order."""
    if len(found) <= most:
        return found
    return [found[at] for at in sorted(chance.sample(range(len(found)), most))]
