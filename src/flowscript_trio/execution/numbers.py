"""Owns the numbers of the executions of an observed run, by which observers tell them apart."""

from __future__ import annotations


class Numbers:
    """Counts the executions of nodes, branches and iterations from 1, in the order in which they begin.

    What had begun before anybody observed the run is counted when it is heard of first.
    """

    __slots__ = ("_last", "_under_way")

    def __init__(self) -> None:
        self._last = 0
        self._under_way: dict[str, int] = {}

    def begin(self, path: str) -> int:
        self._last += 1
        self._under_way[path] = self._last
        return self._last

    def of(self, path: str) -> int:
        """The number of the execution that is under way at a path; 0 for the run."""
        if not path:
            return 0
        return self._under_way.get(path) or self.begin(path)

    def known(self, path: str) -> int:
        """The number of the execution under way at a path, and 0 where there is none that anybody heard of."""
        return self._under_way.get(path, 0)

    def end(self, path: str) -> int:
        """The number of the execution at a path, which ends."""
        number = self.of(path)
        del self._under_way[path]
        return number
