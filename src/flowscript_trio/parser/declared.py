"""Owns the words of declared types, and the values that texts are for them."""

from __future__ import annotations

from typing import Any

from ..types.declared import fits

TYPES = ("string", "number", "boolean", "object", "array")
EXPECTED = ", ".join(TYPES) + ", enum[a, b]"


def read_type(word: str) -> tuple[Any, tuple[str, ...]] | None:
    """The type that a word names, and the choices of an ``enum[a, b]``; None where it names none."""
    word = word.strip()
    if word in TYPES:
        return word, ()
    if word.startswith("enum[") and word.endswith("]"):
        choices = tuple(part.strip().strip("'\"") for part in word[5:-1].split(","))
        return ("enum", choices) if all(choices) else None
    return None


def convert(word: str, kind: str | None, choices: tuple[str, ...] = ()) -> Any:
    """The value that a text is for a declared type; raises ValueError where it is not one."""
    value: Any = word
    if kind not in (None, "string", "enum"):
        from ..expression.json_pieces import read_json

        try:
            value = read_json(word)
        except RecursionError:
            raise ValueError("the JSON nests too deeply") from None
    if not fits(value, kind, choices):
        raise ValueError(word)
    return value
