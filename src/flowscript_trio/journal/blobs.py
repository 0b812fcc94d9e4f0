"""Owns large values: they are kept once, under their hash, and compressed before they are queued. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from hashlib import sha256

from .rows import Large, LargeRow, Row

LARGE = 64 * 1024
"""Bytes above which a part of a row is kept under its hash."""


def pack(row: Row, known: set[bytes]) -> Row | LargeRow:
    """The row as it is queued; ``known`` are the hashes of this journal, to which new ones are added."""
    if len(row.data) <= LARGE and len(row.value) <= LARGE:
        return row
    return LargeRow(row.kind, row.key, _packed(row.data, known), _packed(row.value, known))


def _packed(part: bytes, known: set[bytes]) -> bytes | Large:
    if len(part) <= LARGE:
        return part
    digest = sha256(part).digest()
    if digest in known:
        return Large(digest, b"")
    known.add(digest)
    return Large(digest, zlib.compress(part, 1))


def any_in(pieces: Iterable[bytes], overlap: int, look: Callable[[bytes], bool]) -> bool:
    """Whether ``look`` finds something in the bytes of the pieces that is no longer than ``overlap``."""
    before = b""
    for piece in pieces:
        part = before + piece
        if look(part):
            return True
        before = part[-overlap:]
    return False


def unpack(digest: bytes, packed: bytes) -> bytes:
    """The large part; ValueError where it is not what was packed."""
    try:
        part = zlib.decompress(packed)
    except zlib.error as exc:
        raise ValueError(str(exc)) from None
    if sha256(part).digest() != digest:
        raise ValueError("its hash differs")
    return part
