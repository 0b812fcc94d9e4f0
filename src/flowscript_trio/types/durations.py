"""Owns durations: ``250ms``, ``5s``, ``1.5m``, ``2h``, ``1d``, ``1h30m``, ``PT5S`` → seconds."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from .patterns import pattern

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIMPLE = pattern(
    r"(?:(?P<d>\d+(?:\.\d+)?|\.\d+)\s*d\s*)?(?:(?P<h>\d+(?:\.\d+)?|\.\d+)\s*h\s*)?"
    r"(?:(?P<m>\d+(?:\.\d+)?|\.\d+)\s*m\s*)?(?:(?P<s>\d+(?:\.\d+)?|\.\d+)\s*s\s*)?"
    r"(?:(?P<ms>\d+(?:\.\d+)?|\.\d+)\s*ms\s*)?",
    re.ASCII,
)
_ISO = pattern(
    r"P(?:(?P<w>\d+(?:\.\d+)?)W)?(?:(?P<d>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=\d)(?:(?P<h>\d+(?:\.\d+)?)H)?(?:(?P<m>\d+(?:\.\d+)?)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_ISO_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_BARE = pattern(r"\d+(?:\.\d+)?", re.ASCII)
LONGEST = 200
"""Characters of a text that may be a duration."""
EXPECTED = "a duration such as 250ms, 5s, 1.5m, 2h, 1d, 1h30m or PT5S"


def parse_duration(text: object) -> float:
    """Seconds of a duration; raises ValueError for what is not a duration (negative and infinite ones too)."""
    if isinstance(text, timedelta) and text >= timedelta(0):
        return text.total_seconds()
    if not isinstance(text, str):
        # Of a list or an object only the kind: to write it out may take for ever.
        what = (
            repr(text)
            if text is None or isinstance(text, (int, float))
            else f"a {type(text).__name__}"
        )
        raise ValueError(f"{what} is not a duration; expected {EXPECTED}")
    word = text.strip() if len(text) <= LONGEST else ""
    if word and (simple := _SIMPLE.fullmatch(word)):
        seconds = sum(float(n) * _UNITS[u] for u, n in simple.groupdict().items() if n)
    elif len(word) > 1 and (iso := _ISO.fullmatch(word)) and any(iso.groupdict().values()):
        seconds = sum(float(n) * _ISO_SECONDS[u] for u, n in iso.groupdict().items() if n)
    elif _BARE.fullmatch(word):
        raise ValueError(f"{text!r} has no unit; expected {EXPECTED}")
    else:
        raise ValueError(f"{text!r} is not a duration; expected {EXPECTED}")
    if seconds == float("inf"):
        raise ValueError(f"{text!r} is too long; expected {EXPECTED}")
    return seconds


def parse_timeout(text: object) -> float:
    """As :func:`parse_duration`; a bare number counts as seconds."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        text = f"{text}s"
    elif isinstance(text, str) and _BARE.fullmatch(text.strip()):
        text = f"{text.strip()}s"
    return parse_duration(text)


_ONE = (
    r"((\d+(\.\d+)?|\.\d+)\s*(ms|s|m|h|d)\s*)+"
    r"|P(\d+(\.\d+)?W)?(\d+(\.\d+)?D)?(T(\d+(\.\d+)?H)?(\d+(\.\d+)?M)?(\d+(\.\d+)?S)?)?"
)
DURATION_SCHEMA = {"type": "string", "pattern": rf"^\s*({_ONE})\s*$"}
TIMEOUT_SCHEMA = {"type": "string", "pattern": rf"^\s*({_ONE}|\d+(\.\d+)?)\s*$"}

Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(DURATION_SCHEMA)]
"""A pydantic field of seconds, written as a duration. What it bounds is cancelled when it has passed."""

WaitingTime = Annotated[float, BeforeValidator(parse_timeout), WithJsonSchema(TIMEOUT_SCHEMA)]
"""As :data:`Duration`; a bare number counts as seconds."""
