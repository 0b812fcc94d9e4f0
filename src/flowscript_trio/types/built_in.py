"""Owns how a value of a subclass of a built-in type is read: as what it is, past what its own class does. Pure.

A method of such a class may raise, lie or never end. What shows a value calls none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from .exceptions import is_a

_TOLD = (int, float, complex, bytes, bytearray, Decimal, datetime, date, time, timedelta)
_MANY: tuple[Any, ...] = (list, tuple, set, frozenset)


def is_built_in(value: object) -> bool:
    """Whether a value is of a built-in type or a subclass of one, whose own methods are not called."""
    return is_a(value, (*_TOLD, *_MANY, str, dict))


def repr_of(value: object) -> str:
    """The ``repr`` of a value; of one that is a number, bytes or a moment, that of the built-in type."""
    for kind in () if type(value) is bool else _TOLD:
        if is_a(value, kind):
            told: str = kind.__repr__(value)
            return told
    return repr(value)


def text_of_key(key: object) -> str:
    """A key as the text that stands for it in JSON."""
    if is_a(key, str):
        return str.__str__(key)
    return repr_of(key) if is_a(key, (int, float)) else str(key)


def bytes_of(value: Any) -> bytes:
    """The very bytes of what is bytes, perhaps mutable; the same object where it is of no class of its own."""
    if is_a(value, bytes):
        return value if type(value) is bytes else bytes.__getitem__(value, slice(None))
    return bytes(bytearray.__getitem__(value, slice(None)))


def items_of(value: Any) -> tuple[int, Iterator[Any]]:
    """How many items are in a list, a tuple, a set or any other collection, and these."""
    for kind in _MANY:
        if is_a(value, kind):
            return kind.__len__(value), kind.__iter__(value)
    return len(value), iter(value)


def entries_of(value: Any) -> tuple[int, Iterator[tuple[Any, Any]]]:
    """How many entries are in a mapping, and these."""
    if is_a(value, dict):
        return dict.__len__(value), iter(dict.items(value))
    return len(value), iter(value.items())
