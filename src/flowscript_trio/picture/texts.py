"""Owns which characters of a document's texts a picture can hold. Pure."""

from __future__ import annotations

from unicodedata import category

_UNFIT = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
"""Control characters, halves of characters, what is not a character, and ends of lines and paragraphs."""


def fit(text: str) -> str:
    """The text with a sign in place of each character that has no place in a line of XML, Mermaid or DOT."""
    if text.isprintable():
        return text
    return "".join("�" if category(char) in _UNFIT else char for char in text)
