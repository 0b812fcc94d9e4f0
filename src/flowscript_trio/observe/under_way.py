"""Owns what an observer keeps of executions that are under way: by their numbers, and found by their paths."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from ..types.paths import above

T = TypeVar("T")


def in_round(label: str, index: int) -> str:
    """What a node of a loop is called: with its round, as in paths, so that one can be told from another."""
    return f"[{index}] {label}"


class UnderWay(Generic[T]):
    """One thing for each execution that has begun and not ended."""

    def __init__(self) -> None:
        self._things: dict[Hashable, T] = {}
        self._at: dict[str, Hashable] = {}
        self._paths: dict[Hashable, str] = {}

    def begin(self, execution: Hashable, path: str, thing: T) -> None:
        self._things[execution] = thing
        self._at[path] = execution
        self._paths[execution] = path

    def end(self, execution: Hashable) -> T | None:
        """What was kept of an execution that ends; None where it never began."""
        path = self._paths.pop(execution, None)
        if path is not None and self._at.get(path) == execution:
            del self._at[path]
        return self._things.pop(execution, None)

    def get(self, execution: Hashable) -> T | None:
        return self._things.get(execution)

    def at(self, path: str) -> T | None:
        """That of the execution under way at a path."""
        return self._things.get(self._at.get(path))

    def around(self, path: str) -> T | None:
        """That of the innermost execution under way that a path leads through."""
        for over in above(path):
            if over in self._at:
                return self._things[self._at[over]]
        return None

    def latest_first(self) -> Iterator[T]:
        """All of them, the one that began last first."""
        return iter(list(reversed(self._things.values())))
