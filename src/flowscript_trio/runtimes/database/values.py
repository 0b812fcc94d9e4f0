"""Owns values as drivers take them."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from ...expression.encoding import encode_json

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})


def to_driver(value: Any, dialect: str, *, is_array: bool = False) -> Any:
    """A value that the driver of the dialect takes.

    Lists and objects are JSON text; with ``is_array`` a list stays one. SQLite, which has neither dates nor
    decimals, gets them as text: dates in ISO 8601.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, (list, tuple)) and is_array:
        return [to_driver(item, dialect, is_array=True) for item in value]
    if isinstance(value, (dict, list, tuple)):
        return encode_json(value)
    if dialect == "sqlite":
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, (Decimal, UUID)):
            return str(value)
    return value


def to_value(value: Any) -> Any:
    """A value of a row as workflows have it: bytes where a driver has a view of them."""
    return bytes(value) if isinstance(value, (memoryview, bytearray)) else value
