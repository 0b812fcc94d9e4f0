"""Owns the types of declared parameters: their words, and whether a value fits."""

from __future__ import annotations

import json
import math
from typing import Any

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


def describe(kind: str | None, choices: tuple[str, ...]) -> str:
    """What a value of the type looks like, for people."""
    if choices:
        return "one of " + ", ".join(choices)
    return {"object": "an object", "array": "an array"}.get(kind or "", f"a {kind}")


def fits(value: Any, kind: str | None, choices: tuple[str, ...] = ()) -> bool:
    """Whether a value is of a declared type."""
    match kind:
        case "string":
            return isinstance(value, str)
        case "number":
            if isinstance(value, float):
                return math.isfinite(value)
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "enum":
            return value in choices
    return True


def convert(word: str, kind: str | None, choices: tuple[str, ...] = ()) -> Any:
    """The value that a text is for a declared type; raises ValueError where it is none."""
    value: Any = word
    if kind not in (None, "string", "enum"):
        try:
            value = json.loads(word, parse_constant=_refuse)
        except RecursionError:
            raise ValueError("the JSON nests too deep") from None
    if not fits(value, kind, choices):
        raise ValueError(word)
    return value


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
