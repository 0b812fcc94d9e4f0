"""Owns large texts, and JSON as it is written, in pieces: a thread that does so lets the others have their turn.

One call of a codec or of the json module over a hundred megabytes keeps the interpreter to itself for a second, in
whatever thread it is made.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..types.errors import FlowScriptError

PIECE = 256 * 1024
"""Characters, or bytes, of a piece: a few milliseconds."""
_MOST = 64 * 1024
"""About how many characters are written at once."""
_AT_ONCE = 1000
"""Items of a list that are written at once."""


def decode_text(data: bytes, encoding: str, errors: str = "strict") -> str:
    """The text of bytes; raises UnicodeError as ``bytes.decode`` does, and LookupError."""
    if len(data) <= PIECE:
        return data.decode(encoding, errors)
    try:
        data[:1].decode(encoding, "ignore")  # LookupError where it is not an encoding of text
        return grown(_decoded(data, codecs.getincrementaldecoder(encoding)(errors)))
    except UnicodeError:
        return data.decode(encoding, errors)  # whose error says where in the whole it is


def _decoded(data: bytes, decoder: codecs.IncrementalDecoder) -> Iterator[str]:
    view = memoryview(data)
    for at in range(0, len(data), PIECE):
        yield decoder.decode(bytes(view[at : at + PIECE]))
    yield decoder.decode(b"", True)


def grown(pieces: Iterable[str]) -> str:
    """The pieces as one text. To join 200 MB is one call of a third of a second, so the text grows instead.

    CPython lets a text that nobody else has grow where it is, and Linux moves its pages and copies none; where
    that is not so each step might copy it all.
    """
    if sys.platform != "linux":
        return "".join(pieces)
    text = ""
    for piece in pieces:
        text += piece
    return text


def encode_text(text: str, encoding: str) -> bytes:
    """The bytes of a text; raises UnicodeEncodeError, whose ``object`` may be a piece of the text."""
    if len(text) <= PIECE:
        return text.encode(encoding)
    encoder = codecs.getincrementalencoder(encoding)()
    pieces = [encoder.encode(text[at : at + PIECE]) for at in range(0, len(text), PIECE)]
    return b"".join([*pieces, encoder.encode("", True)])


def whole_lines(text: str) -> Iterator[str]:
    """The text in pieces of whole lines, each but the last with a line feed at its end."""
    at = 0
    while at < len(text):
        end = text.rfind("\n", at, at + PIECE) + 1 or text.find("\n", at + PIECE) + 1 or len(text)
        yield text[at:end]
        at = end


def is_large(value: Any) -> bool:
    """Whether a value is so large that it should be written in a thread. To say so takes no time."""
    return weight_of(value) >= _MOST


def weight_of(value: Any) -> int:
    """About how many characters a value is written in, of one that is large no less than makes it so."""
    left, waiting = _MOST, [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, (str, bytes)):
            left -= len(found)
        elif isinstance(found, Mapping):
            left -= 20 * len(found)
            if left > 0:
                waiting += found.values()
        elif isinstance(found, (list, tuple)):
            left -= 20 * len(found)
            if left > 0:
                waiting += found
        if left <= 0:
            break
    return _MOST - left


Encode = Callable[[Any, int | None], str]
"""Writes a value as JSON: in lines that are indented by a number of spaces, or in one line."""


def write_json(value: Any, encode: Encode, indent: int | None = None) -> str:
    """A value as ``encode`` writes it, lists and mappings in parts.

    Errors are those of the whole value, since they name its paths.
    """
    try:
        return "".join(_written(value, encode, indent, "\n"))
    except FlowScriptError:
        return encode(value, indent)


def _written(value: Any, encode: Encode, indent: int | None, margin: str) -> Iterator[str]:
    """The parts of a text whose lines begin with ``margin``: no text in JSON has a line feed in it."""
    inner, outer, colon = ("", "", ":") if indent is None else (margin + " " * indent, margin, ": ")
    if value.__class__ is list and len(value) > _AT_ONCE:
        # Its bracket and, in lines, where its first item begins.
        begin = 1 if indent is None else 2 + indent
        end = -1 if indent is None else -2
        for at in range(0, len(value), _AT_ONCE):
            yield ("," if at else "[") + inner
            yield encode(value[at : at + _AT_ONCE], indent)[begin:end].replace("\n", margin)
        yield outer + "]"
    elif value.__class__ is dict and value and all(key.__class__ is str for key in value):
        for at, (key, item) in enumerate(value.items()):
            yield ("," if at else "{") + inner + encode(key, indent) + colon
            yield from _written(item, encode, indent, inner)
        yield outer + "}"
    else:
        yield encode(value, indent).replace("\n", margin)
