"""Owns a row as it stands in a table: large parts as hashes, and a sum that tells whether it is whole. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

from ..types.storing import StoreFailed
from .blobs import Large, LargeRow
from .rows import Row

_DATA, _VALUE = 1, 2
"""Which parts of a row are large."""


@dataclass(frozen=True, slots=True)
class Tabled:
    """The columns of a row behind its number; ``large`` says which of its parts are hashes."""

    kind: str
    key: bytes
    data: bytes
    value: bytes
    large: int
    sum: int

    def columns(self) -> tuple[str, bytes, bytes, bytes, int, int]:
        return self.kind, self.key, self.data, self.value, self.large, self.sum


def tabled(number: int, row: Row | LargeRow, keep: Callable[[Large], None]) -> Tabled:
    """A row for a table; ``keep`` is given its large parts."""
    large, parts = 0, []
    for part, flag in ((row.data, _DATA), (row.value, _VALUE)):
        if isinstance(part, Large):
            keep(part)
            large |= flag
            parts.append(part.hash)
        else:
            parts.append(part)
    key = row.key.encode("utf-8", "surrogatepass")
    data, value = parts
    return Tabled(row.kind, key, data, value, large, _sum(number, row.kind, key, data, value))


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
    return crc32(value, crc32(data, crc32(key, crc32(f"{number} {kind} ".encode()))))
