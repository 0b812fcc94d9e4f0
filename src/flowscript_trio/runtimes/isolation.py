"""Owns private copies: what a runtime is handed can be changed by it and by no one else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

_IMMUTABLE = frozenset({type(None), bool, int, float, complex, str, bytes, range, type(...)})


def private_copy(value: Any, warn: Callable[[str], None]) -> Any:
    """A deep copy of ``value``; shared and cyclic references within it stay as they are.

    What cannot be copied (a client, a lock, a generator) is handed over as it is; ``warn`` is called
    with the name of its type.
    """
    return _copy(value, {}, warn)


def _copy(value: Any, memo: dict[int, Any], warn: Callable[[str], None]) -> Any:
    kind = type(value)
    if kind in _IMMUTABLE:
        return value
    if (known := memo.get(id(value))) is not None:
        return known
    if kind is dict:
        memo[id(value)] = new = {}
        for key, item in value.items():
            new[key] = _copy(item, memo, warn)
        return new
    if kind is list:
        items: list[Any] = []
        memo[id(value)] = items
        for item in value:  # a generator would take a second frame of the stack for each level
            items.append(_copy(item, memo, warn))
        return items
    if kind is tuple:
        parts: list[Any] = []
        for item in value:
            parts.append(_copy(item, memo, warn))
        return tuple(parts)
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # any class may refuse in its own way
        warn(f"{kind.__module__}.{kind.__qualname__}")
        memo[id(value)] = value
        return value
