"""Owns graphs of what waits for what: the order of a body, and cycles. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

Waits = Sequence[Iterable[int]]
"""For each node, by its index, the indices of the nodes that it waits for."""


def list_dependents(waits: Waits) -> list[list[int]]:
    """What waits for each node: the inverse of ``waits``, each list ascending."""
    dependents: list[list[int]] = [[] for _ in waits]
    for index, awaited in enumerate(waits):
        for other in awaited:
            dependents[other].append(index)
    return dependents


def order(waits: Waits) -> list[int]:
    """The nodes so that each comes after all that it waits for (Kahn, 1962).

    Nodes on a cycle, and those that wait for one, are left out: only then is the result shorter
    than ``waits``.
    """
    dependents = list_dependents(waits)
    open_waits = [len(set(awaited)) for awaited in waits]
    ready = deque(index for index, count in enumerate(open_waits) if not count)
    ordered: list[int] = []
    while ready:
        index = ready.popleft()
        ordered.append(index)
        for dependent in dict.fromkeys(dependents[index]):
            open_waits[dependent] -= 1
            if not open_waits[dependent]:
                ready.append(dependent)
    return ordered


def find_cycles(waits: Waits) -> list[list[int]]:
    """One cycle for each knot of nodes that wait for each other, those of the lowest index first.

    A cycle is a shortest one through the lowest index of its knot and begins with it; each node
    waits for the next one, the last for the first. A node that waits for itself is a cycle of one.
    """
    if len(order(waits)) == len(waits):
        return []
    cycles = []
    for knot in _find_knots(waits):
        first = min(knot)
        if len(knot) > 1 or first in set(waits[first]):
            cycles.append(_shortest_cycle(waits, first, set(knot)))
    return sorted(cycles)


def _find_knots(waits: Waits) -> list[list[int]]:
    """The strongly connected components (Tarjan, 1972), without recursion."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    stacked: set[int] = set()
    knots: list[list[int]] = []
    for root in range(len(waits)):
        if root in number:
            continue
        walk = [(root, iter(waits[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        stacked.add(root)
        while walk:
            index, following = walk[-1]
            for other in following:
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    stacked.add(other)
                    walk.append((other, iter(waits[other])))
                    break
                if other in stacked:
                    low[index] = min(low[index], number[other])
            else:
                walk.pop()
                if walk:
                    parent = walk[-1][0]
                    low[parent] = min(low[parent], low[index])
                if low[index] == number[index]:
                    knots.append(_unstack(stack, stacked, index))
    return knots


def _unstack(stack: list[int], stacked: set[int], index: int) -> list[int]:
    """Take the component whose root is ``index`` off the stack."""
    at = len(stack) - 1
    while stack[at] != index:
        at -= 1
    knot = stack[at:]
    del stack[at:]
    stacked.difference_update(knot)
    return knot


def _shortest_cycle(waits: Waits, first: int, knot: set[int]) -> list[int]:
    """A shortest way from ``first`` back to itself within its component."""
    way = _way_back(first, {index: sorted(set(waits[index])) for index in knot})
    assert way is not None, "a component of a graph has a cycle through each of its nodes"
    return way


def find_cycle(edges: Iterable[tuple[T, T]], through: Iterable[T] | None = None) -> list[T] | None:
    """A shortest cycle among edges (held, needed), as the nodes on it; None where there is none.

    ``through``: only cycles that one of these is on.
    """
    after: dict[T, list[T]] = {}
    for start, end in edges:
        after.setdefault(start, []).append(end)
    best: list[T] | None = None
    for start in after if through is None else dict.fromkeys(through):
        way = _way_back(start, after)
        if way is not None and (best is None or len(way) < len(best)):
            best = way
    return best


def _way_back(start: T, after: Mapping[T, Sequence[T]]) -> list[T] | None:
    """A shortest way from ``start`` back to itself (breadth first); None where there is none."""
    came: dict[T, T] = {}
    pending = [start]
    for here in pending:
        for there in after.get(here, ()):
            if there == start:
                way = [here]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return way[::-1]
            if there not in came and there in after:
                came[there] = here
                pending.append(there)
    return None
