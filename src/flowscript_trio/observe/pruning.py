"""Owns how much of a value is told to people: its beginning, as JSON, in bounded work. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import islice
from math import isfinite
from typing import Any

MOST_TEXT = 2_000
"""Characters of one text that are kept."""
MOST_VALUES = 200
"""Values in one value that are kept, at any depth."""
MOST_LEVELS = 8

_PLAIN = (type(None), bool, int)


def prune(value: Any) -> Any:
    """The beginning of a value, ready for JSON; what was left out is counted where it would stand.

    What JSON has no word for is told by its ``repr``.
    """
    kind = value.__class__
    if kind in _PLAIN:
        return value
    if kind is str:
        return cut(value)
    return _Pruner().value(value, MOST_LEVELS)


def cut(text: str) -> str:
    """The beginning of a text."""
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}… ({len(text) - MOST_TEXT:,} more characters)"


class _Pruner:
    """One walk over a value; ``_left`` is how many values it still has room for."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def value(self, value: Any, levels: int) -> Any:
        self._left -= 1
        if isinstance(value, str):
            return cut(value)
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, float):
            return value if isfinite(value) else str(value)
        if isinstance(value, Mapping):
            return self._mapping(value, levels)
        if isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray):
            return self._items(value, levels)
        return _described(value)

    def _mapping(self, value: Mapping[Any, Any], levels: int) -> Any:
        if not levels:
            return f"… ({len(value):,} more entries)"
        kept: dict[str, Any] = {}
        for key, item in islice(value.items(), max(self._left, 0)):
            if self._left <= 0:
                break
            kept[cut(str(key))] = self.value(item, levels - 1)
        if len(value) > len(kept):
            kept["…"] = f"{len(value) - len(kept):,} more entries"
        return kept

    def _items(self, value: Sequence[Any] | Set[Any], levels: int) -> Any:
        if not levels:
            return f"… ({len(value):,} more items)"
        kept: list[Any] = []
        for item in islice(value, max(self._left, 0)):
            if self._left <= 0:
                break
            kept.append(self.value(item, levels - 1))
        if len(value) > len(kept):
            kept.append(f"… ({len(value) - len(kept):,} more items)")
        return kept


def _described(value: Any) -> str:
    try:
        return cut(repr(value))
    except (
        Exception
    ):  # an object of the user's: that it cannot be shown is no reason for a run to fail
        return f"<{type(value).__name__}>"
