"""Owns what values that are neither JSON's nor text stand for where they are written and compared. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Set as AnySet
from contextlib import suppress
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


def has_members(value: Any) -> bool:
    """Whether a value is an object that is written with its members: of a pydantic model or a dataclass."""
    kind = type(value)
    return hasattr(kind, "model_dump") or hasattr(kind, "__dataclass_fields__")


def members_of(value: Any) -> Any:
    """The members of such an object by their names."""
    dump = getattr(type(value), "model_dump", None)
    if dump is not None:
        return dump(value)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def plainer(value: Any) -> Any:
    """A value as something plainer: what it stands for, of an object its members, of a set its items in order, of
    a range its numbers. Any other value as it is.
    """
    if isinstance(value, STANDING):
        return stands_for(value)
    if isinstance(value, AnySet):
        return in_order(value)
    if isinstance(value, range):
        return list(value)
    if has_members(value):
        return members_of(value)
    return value


def in_order(items: AnySet[Any]) -> list[Any]:
    """The items of a set in an order that is the same in every process: their own, else that of their reprs."""
    if not any(isinstance(item, AnySet) for item in items):  # these are only partly in order
        with suppress(TypeError):
            return sorted(items)
    return sorted(items, key=_repr)


def _repr(item: Any) -> tuple[str, str]:
    return type(item).__name__, repr(in_order(item) if isinstance(item, AnySet) else item)


def type_name(value: Any) -> str:
    """What the class of a value is called in messages."""
    return f"{type(value).__module__}.{type(value).__qualname__}"


def own_text(value: Any) -> str:
    """The text of an object whose class has one; of any other it would be its place in memory."""
    no_text = getattr(object, "__str__")  # noqa: B009
    if type(value).__str__ is no_text:
        raise EvaluationError(f"an object of type {type_name(value)} has no text")
    text: str = str(value)
    return text
