"""Owns cycles of what is held and what is needed meanwhile: who is on one could wait without end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


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
