"""Owns what enumerations, paths and lengths of time stand for where expressions write and compare them."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any

from ..types.errors import EvaluationError

_SECOND = 1_000_000
"""Microseconds."""
STANDING = (Enum, PurePath, timedelta)


def stands_for(value: Any) -> Any:
    """The plain value that one of ``STANDING`` stands for; anything else is itself.

    An enumeration stands for its value, a path for its text, a length of time for its duration in ISO 8601.
    """
    while isinstance(value, Enum):
        value = value.value
    if isinstance(value, PurePath):
        return str(value)
    return _duration(value) if isinstance(value, timedelta) else value


def _duration(value: timedelta) -> str:
    """In ISO 8601, ``P1DT2H3M4.5S``; each part of a negative one has the sign, as in PostgreSQL."""
    total = (value.days * 86_400 + value.seconds) * _SECOND + value.microseconds
    sign, total = ("-" if total < 0 else ""), abs(total)
    days, rest = divmod(total, 86_400 * _SECOND)
    hours, rest = divmod(rest, 3600 * _SECOND)
    minutes, rest = divmod(rest, 60 * _SECOND)
    seconds, micros = divmod(rest, _SECOND)
    part = f".{micros:06}".rstrip("0") if micros else ""
    date = f"{sign}{days}D" if days else ""
    time = "".join(
        f"{sign}{number}{letter}"
        for number, letter in ((hours, "H"), (minutes, "M"), (f"{seconds}{part}", "S"))
        if number not in (0, "0")
    )
    return f"P{date}" + (f"T{time}" if time else "") if date or time else "PT0S"


def own_text(value: Any) -> str:
    """The text of an object whose class has one; of any other it would be its place in memory."""
    kind, no_text = type(value), getattr(object, "__str__")  # noqa: B009
    if kind.__str__ is no_text:
        raise EvaluationError(
            f"an object of type {kind.__module__}.{kind.__qualname__} has no text"
        )
    text: str = str(value)
    return text
