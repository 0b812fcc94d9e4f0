"""Owns the types of csv columns: ``price: number, day: date`` as functions that read a field. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from ...types.errors import FlowScriptError, nearest

Reader = Callable[[str | None, str], Any]
"""Reads a field; the second argument is its place, for messages. An empty field is null."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _number(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text) or (number := float(text)) in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _integer(text: str) -> Any:
    if not _INTEGER.fullmatch(text):
        raise ValueError
    return int(text)


def _boolean(text: str) -> Any:
    found = _BOOLEANS.get(text.lower())
    if found is None:
        raise ValueError
    return found


_TYPES: dict[str, Callable[[str], Any]] = {
    "string": str,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def quoted(text: str) -> str:
    """A field in an error, where it is short; a long one is not cut, so that masking finds secrets in it."""
    return repr(text) if len(text) <= 80 else f"text of {len(text):,} characters"


def readers_of(
    types: Mapping[str, str], describe: Callable[[str], str] = quoted
) -> dict[str, Reader]:
    """The reader of each column's type; raises ValueError for a type that there is not.

    ``describe`` says what a field is that is not of its column's type.
    """
    return {column: _reader_of(column, kind, describe) for column, kind in types.items()}


def _reader_of(column: str, kind: str, describe: Callable[[str], str]) -> Reader:
    read = _TYPES.get(kind) if isinstance(kind, str) else None
    if read is None:
        if not isinstance(kind, str):
            raise ValueError(f"the type of a column is text; expected one of {', '.join(_TYPES)}")
        near = nearest(kind, list(_TYPES))
        hint = f" (did you mean {near!r}?)" if near else ""
        raise ValueError(
            f"the column {column!r} has the type {describe(kind)}{hint}; expected one of {', '.join(_TYPES)}"
        )

    def read_field(text: str | None, place: str) -> Any:
        if text is None or (text.strip() == "" and kind != "string"):
            return None
        try:
            return read(text if kind == "string" else text.strip())
        except ValueError:
            raise FlowScriptError(f"{place} is {describe(text)}; expected {kind}") from None

    return read_field


def split_types(text: str, describe: Callable[[str], str] = quoted) -> dict[str, str]:
    """Types as they are written: ``price: number, day: date``; raises ValueError, which says what is wrong."""
    found: dict[str, str] = {}
    for part in text.split(","):
        column, colon, kind = part.rpartition(":")
        if not colon or not column.strip() or not kind.strip():
            raise ValueError(
                f"{describe(part.strip())} is not a column and its type; expected name: type"
            )
        if column.strip() in found:
            raise ValueError(f"the column {column.strip()!r} has two types")
        found[column.strip()] = kind.strip()
    return found
