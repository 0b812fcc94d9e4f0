"""Owns which encodings of text files and answers come in: known ones, each read once from left to right. Pure."""

from __future__ import annotations

import codecs

_NOBODY_SENDS = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
)
"""Python's names for codecs in which nobody writes files: to read punycode takes time that is quadratic in the
text, the others read text as something else than it seems, or nothing."""


def charset_named(name: str | None) -> str | None:
    """An encoding by any of its names, as Python calls it; None for one that text does not come in."""
    try:
        found = None if name is None else codecs.lookup(name)
    except (LookupError, ValueError):  # ValueError: a null character in it
        return None
    if found is None or not found._is_text_encoding or found.name in _NOBODY_SENDS:
        return None
    return found.name
