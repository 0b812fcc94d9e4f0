"""Owns how much of a value is shown to people: its beginning, as JSON, in bounded work. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from itertools import islice
from math import isfinite
from typing import Any

from ..types.built_in import entries_of, items_of, repr_of, text_of_key
from ..types.exceptions import class_name, is_a

MOST_TEXT = 2_000
"""Characters of one text that are kept."""
MOST_VALUES = 200
"""Values in one value that are kept, at any depth."""
MOST_LEVELS = 8

_PLAIN = (type(None), bool, int)


def prune(value: Any) -> Any:
    """The beginning of a value, ready for JSON; what was left out is counted where it would be.

    What JSON has no word for is shown by its ``repr``.
    """
    kind = type(value)
    if kind in _PLAIN and kind is not int:
        return value
    if kind is str:
        return cut(value)
    return _Pruner().value(value, MOST_LEVELS)


def cut(text: str) -> str:
    """The beginning of a text."""
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}… ({len(text) - MOST_TEXT:,} more characters)"


MOST_BITS = 4096
"""Bits of an integer that is shown; Python itself refuses to write out much longer ones."""


class _Pruner:
    """One walk over a value; ``_left`` is how many values it still has room for."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def value(self, value: Any, levels: int) -> Any:
        """A value; one that its own class keeps from being looked at is shown as that."""
        self._left -= 1
        try:
            return self._shown(value, levels)
        except BaseException:  # an object of the user's: a run does not fail for that
            return f"<{class_name(value)}>"

    def _shown(self, value: Any, levels: int) -> Any:
        if is_a(value, str):
            return cut(str.__str__(value))
        if value is None or value is True or value is False:
            return value
        if is_a(value, int):
            bits = int.bit_length(value)
            if bits > MOST_BITS:
                return f"<an integer of {bits:,} bits>"  # too long to be written out
            return int.__int__(value)
        if is_a(value, float):
            number = float.__float__(value)
            return number if isfinite(number) else str(number)
        if is_a(value, Mapping):
            return self._mapping(value, levels)
        if is_a(value, (Sequence, Set)) and not is_a(value, (bytes, bytearray)):
            return self._items(value, levels)
        return _described(value)

    def _mapping(self, value: Mapping[Any, Any], levels: int) -> Any:
        count, entries = entries_of(value)
        if not levels:
            return f"… ({count:,} more entries)"
        kept: dict[str, Any] = {}
        for key, item in islice(entries, max(self._left, 0)):
            if self._left <= 0:
                break
            kept[cut(text_of_key(key))] = self.value(item, levels - 1)
        if count > len(kept):
            kept["…"] = f"{count - len(kept):,} more entries"
        return kept

    def _items(self, value: Collection[Any], levels: int) -> Any:
        count, items = items_of(value)
        if not levels:
            return f"… ({count:,} more items)"
        kept: list[Any] = []
        for item in islice(items, max(self._left, 0)):
            if self._left <= 0:
                break
            kept.append(self.value(item, levels - 1))
        if count > len(kept):
            kept.append(f"… ({count - len(kept):,} more items)")
        return kept


def _described(value: Any) -> str:
    try:
        return cut(repr_of(value))
    except BaseException:  # a run does not fail because it cannot be shown
        return f"<{class_name(value)}>"
