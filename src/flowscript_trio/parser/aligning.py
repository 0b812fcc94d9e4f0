"""Owns the alignment of a YAML scalar with its source: which character of it is where."""

from __future__ import annotations

import re

Run = tuple[int, int]
"""An index in one text and the index in another from which on both advance alike."""

_SPACE = " \t\r\n"
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)")
_CONTINUED = re.compile(r"[ \t]*\\\r?\n[ \t]*")


def align(value: str, raw: str) -> list[Run]:
    """Runs of (index in ``value``, index in ``raw``), ascending, the first at index 0.

    ``raw`` is the scalar as written, quotes or the ``|`` of a block included. Walks both side by side: quotes,
    indents and folded lines are stepped over, and an escape stands for one character.
    """
    whole = raw.find(value)
    if whole >= 0:
        return [(0, whole)]
    quote = raw[:1] if raw[:1] in ("'", '"') else ""
    at = 1 if quote else _block_start(raw)
    runs: list[Run] = []
    for index, char in enumerate(value):
        at, width = _find(char, raw, at, quote)
        if not runs or runs[-1][1] - runs[-1][0] != at - index:
            runs.append((index, at))
        at += width
    return runs


def _find(char: str, raw: str, at: int, quote: str) -> tuple[int, int]:
    """Where a character of the scalar is from ``at`` on, and how many characters stand for it."""
    if quote == '"' and (continued := _CONTINUED.match(raw, at)):
        at = continued.end()
    if quote == '"' and (escape := _ESCAPE.match(raw, at)):
        return at, len(escape[0])
    if quote == "'" and char == "'":
        return at, 2
    if raw[at : at + 1] == char and char != "\n":
        return at, 1
    end = at
    while raw[end : end + 1] and raw[end] in _SPACE:
        end += 1
    if char in _SPACE:
        return _fold(raw, at, end, char)
    return (end, 1) if raw[end : end + 1] == char else (min(at, len(raw) - 1), 0)


def _fold(raw: str, at: int, end: int, char: str) -> tuple[int, int]:
    """White space that stands for a line end: up to the next line end, or all where lines are folded."""
    line = raw.find("\n", at, end)
    if char == "\n" and line >= 0:
        return line, 1
    return at, end - at


def _block_start(raw: str) -> int:
    """Where the text of a block scalar (``|`` or ``>``) begins; 0 for other scalars."""
    return raw.find("\n") + 1 if raw[:1] in ("|", ">") else 0
