"""Owns what may be written to terminals and logs: characters that steer them are made visible. Pure."""

from __future__ import annotations

import json
import re

_STEERING = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""What JSON leaves as it is, and ends a line, steers a terminal, turns the direction of text or hides in it."""


def printable(text: str) -> str:
    """Text with its control characters made visible; lines and tabs stay what they are.

    What a document, a server or a file says must not steer the terminal.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _escape(c) for c in text)


def one_line(text: str) -> str:
    """Text as :func:`printable` has it, on one line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def json_on_lines(text: str) -> str:
    """JSON with all in its texts escaped that a reader of lines or a terminal might take for more than text."""
    return _STEERING.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
