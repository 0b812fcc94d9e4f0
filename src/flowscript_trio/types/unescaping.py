"""Owns the undoing of escapes (URLs, JSON, Python, XML) in bytes, and where what was undone was. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from .patterns import pattern

Span = tuple[int, int]

DEEPEST = 6
"""How many times over something may be escaped and still be read."""

_ESCAPE = pattern(
    rb"%[0-9A-Fa-f]{2}"
    rb"|\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
    rb"|\\u[0-9A-Fa-f]{4}|\\U000?[01][0-9A-Fa-f]{5}|\\U00[0-9A-Fa-f]{6}|\\x[0-9A-Fa-f]{2}"
    rb"|\\[\\\"'/nrtbf]"
    rb"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);"
)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NAMES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}


def layers(data: bytes) -> Iterator[bytes]:
    """The data as they are, then with their escapes undone, then with the escapes that came to light undone."""
    yield data
    for _ in range(DEEPEST):
        if b"%" not in data and b"\\" not in data and b"&" not in data:
            return
        inner = _ESCAPE.sub(_undone, data)
        if inner == data:
            return
        yield inner
        data = inner


def outward(data: bytes, spans: list[Span]) -> list[Span]:
    """Where spans of the data without their escapes are in the data themselves; whole escapes only."""
    starts, ends, shown = [0], [0], [(0, 0)]
    shift = 0
    for found in _ESCAPE.finditer(data):
        length = len(_undone(found))
        starts.append(found.start() - shift)
        ends.append(starts[-1] + length)
        shown.append(found.span())
        shift += len(found[0]) - length

    def place(at: int) -> Span:
        index = bisect_right(starts, at) - 1
        if at < ends[index]:
            return shown[index]
        begin = shown[index][1] + at - ends[index]
        return begin, begin + 1

    return [(place(first)[0], place(last - 1)[1]) for first, last in spans]


def _undone(found: re.Match[bytes]) -> bytes:
    escape = found[0]
    if escape.startswith(b"%"):
        return bytes.fromhex(escape[1:].decode())
    if escape.startswith(b"&#"):
        digits = escape[2:-1]
        return _char(int(digits[1:], 16) if digits[:1] in b"xX" else int(digits), escape)
    if escape.startswith(b"&"):
        return _NAMES[escape[1:-1]]
    kind, digits = escape[1:2], escape[2:]
    if kind == b"x":
        return bytes.fromhex(digits.decode())
    if kind == b"u" and len(digits) > 4:  # two halves of a character
        pair = bytes.fromhex((digits[:4] + digits[6:]).decode())
        return pair.decode("utf-16-be").encode()
    if kind in (b"u", b"U"):
        return _char(int(digits, 16), escape)
    return _LETTERS.get(kind, kind)


def _char(code: int, escape: bytes) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else escape
