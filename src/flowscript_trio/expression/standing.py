"""Owns what enumerations, paths and lengths of time stand for where expressions write and compare them."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any

from ..types.errors import EvaluationError

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
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    parts = [f"{hours}H" * bool(hours), f"{minutes}M" * bool(minutes)]
    parts.append(f"{seconds}{fraction}S" * bool(seconds or fraction))
    time = "".join(parts)
    days = f"{value.days}D" * bool(value.days)
    return f"{sign}P{days}T{time}" if time else f"{sign}P{days or 'T0S'}"


def own_text(value: Any) -> str:
    """The text of an object whose class has one; of any other it would be its place in memory."""
    kind, no_text = type(value), getattr(object, "__str__")  # noqa: B009
    if kind.__str__ is no_text:
        raise EvaluationError(
            f"an object of type {kind.__module__}.{kind.__qualname__} has no text"
        )
    text: str = str(value)
    return text
