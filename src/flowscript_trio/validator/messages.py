"""Owns the words for values that a config model does not accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from ..types.deferred import dataclass
from ..types.shapes import (
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    Shape,
    describe_shape,
    list_of,
    object_of,
)

_LONGEST = 60

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "none_required": "null",
    "bytes_type": "bytes",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "extra_forbidden": "no such key",
    "missing": "a value",
    "union": "{expected}",
}

_PATTERNS = {r"^[A-Za-z_][\w-]*$": "a name: a letter or _, then letters, digits, _ and -"}
"""Patterns in words."""

_COUNTED = frozenset({"string_too_short", "string_too_long", "too_short", "too_long"})


@dataclass(frozen=True, slots=True)
class Told:
    """One error of a model in plain words; ``path`` is where inside the setting (``auth.token``)."""

    message: str
    expected: str | None
    path: str


def describe_error(detail: ErrorDetails) -> Told:
    """The words for one of pydantic's errors.

    The message of a ValueError of the form "…; expected …" is taken apart.
    """
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    path = ".".join(str(step) for step in detail["loc"] if not _is_branch_of_union(step))
    message = str(context["error"]) if kind == "value_error" else detail["msg"]
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format_map(dict(context))
        expected = _PATTERNS.get(context.get("pattern", ""), expected)
        if kind in _COUNTED and expected.endswith(" 1 " + expected.rpartition(" ")[2]):
            expected = expected.removesuffix("s")
        found = show(detail["input"])
        if kind == "missing":
            return Told(f"{path!r} is missing", None, path)
        if kind == "extra_forbidden":
            return Told(f"{path!r} is not known", None, path)
        return Told(f"{found} is not right for {path!r}", expected, path)
    before, separator, expected_words = message.partition("; expected ")
    return Told(before, expected_words if separator else None, path)


def is_generic(detail: ErrorDetails) -> bool:
    """Whether an error says no more than what was expected: a model's own errors say why, too."""
    return detail["type"] in _EXPECTED


def merged(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """The errors of a value that may be one of several kinds as one: pydantic has one for each of the kinds."""
    found: dict[tuple[int | str, ...], list[ErrorDetails]] = {}
    for detail in details:
        position = tuple(step for step in detail["loc"] if not _is_branch_of_union(step))
        found.setdefault(position, []).append(detail)
    errors: list[ErrorDetails] = []
    for position, them in found.items():
        expected = dict.fromkeys(describe_error(detail).expected for detail in them)
        words = _one_of([each for each in expected if each is not None])
        if len(them) == 1 or None in expected:
            errors += them
        else:
            errors.append({**them[0], "type": "union", "loc": position, "ctx": {"expected": words}})
    return errors


def _one_of(kinds: list[str]) -> str:
    """Several kinds of values as one: of those that are words in quotes, the words together."""
    words = [kind for kind in kinds if kind.startswith("'")]
    if len(words) > 1:
        others = [kind for kind in kinds if not kind.startswith("'")]
        together = [one for kind in words for one in kind.replace(" or ", ", ").split(", ")]
        kinds = [*others, ", ".join(together[:-1]), together[-1]]
    return " or ".join(kinds)


def show(value: object) -> str:
    """A value for a message. What is long is described and not cut, so that masking can find secrets."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            text = repr(value) if not isinstance(value, int) or value.bit_length() < 200 else ""
            return text or "a very large number"
        case str():
            shown = repr(value)
            return shown if len(shown) <= _LONGEST else f"text of {len(value)} characters"
        case Mapping():
            return f"an object of {len(value)} members"
        case Sequence():
            return f"a list of {len(value)} items"
        case _:
            return f"a {type(value).__name__}"


def phrase(shape: Shape) -> str:
    """A shape as the end of a sentence: ``'x' is …``."""
    for kind, words in _PHRASES:
        if shape == kind:
            return words
    if not isinstance(shape.texts, bool) and shape == Shape(texts=shape.texts):
        words = ", ".join(sorted(shape.texts))
        return f"one of {words}" if len(shape.texts) > 1 else repr(words)
    return f"of type {describe_shape(shape)}"


_PHRASES = (
    (NULL, "null"),
    (BOOLEAN, "a boolean"),
    (NUMBER, "a number"),
    (TEXT, "a string"),
    (list_of(UNKNOWN), "an array"),
    (object_of({}, is_open=True), "an object"),
)


def _is_branch_of_union(step: int | str) -> bool:
    """Whether a step of pydantic's path names a member of a union, and no place in the value."""
    return isinstance(step, str) and (
        step in {"str", "int", "float", "bool"}
        or "[" in step
        or step.startswith("constrained-")
        or step.endswith("Config")
    )
