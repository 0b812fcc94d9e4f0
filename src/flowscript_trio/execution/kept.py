"""Owns the count of the bytes that a run keeps: of values that something still holds, shared parts once.

Nothing tells when a list or a text is dropped. So every value is held here as well, until the bound is reached:
then those that nothing else holds any more are let go, by their reference counts, and the rest is counted again.
"""

from __future__ import annotations

from sys import getrefcount, getsizeof
from typing import Any

from pydantic import BaseModel

_FREE = frozenset({type(None), bool})
_NUMBERS = frozenset({int, float})
_SHORT = 64
"""Characters below which a text is counted wherever it appears: remembering it would take as much."""


class Kept:
    """The values that a run keeps, and how many bytes they take; ``most`` is the bound."""

    __slots__ = ("_seen", "_values", "bytes", "most")

    def __init__(self, most: int) -> None:
        self.most: int = most
        self.bytes: int = 0
        self._values: list[Any] = []
        self._seen: set[int] = set()

    def add(self, value: Any) -> bool:
        """Take in a value that may be kept; whether all that are kept are within the bound."""
        return is_small(value) or self._take(value, [value])

    def grow(self, made: list[Any], since: int) -> bool:
        """Take in a list that has grown since it had this many items; whether all is within the bound."""
        return self._take(made, made[since:])

    def _take(self, value: Any, parts: list[Any]) -> bool:
        self._values.append(value)
        for part in parts:
            self.bytes += bytes_of(part, self._seen, self.most - self.bytes)
            if self.bytes > self.most:
                self._let_go()
                break  # all was counted again
        return self.bytes <= self.most

    def clear(self) -> None:
        """Let all go: the bound was reached."""
        self._values.clear()
        self._seen.clear()

    def _let_go(self) -> None:
        """Keep only what others hold, and count that again."""
        once = list({id(value): value for value in self._values}.values())
        self._values.clear()
        count = 0
        while count != len(once):  # what is let go may have held others
            count = len(once)
            once = _held(once)
        self._values = once
        self._seen.clear()
        self.bytes = 0
        for value in self._values:
            self.bytes += bytes_of(value, self._seen, self.most - self.bytes)
            if self.bytes > self.most:
                return


def is_small(value: Any) -> bool:
    """Whether a value is not worth counting by itself."""
    kind = type(value)
    return kind in _FREE or kind in _NUMBERS or (kind is str and len(value) < _SHORT)


def bytes_of(value: Any, seen: set[int], most: int) -> int:
    """The bytes of a value and of all in it, but for what was ``seen``; beyond ``most`` it counts no further.

    The memory of objects whose parts are not known (those of an application) is what ``sys.getsizeof`` says.
    """
    total = 0
    rest = [value]
    while rest and total <= most:
        each = rest.pop()
        kind = type(each)
        if kind in _FREE:
            continue
        if kind in _NUMBERS or (kind is str and len(each) < _SHORT):
            total += getsizeof(each)
            continue
        if id(each) in seen:
            continue
        seen.add(id(each))
        total += _own_bytes(each)
        if isinstance(each, dict):
            for key in each:
                if id(key) not in seen:
                    seen.add(id(key))
                    total += _own_bytes(key)
            rest.extend(each.values())
        elif isinstance(each, (list, tuple, set, frozenset)):
            rest.extend(each)
        elif isinstance(each, BaseModel):
            rest.append(each.__dict__)
    return total


def _own_bytes(value: Any) -> int:
    try:
        return getsizeof(value)
    except Exception:  # a class of the application may fail at saying it
        return object.__sizeof__(value)


def _held(values: list[Any]) -> list[Any]:
    """Those of the values that something else holds too, in their order; the list is emptied.

    What holds another value is mostly younger than that, so the last one is looked at first.
    """
    held = []
    while values:
        value = values.pop()
        if getrefcount(value) > _OURS:
            held.append(value)
    held.reverse()
    return held


def _count_of_ours() -> int:
    """The reference count that :func:`_held` sees of a value that nothing else holds."""
    values: list[Any] = [[]]
    value = values.pop()
    return getrefcount(value)


_OURS = _count_of_ours()
