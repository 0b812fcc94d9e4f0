"""Owns what is known about a graph body's walk beforehand: counts of waits, dependents, waves."""

from __future__ import annotations

from collections.abc import Collection

from ..types.deferred import dataclass
from .dag import Waits, list_dependents, order

NEVER = -1
"""The count of waits of a node that does not run by itself (a handler): it never comes to 0."""


@dataclass(frozen=True, slots=True)
class WalkPlan:
    """What the walk of a graph body counts down.

    ``waits`` has for each node how many others it waits for (``NEVER`` for one that does not run by
    itself), ``dependents`` the indices of those that wait for it, ascending.
    """

    waits: tuple[int, ...]
    dependents: tuple[tuple[int, ...], ...]


def plan_walk(waits: Waits, passed_over: Collection[int] = ()) -> WalkPlan:
    """The plan of a body; nobody may wait for the nodes that are ``passed_over``."""
    counts = tuple(
        NEVER if index in passed_over else len(set(awaited)) for index, awaited in enumerate(waits)
    )
    dependents = tuple(tuple(dict.fromkeys(them)) for them in list_dependents(waits))
    return WalkPlan(counts, dependents)


def find_waves(waits: Waits) -> tuple[tuple[int, ...], ...]:
    """The nodes by the longest chain of others before each; within a wave in document order.

    Waves are for people to look at: the walk itself has none. Nodes on a cycle, and those that wait
    for one, are in no wave.
    """
    level: dict[int, int] = {}
    for index in order(waits):
        level[index] = 1 + max((level[other] for other in waits[index]), default=-1)
    waves: list[list[int]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for index in sorted(level):
        waves[level[index]].append(index)
    return tuple(tuple(wave) for wave in waves)
