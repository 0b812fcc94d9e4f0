"""Owns a row as it is in a table: large parts as hashes, and a sum that tells whether it is whole. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from ..types.storing import StoreFailed
from .rows import Large, LargeRow, Row

_DATA, _VALUE = 1, 2
"""Which parts of a row are large."""


class Tabled(NamedTuple):
    """The columns of a row behind its number; ``large`` says which of its parts are hashes."""

    kind: str
    key: bytes
    data: bytes
    value: bytes
    large: int
    sum: int


def tabled(
    number: int, row: Row | LargeRow, keep: Callable[[Large], None]
) -> tuple[str, bytes, bytes, bytes, int, int]:
    """A row for a table, as the columns of :class:`Tabled`; ``keep`` is given its large parts."""
    large, data, value = 0, row.data, row.value
    if isinstance(data, Large):
        keep(data)
        large, data = _DATA, data.hash
    if isinstance(value, Large):
        keep(value)
        large, value = large | _VALUE, value.hash
    key = row.key.encode("utf-8", "surrogatepass")
    return row.kind, key, data, value, large, _sum(number, row.kind, key, data, value)


def untabled(number: int, columns: Tabled, large: Callable[[bytes], bytes]) -> Row:
    """The row of a table; ``large`` gives parts by their hashes. Raises StoreFailed for one that is not whole."""
    kind, key, data, value = columns.kind, columns.key, columns.data, columns.value
    if _sum(number, kind, key, data, value) != columns.sum:
        raise StoreFailed(f"row {number} is not what was written")
    return Row(
        kind,
        key.decode("utf-8", "surrogatepass"),
        large(data) if columns.large & _DATA else data,
        large(value) if columns.large & _VALUE else value,
    )


def large_parts(data: bytes, value: bytes, large: int) -> set[bytes]:
    """The hashes of what is large, of the columns of a row."""
    return {part for part, flag in ((data, _DATA), (value, _VALUE)) if large & flag}


def _sum(number: int, kind: str, key: bytes, data: bytes, value: bytes) -> int:
    return crc32(b"".join((f"{number} {kind} ".encode(), key, data, value)))
