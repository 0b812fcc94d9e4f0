"""Owns values in which one list occurs many times: small in memory, and without end when they are written."""

from __future__ import annotations

from typing import Any

from ..types.errors import LimitExceeded

MOST = 10_000_000
"""This many values may come of one that shares lists or objects with itself."""
DEEPEST = 200
"""Whatever writes deeper ones refuses them."""


def refuse_expanding(value: Any) -> None:
    """Raise LimitExceeded where writing a value out would take far more than it takes in memory.

    Forty lists, each of which holds the one before twice, are some kilobytes; written out they are 2**40 values.
    What shares nothing is as large as it is, and is looked at once.
    """
    count = _Count()
    written = count.of(value, 0)
    if written > MOST and written > 2 * count.held:
        raise LimitExceeded(
            f"the value would be {written:,} values when it is written out, since the same lists and "
            f"objects are in it many times; expected at most {MOST:,}"
        )


class _Count:
    """Counts the values in a value; ``held`` is how many there are, each list and object counted once."""

    __slots__ = ("_known", "held")

    def __init__(self) -> None:
        self.held = 0
        self._known: dict[int, int] = {}

    def of(self, value: Any, depth: int) -> int:
        kind = value.__class__
        if kind is not list and kind is not dict and kind is not tuple:
            return 1
        found = self._known.get(id(value))
        if found is not None or depth > DEEPEST:
            return found or 1
        self.held += len(value)
        total = 1 + len(value)
        for item in value.values() if kind is dict else value:
            kind = item.__class__
            if kind is list or kind is dict or kind is tuple:
                total += self.of(item, depth + 1) - 1
        self._known[id(value)] = total
        return total
