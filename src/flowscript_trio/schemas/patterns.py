"""Owns the translation of regular expressions: JSON Schema's → those of XML Schema, which match the whole text."""

from __future__ import annotations

import re

ANY_TEXT = r"[\s\S]*"
_PIECE = re.compile(
    r"\\(?P<escape>.)|(?P<group>\((?:\?(?P<kind>:)?)?)|(?P<lazy>[*+?}]\?)|(?P<sign>[\[\]^$|)])|(?s:.)"
)
_SHARED = frozenset(r"sSdDnrt\|.-^?*+{}()[]")
"""What an escape may name to mean the same (or more) in both."""


def xsd_pattern(pattern: str) -> str | None:
    """The pattern of XML Schema that matches at least what ``pattern`` finds; None where there is none.

    A pattern of JSON Schema may be found anywhere, and has anchors; one of XML Schema has none of that, no
    look-around, no lazy repetition and no back references, and its ``\\w`` has no underscore.
    """
    begins = pattern.startswith("^")
    ends = pattern.endswith("$") and not pattern.endswith(r"\$")
    inner = pattern[begins : len(pattern) - ends]
    made = _translate(inner, anchored=begins or ends)
    if made is None:
        return None
    if begins and ends:
        return made
    return f"{'' if begins else ANY_TEXT}({made}){'' if ends else ANY_TEXT}"


def _translate(pattern: str, anchored: bool) -> str | None:
    made = []
    depth = 0
    in_class = False
    for found in _PIECE.finditer(pattern):
        piece = found[0]
        if (escape := found["escape"]) is not None:
            if escape == "w":
                piece = r"\w_" if in_class else r"[\w_]"
            elif escape in "$/\"'":
                piece = escape
            elif escape not in _SHARED:
                return None
        elif in_class:
            in_class = piece != "]"
        elif piece == "[":
            in_class = True
        elif found["group"]:
            if piece == "(?":
                return None
            piece = "("
            depth += 1
        elif found["lazy"] or piece in ("^", "$") or (piece == "|" and anchored and depth == 0):
            return None
        elif piece == ")":
            depth -= 1
        made.append(piece)
    return "".join(made)
