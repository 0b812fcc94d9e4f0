"""Owns the functions of text."""

from __future__ import annotations

from typing import Any

from ...types.errors import EvaluationError, LimitExceeded
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..values import LISTS, require_number


def whole(value: Any, what: str, default: int = 0) -> int:
    """A whole number argument; null is ``default``."""
    if value is None:
        return default
    number = require_number(value, what)
    if number != number or number in (float("inf"), float("-inf")):
        raise EvaluationError(f"{what} is no whole number")
    return int(number)


def bound_text(services: Services, length: int) -> None:
    if length > services.limits.text:
        raise LimitExceeded(f"the text is longer than {services.limits.text:,} characters")
    services.spend(length // 64)


@function("upper")
def upper(_: Services, value: Any = None) -> Any:
    return None if value is None else to_text(value).upper()


@function("lower")
def lower(_: Services, value: Any = None) -> Any:
    return None if value is None else to_text(value).lower()


@function("trim")
def trim(_: Services, value: Any = None) -> Any:
    return None if value is None else to_text(value).strip()


@function("replace")
def replace(services: Services, value: Any = None, old: Any = "", new: Any = "") -> Any:
    """Every occurrence; an empty ``old`` replaces nothing."""
    if value is None:
        return None
    text, before, after = to_text(value), to_text(old), to_text(new)
    if not before:
        return text
    bound_text(services, len(text) + text.count(before) * (len(after) - len(before)))
    return text.replace(before, after)


@function("split")
def split(services: Services, value: Any = None, separator: Any = None) -> Any:
    """By a separator; by an empty one into characters; by null on white space."""
    if value is None:
        return []
    text = to_text(value)
    services.spend(len(text) // 8)
    if separator is None:
        return text.split()
    word = to_text(separator)
    return text.split(word) if word else list(text)


@function("join")
def join(services: Services, value: Any = None, separator: Any = ",") -> Any:
    if value is None:
        return ""
    items = [to_text(item) for item in value] if isinstance(value, LISTS) else [to_text(value)]
    word = "," if separator is None else to_text(separator)
    services.spend(len(items))
    bound_text(services, sum(map(len, items)) + len(word) * max(len(items) - 1, 0))
    return word.join(items)


@function("truncate")
def truncate(_: Services, value: Any = None, length: Any = None, suffix: Any = "...") -> Any:
    """At most ``length`` characters, the suffix included."""
    if value is None:
        return None
    text = to_text(value)
    most = whole(length, "the length", len(text))
    if len(text) <= most:
        return text
    end = to_text(suffix)
    return text[: max(most - len(end), 0)] + end[: max(most, 0)]


@function("concat")
def concat(services: Services, *values: Any) -> Any:
    """Lists where an argument is a list, else text."""
    if any(isinstance(value, LISTS) for value in values):
        joined: list[Any] = []
        for value in values:
            if isinstance(value, LISTS):
                if len(joined) + len(value) > services.limits.items:
                    raise LimitExceeded(f"the list has more than {services.limits.items:,} items")
                services.spend(len(value))
                joined.extend(value)
            elif value is not None:
                joined.append(value)
        return joined
    words = [to_text(value) for value in values]
    bound_text(services, sum(map(len, words)))
    return "".join(words)


@function("includes")
def includes(services: Services, value: Any = None, item: Any = None) -> bool:
    from ..operators import contains

    if isinstance(value, LISTS):
        services.spend(len(value))
    return contains(item, value, services.limits)


@function("starts_with")
def starts_with(_: Services, value: Any = None, start: Any = "") -> bool:
    return value is not None and to_text(value).startswith(to_text(start))


@function("ends_with")
def ends_with(_: Services, value: Any = None, end: Any = "") -> bool:
    return value is not None and to_text(value).endswith(to_text(end))


@function("substring")
def substring(_: Services, value: Any = None, start: Any = 0, end: Any = None) -> Any:
    """As JavaScript's: bounds are clamped, and swapped where they are reversed."""
    if value is None:
        return None
    text = to_text(value)
    a = min(max(whole(start, "the start"), 0), len(text))
    b = min(max(whole(end, "the end", len(text)), 0), len(text))
    return text[min(a, b) : max(a, b)]


def _pad(services: Services, value: Any, length: Any, fill: Any, at_start: bool) -> Any:
    if value is None:
        return None
    text, word = to_text(value), to_text(fill)
    missing = whole(length, "the length") - len(text)
    if missing <= 0 or not word:
        return text
    bound_text(services, len(text) + missing)
    padding = (word * (missing // len(word) + 1))[:missing]
    return padding + text if at_start else text + padding


@function("pad_start")
def pad_start(services: Services, value: Any = None, length: Any = 0, fill: Any = " ") -> Any:
    return _pad(services, value, length, fill, True)


@function("pad_end")
def pad_end(services: Services, value: Any = None, length: Any = 0, fill: Any = " ") -> Any:
    return _pad(services, value, length, fill, False)


@function("repeat")
def repeat(services: Services, value: Any = None, count: Any = 1) -> Any:
    if value is None:
        return None
    text = to_text(value)
    times = whole(count, "the count", 1)
    if times < 0:
        raise EvaluationError("the count is negative")
    bound_text(services, len(text) * times)
    return text * times


@function("char_at")
def char_at(_: Services, value: Any = None, index: Any = 0) -> Any:
    if value is None:
        return None
    text, at = to_text(value), whole(index, "the index")
    return text[at] if 0 <= at < len(text) else ""
