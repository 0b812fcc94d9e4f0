"""Owns the types of declared parameters: whether a value fits, and the words for people."""

from __future__ import annotations

import math
from collections.abc import Mapping


def fits(value: object, kind: str | None, choices: tuple[str, ...] = ()) -> bool:
    """Whether a value is of a declared type; None is any type."""
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
            return isinstance(value, Mapping)
        case "array":
            return isinstance(value, (list, tuple))
        case "enum":
            return value in choices
    return True


def describe_type(kind: str | None, choices: tuple[str, ...]) -> str:
    """What a value of the type looks like, for people."""
    if choices:
        return "one of " + ", ".join(choices)
    kinds = {"object": "an object", "array": "an array", None: "a value"}
    return kinds.get(kind, f"a {kind}")
