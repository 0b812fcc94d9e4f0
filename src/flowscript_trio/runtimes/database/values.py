"""Owns values as drivers take them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ...expression.encoding import encode_json
from ...expression.standing import plainer

if TYPE_CHECKING:
    from .tables import Table

PLAIN = frozenset({type(None), bool, int, float, str, bytes})


def to_driver(value: Any, dialect: str, *, is_array: bool = False) -> Any:
    """A value that the driver of the dialect takes.

    Lists and objects are JSON text; with ``is_array`` a list stays one. SQLite, which has neither dates nor
    decimals, gets them as text: dates and durations in ISO 8601. An enumeration is its value, a path its text.
    """
    kind = type(value)
    if kind in PLAIN:
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
    elif isinstance(value, timedelta):
        return value  # the driver's own
    plain = plainer(value)
    return value if plain is value else to_driver(plain, dialect, is_array=is_array)


def to_column(value: Any, table: Table, column: str) -> Any:
    """A value for a column of PostgreSQL. In one of JSON every value is JSON, so that a text stays a text."""
    if value is None:
        return None
    if table.is_json(column):
        return encode_json(value)
    if table.is_json_list(column) and isinstance(value, (list, tuple)):
        return [None if item is None else encode_json(item) for item in value]
    if value.__class__ in PLAIN:
        return value
    return to_driver(value, "postgresql", is_array=column in table.arrays)


def to_value(value: Any) -> Any:
    """A value of a row as workflows have it: bytes where a driver has a view of them."""
    return bytes(value) if isinstance(value, (memoryview, bytearray)) else value
