"""Owns sets of numbers that mostly follow one another, kept as intervals."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Intervals:
    """A set of whole numbers from 0. Its size is that of its gaps, not of its numbers."""

    __slots__ = ("_count", "_ends", "_starts")

    def __init__(self, pairs: Iterable[Iterable[int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._count = 0
        self.update(pairs)

    def add(self, number: int) -> None:
        """Take in one number."""
        if self._ends and self._ends[-1] == number:
            self._ends[-1] += 1
            self._count += 1
        else:
            self._insert(number, number + 1)

    def update(self, pairs: Iterable[Iterable[int]]) -> None:
        """Take in intervals, each as its first number and the one after its last."""
        for start, end in pairs:
            self._insert(start, end)

    def _insert(self, start: int, end: int) -> None:
        starts, ends = self._starts, self._ends
        low = bisect_right(ends, start - 1)  # the first that is not wholly before, or touches
        high = low
        while high < len(starts) and starts[high] <= end:
            start, end = min(start, starts[high]), max(end, ends[high])
            self._count -= ends[high] - starts[high]
            high += 1
        starts[low:high], ends[low:high] = [start], [end]
        self._count += end - start

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number < self._ends[at]

    def covers(self, start: int, end: int) -> bool:
        """Whether all numbers from ``start`` to the one before ``end`` are in the set, as none are."""
        if start >= end:
            return True
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and end <= self._ends[at]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        for start, end in self.pairs():
            yield from range(start, end)

    def pairs(self) -> list[tuple[int, int]]:
        """The intervals in order, each as its first number and the one after its last."""
        return list(zip(self._starts, self._ends, strict=True))

    def first_missing(self) -> int:
        """The lowest number that is not in the set."""
        return self._ends[0] if self._starts and self._starts[0] == 0 else 0
