"""Owns how plain values other than texts are written, and which could be written as a secret is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from unicodedata import normalize
from uuid import UUID

_DIGITS = "0123456789"
_FLOAT = _DIGITS + "-+.einfa"
_TIME = _DIGITS + ":.+-"
_SIGNS: dict[type, str] = {
    type(None): "",
    bool: "",
    int: _DIGITS + "-",
    float: _FLOAT,
    Decimal: _DIGITS + "-+.ENaInfitys",
    complex: _FLOAT + "j()",
    date: _DIGITS + "-",
    datetime: _TIME + " T",
    time: _TIME,
    timedelta: _TIME + "days, ",
    UUID: _DIGITS + "abcdefABCDEF-",
    range: _DIGITS + "-, range()",
}
"""The signs that the values of each class are written with, but for ``None`` and booleans: nobody's secrets."""

PLAIN = frozenset(_SIGNS)


def kinds_written_as(secrets: Iterable[str], run: int) -> frozenset[type]:
    """The classes whose values could be written as a secret is, or as ``run`` characters of one.

    A secret may have digits of another width: as a number it has those of ASCII.
    """
    given = {form for secret in secrets for form in (secret, normalize("NFKC", secret))}
    return frozenset(
        kind
        for kind, signs in _SIGNS.items()
        if any(_longest_run(secret, frozenset(signs)) >= min(len(secret), run) for secret in given)
    )


def written(value: Any) -> str:
    """A plain value as a text; the empty text for an integer of more digits than Python writes out."""
    try:
        return str(value)
    except ValueError:
        return ""


def _longest_run(text: str, signs: frozenset[str]) -> int:
    """The most characters in a row that are all among the signs."""
    longest = length = 0
    for char in text:
        length = length + 1 if char in signs else 0
        longest = max(longest, length)
    return longest
