"""Owns the functions of text."""

from __future__ import annotations

from typing import Any

from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..values import LISTS, check_items, check_text
from .arguments import bound_text, one_or_several, whole

_SPACE = " \t\n\v\f\r\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What JavaScript's trim takes away."""


def _changed(services: Services, value: Any) -> str:
    """A text of which each character is to be changed: others than ASCII's are looked up one by one."""
    text = to_text(value, services)
    if text.isascii():
        services.spend_text(len(text))
    else:
        services.spend(len(text))
    return text


@function("upper")
def upper(services: Services, value: Any = None) -> Any:
    """In upper case."""
    return None if value is None else _changed(services, value).upper()


@function("lower")
def lower(services: Services, value: Any = None) -> Any:
    """In lower case."""
    return None if value is None else _changed(services, value).lower()


@function("trim")
def trim(services: Services, value: Any = None) -> Any:
    """Without white space at both ends."""
    if value is None:
        return None
    text = to_text(value, services)
    services.spend_scan(len(text))
    return text.strip(_SPACE)


@function("replace")
def replace(services: Services, value: Any = None, old: Any = "", new: Any = "") -> Any:
    """Every occurrence; an empty ``old`` replaces nothing."""
    if value is None:
        return None
    text, before, after = to_text(value, services), to_text(old, services), to_text(new, services)
    if not before:
        return text
    services.spend_scan(len(text) + len(before))
    found = text.count(before)
    services.spend(found >> 2)
    bound_text(services, len(text) + found * (len(after) - len(before)))
    return text.replace(before, after)


@function("split")
def split(services: Services, value: Any = None, separator: Any = None, limit: Any = None) -> Any:
    """By a separator; by an empty one into characters; without one the whole text, as in JavaScript.

    Of null an empty list. ``limit``: at most this many parts, the others are left out.
    """
    if value is None:
        return []
    text = to_text(value, services)
    if separator is None:
        parts = [text]
    elif word := to_text(separator, services):
        services.spend_scan(len(text) + len(word))
        found = text.count(word) + 1
        check_items(found, services.limits)
        services.spend(found * 2)
        parts = text.split(word)
    else:
        check_items(len(text), services.limits)
        services.spend(len(text) * 2)
        parts = list(text)
    return parts if limit is None else parts[: max(whole(services, limit, "the limit"), 0)]


@function("join")
def join(services: Services, value: Any = None, separator: Any = ",") -> Any:
    """The items as text with the separator (a comma) between; null items are empty."""
    if value is None:
        return ""
    items = value if isinstance(value, LISTS) else [value]
    word = "," if separator is None else to_text(separator, services)
    return word.join(_words(services, items, len(word)))


def _words(services: Services, items: Any, between: int) -> list[str]:
    """The items as texts, which together are not too long."""
    words = []
    length = 0
    for item in services.visit(items):
        word = to_text(item, services)
        length += len(word) + between
        check_text(length - between, services.limits)
        words.append(word)
    services.spend_text(length)
    return words


@function("truncate")
def truncate(services: Services, value: Any = None, length: Any = None, suffix: Any = "...") -> Any:
    """At most ``length`` characters, the suffix included."""
    if value is None:
        return None
    text = to_text(value, services)
    most = max(whole(services, length, "the length", len(text)), 0)
    if len(text) <= most:
        return text
    end = to_text(suffix, services)[:most]
    return text[: most - len(end)] + end


@function("concat")
def concat(services: Services, *values: Any) -> Any:
    """Lists where an argument is a list, else text; one list stands for the values in it."""
    items = one_or_several(values)
    if not any(isinstance(item, LISTS) for item in services.visit(items)):
        return "".join(_words(services, items, 0))
    joined: list[Any] = []
    for item in services.visit(items):
        if isinstance(item, LISTS):
            check_items(len(joined) + len(item), services.limits)
            services.spend_copy(len(item))
            joined.extend(item)
        elif item is not None:
            joined.append(item)
    return joined


@function("starts_with")
def starts_with(services: Services, value: Any = None, start: Any = "") -> bool:
    """Whether a text begins with another."""
    return (
        value is not None
        and start is not None
        and to_text(value, services).startswith(to_text(start, services))
    )


@function("ends_with")
def ends_with(services: Services, value: Any = None, end: Any = "") -> bool:
    """Whether a text ends with another."""
    return (
        value is not None
        and end is not None
        and to_text(value, services).endswith(to_text(end, services))
    )


@function("substring")
def substring(services: Services, value: Any = None, start: Any = 0, end: Any = None) -> Any:
    """As JavaScript's: bounds are clamped, and swapped where they are reversed."""
    if value is None:
        return None
    text = to_text(value, services)
    a = min(max(whole(services, start, "the start"), 0), len(text))
    b = min(max(whole(services, end, "the end", len(text)), 0), len(text))
    return text[min(a, b) : max(a, b)]


def _pad(services: Services, value: Any, length: Any, fill: Any, at_start: bool) -> Any:
    if value is None:
        return None
    text, word = to_text(value, services), to_text(fill, services)
    missing = whole(services, length, "the length") - len(text)
    if missing <= 0 or not word:
        return text
    bound_text(services, len(text) + missing)
    padding = (word * (missing // len(word) + 1))[:missing]
    return padding + text if at_start else text + padding


@function("pad_start")
def pad_start(services: Services, value: Any = None, length: Any = 0, fill: Any = " ") -> Any:
    """At least this long, padded at the start."""
    return _pad(services, value, length, fill, True)


@function("pad_end")
def pad_end(services: Services, value: Any = None, length: Any = 0, fill: Any = " ") -> Any:
    """At least this long, padded at the end."""
    return _pad(services, value, length, fill, False)


@function("repeat")
def repeat(services: Services, value: Any = None, count: Any = 1) -> Any:
    """The text this many times."""
    if value is None:
        return None
    text = to_text(value, services)
    times = whole(services, count, "the count", 1)
    if times < 0:
        raise EvaluationError("the count is negative")
    bound_text(services, len(text) * times)
    return text * times if text else ""


@function("char_at")
def char_at(services: Services, value: Any = None, index: Any = 0) -> Any:
    """The character at an index, or an empty text."""
    if value is None:
        return None
    text, at = to_text(value, services), whole(services, index, "the index")
    return text[at] if 0 <= at < len(text) else ""
