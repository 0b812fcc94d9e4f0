"""Owns where the workers of a block get their jobs: a collection, or the ready nodes of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar, Protocol


class Pool(Protocol):
    """Jobs for workers. ``now`` is the number of the scheduler's pass."""

    @property
    def grows(self) -> bool:
        """Whether there can be more jobs to take once one has succeeded; otherwise it hears of none."""

    def take(self, now: int) -> tuple[int, Any] | None:
        """The next job as (index, item), or None where none can be taken in this pass."""

    def complete(self, index: int, now: int) -> int:
        """A job has succeeded: how many jobs can be taken from the next pass on, since it or others of this
        pass have.
        """

    def has_more(self) -> bool:
        """Whether jobs that cannot be taken in this pass can be in the next one."""

    def is_spent(self) -> bool:
        """Whether it is certain that every job has been taken."""


class CollectionPool:
    """The items of an iterator, from index ``start`` on, each taken once and only when somebody is free for it."""

    grows: ClassVar[bool] = False
    __slots__ = ("_items", "_size", "_spent", "taken")

    def __init__(self, items: Iterable[Any], size: int | None, start: int = 0) -> None:
        self._items = iter(items)
        self._size = size
        self._spent = False
        self.taken: int = start

    def take(self, now: int) -> tuple[int, Any] | None:
        for item in self._items:
            index = self.taken
            self.taken += 1
            return index, item
        self._spent = True
        return None

    def complete(self, index: int, now: int) -> int:
        return 0

    def has_more(self) -> bool:
        return False

    def is_spent(self) -> bool:
        return self._spent or self.taken == self._size


class GraphPool:
    """The nodes of a graph by their indices: each is ready once all that it waits for have succeeded.

    ``waits`` counts for each node what it waits for (below 0: it does not run by itself), ``dependents``
    lists who waits for it. Of the nodes that are ready the first in document order is taken first; one that
    became ready in this pass is taken in the next one, whatever the order of tasks within this pass.
    """

    grows: ClassVar[bool] = True
    __slots__ = ("_dependents", "_fresh", "_fresh_at", "_ready", "_untaken", "_waits")

    def __init__(self, waits: Sequence[int], dependents: Sequence[Sequence[int]]) -> None:
        self._waits = list(waits)
        self._dependents = dependents
        self._ready = [index for index, count in enumerate(waits) if not count]
        heapify(self._ready)
        self._fresh: list[int] = []
        self._fresh_at = -1
        self._untaken = sum(count >= 0 for count in waits)

    def take(self, now: int) -> tuple[int, Any] | None:
        self._ripen(now)
        if not self._ready:
            return None
        self._untaken -= 1
        return heappop(self._ready), None

    def complete(self, index: int, now: int) -> int:
        self._ripen(now)
        waits = self._waits
        for dependent in self._dependents[index]:
            waits[dependent] -= 1
            if not waits[dependent]:
                self._fresh.append(dependent)
        return len(self._fresh)

    def _ripen(self, now: int) -> None:
        """Make what became ready in earlier passes takeable."""
        if self._fresh_at < now:
            for index in self._fresh:
                heappush(self._ready, index)
            self._fresh.clear()
            self._fresh_at = now

    def has_more(self) -> bool:
        return bool(self._fresh)

    def is_spent(self) -> bool:
        return not self._untaken
