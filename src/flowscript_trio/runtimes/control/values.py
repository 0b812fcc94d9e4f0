"""Owns the values that only control elements have: limits, waits, tolerances, and how they are read."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from ...types.deferred import dataclass
from ...types.patterns import pattern


@dataclass(frozen=True, slots=True)
class WaitAll:
    """Every branch must succeed."""

    def __str__(self) -> str:
        return "all"


@dataclass(frozen=True, slots=True)
class WaitAny:
    """One branch must succeed."""


@dataclass(frozen=True, slots=True)
class WaitN:
    """``count`` branches must succeed."""

    count: int


@dataclass(frozen=True, slots=True)
class TolerateCount:
    """This many branches may fail."""

    count: int


@dataclass(frozen=True, slots=True)
class TolerateShare:
    """This fraction of the branches (0 to 1, rounded down) may fail."""

    fraction: float


_WHOLE = pattern(r"[+-]?\d{1,18}", re.ASCII)
_WAIT_N = pattern(r"n\s*\(\s*(\d{1,18})\s*\)", re.ASCII)
_SHARE = pattern(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)


def _read_whole(value: object) -> int | None:
    """The whole number that ``value`` is or spells, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    return None


def parse_limit(value: object) -> float:
    """A ``maxConcurrency``: an int of at least 1, or ``math.inf`` for ``unlimited``."""
    if isinstance(value, str) and value.strip() == "unlimited":
        return math.inf
    limit = _read_whole(value)
    if limit is None or limit < 1:
        raise ValueError(
            f"{value!r} is not a limit; expected a whole number of at least 1, or unlimited"
        )
    return limit


def parse_wait(value: object) -> WaitAll | WaitAny | WaitN:
    """``all``, ``any`` or ``n(K)`` with K at least 1."""
    expected = "expected all, any, or n(K) with K a whole number of at least 1"
    if isinstance(value, WaitAll | WaitAny | WaitN):
        return value
    word = value.strip() if isinstance(value, str) else ""
    if word == "all":
        return WaitAll()
    if word == "any":
        return WaitAny()
    found = _WAIT_N.fullmatch(word)
    if found is None or int(found[1]) < 1:
        raise ValueError(f"{value!r} is not what a block can wait for; {expected}")
    return WaitN(int(found[1]))


def parse_tolerance(value: object) -> TolerateCount | TolerateShare:
    """How many branches may fail: ``2``, or ``10%``."""
    if isinstance(value, TolerateCount | TolerateShare):
        return value
    if isinstance(value, str) and (share := _SHARE.fullmatch(value.strip())):
        percent = float(share[1])
        if percent <= 100:
            return TolerateShare(percent / 100)
    count = _read_whole(value)
    if count is None or count < 0:
        raise ValueError(
            f"{value!r} is not a number of branches; expected a whole number such as 2, or a share such as 10%"
        )
    return TolerateCount(count)


def _schema(*kinds: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": list(kinds)})


Limit = Annotated[
    float,
    PlainValidator(parse_limit),
    _schema({"type": "integer", "minimum": 1}, {"const": "unlimited"}),
]
"""A pydantic field: an int of at least 1, or ``math.inf``."""

Wait = Annotated[
    WaitAll | WaitAny | WaitN,
    PlainValidator(parse_wait),
    _schema({"enum": ["all", "any"]}, {"type": "string", "pattern": r"^\s*n\s*\(\s*\d+\s*\)\s*$"}),
]

Tolerate = Annotated[
    TolerateCount | TolerateShare,
    PlainValidator(parse_tolerance),
    _schema(
        {"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"}
    ),
]
