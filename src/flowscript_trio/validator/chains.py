"""Owns how handlers stand in for one another: never in a circle, and never endlessly deep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..scheduler.dag import find_cycles, order
from ..types.findings import Findings
from .positions import Index, Position

DEEPEST = 100
"""How deep a node may run inside others, and in place of others: each of them takes a part of the stack."""

Named = Sequence[tuple[Position, Position]]
"""The places of nodes that name a handler, each with that of the handler."""


def report_chains(index: Index, named: Named, findings: Findings) -> set[int]:
    """Report handlers that stand in for each other, and those that would run too deep; the keys of all of them.

    Whether something else names a handler too, so that it runs by itself as well, makes no difference: where
    it fails, the one that it names runs in its place.
    """
    keys = sorted({_key(handler) for _, handler in named})
    at = {key: number for number, key in enumerate(keys)}
    waits: list[set[int]] = [set() for _ in keys]
    for user, handler in named:
        waits[at[_key(handler)]].update(at[_key(position)] for position in _around(user, at))
    cycles = find_cycles(waits)
    for cycle in cycles:
        nodes = [index.positions[keys[number]].node for number in reversed(cycle)]
        labels = [node.label for node in nodes if node is not None]
        first = index.positions[keys[cycle[0]]].node
        assert first is not None
        written = " → ".join([labels[-1], *labels])
        findings.at_element(
            first, "handler-cycle", f"these handlers stand in for each other: {written}"
        )
    ordered = order(waits)
    found = {keys[number] for number in set(range(len(keys))).difference(ordered)}
    deep = [] if cycles else _find_deep(named, keys, at, ordered)
    if deep:
        node = index.positions[deep[0]].node
        assert node is not None
        findings.at_element(
            node,
            "too-deep",
            f"{node.label!r} would run more than {DEEPEST} levels deep, in place of handlers that stand "
            "in for others",
            expected="fewer handlers in a row",
        )
    return found.union(deep)


def _find_deep(
    named: Named, keys: Sequence[int], at: dict[int, int], ordered: Sequence[int]
) -> list[int]:
    """The keys of the handlers that would run deeper than :data:`DEEPEST`, the first one first."""
    users: list[list[Position]] = [[] for _ in keys]
    for user, handler in named:
        users[at[_key(handler)]].append(user)
    depths = [0] * len(keys)
    for number in ordered:
        for user in users[number]:
            around = (
                depths[at[_key(position)]] + user.level.depth - position.level.depth
                for position in _around(user, at)
            )
            depths[number] = max(
                depths[number], user.level.depth + 1, *(1 + each for each in around)
            )
    return [keys[number] for number in ordered if depths[number] > DEEPEST]


def _around(position: Position | None, at: dict[int, int]) -> Iterator[Position]:
    """The handlers that are at a place or have it inside."""
    while position is not None:
        if position.node is not None and position.node.key in at:
            yield position
        position = position.level.outer


def _key(position: Position) -> int:
    assert position.node is not None
    return position.node.key
