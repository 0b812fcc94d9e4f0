"""Owns large values as bytes, made in pieces: a thread that does so lets the others have their turn.

One call of the json module, of a hash or of a search over a hundred megabytes keeps the interpreter to itself for
as long as it takes, in whatever thread it is made.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, islice
from json.encoder import encode_basestring
from typing import Any

from ..expression import bulk
from .rows import Large
from .secrets import KeptSecrets
from .values import JSON, PARTS, dumped, is_plain, parts_of

_AT_ONCE = 1_000
"""Items of a container that are looked at together."""


def encode_in_pieces(value: Any, secrets: KeptSecrets | None) -> list[bytes]:
    """What :func:`~.values.encode_value` makes of a value, in pieces. For a thread. Raises CannotKeep."""
    if is_plain(value):
        try:
            pieces = [JSON, *_written(value)]
        except ValueError:  # an integer of thousands of digits
            pass
        else:
            if secrets is None or not secrets.suspects_in(pieces):
                return pieces
    return [PARTS, *_written(parts_of(value, secrets))]


def packed(pieces: Sequence[bytes]) -> Large:
    """The pieces under their hash, compressed."""
    digest, compressor = sha256(), zlib.compressobj(1)
    made = []
    for piece in pieces:
        digest.update(piece)
        made.append(compressor.compress(piece))
    return Large(digest.digest(), b"".join([*made, compressor.flush()]))


def _written(value: Any) -> Iterator[bytes]:
    """The JSON of a value in pieces; what is looked for circles, and has no keys but texts."""
    kind = type(value)
    if not bulk.is_large(value):
        yield dumped(value)
    elif kind is str:
        yield b'"'
        for at in range(0, len(value), bulk.PIECE):
            text = encode_basestring(value[at : at + bulk.PIECE])
            yield text[1:-1].encode("utf-8", "surrogatepass")
        yield b'"'
    elif kind is list:
        items = (value[at : at + _AT_ONCE] for at in range(0, len(value), _AT_ONCE))
        yield from _between(b"[", chain.from_iterable(map(_items, items)), b"]")
    else:
        pairs = iter(value.items())
        members = iter(lambda: dict(islice(pairs, _AT_ONCE)), {})
        yield from _between(b"{", chain.from_iterable(map(_members, members)), b"}")


def _between(opening: bytes, parts: Iterable[Iterable[bytes]], closing: bytes) -> Iterator[bytes]:
    yield opening
    for number, part in enumerate(parts):
        if number:
            yield b","
        yield from part
    yield closing


def _items(items: list[Any]) -> Iterator[Iterable[bytes]]:
    """Items of a list as parts of its JSON, as many together as are not large."""
    if len(items) == 1:
        yield _written(items[0])
    elif bulk.is_large(items):
        half = len(items) // 2
        yield from _items(items[:half])
        yield from _items(items[half:])
    else:
        yield (dumped(items)[1:-1],)


def _members(members: dict[str, Any]) -> Iterator[Iterable[bytes]]:
    if not bulk.is_large(members):
        yield (dumped(members)[1:-1],)
        return
    for key, item in members.items():
        yield chain((dumped(key), b":"), _written(item))
