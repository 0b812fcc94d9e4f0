"""Owns how the functions read their arguments: as lists, objects, whole numbers, texts, tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...types.errors import EvaluationError
from ..encoding import to_text
from ..scope import Services
from ..values import (
    LISTS,
    WITHOUT_KEY,
    Function,
    check_text,
    is_function,
    member,
    refuse_stream,
    require_number,
    shown,
)

WORD = 200
"""Characters of a text that may be one of few words."""


def listed(value: Any) -> Any:
    """A list argument: null is an empty list, anything but a list a list of one."""
    if isinstance(value, LISTS):
        return value
    if value is None:
        return []
    refuse_stream(value)
    return [value]


def one_or_several(values: tuple[Any, ...]) -> Any:
    """The values of a function that takes one list or several values."""
    return values[0] if len(values) == 1 and isinstance(values[0], LISTS) else values


def mapping(services: Services, value: Any) -> Mapping[Any, Any]:
    """An object argument: null is empty."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        services.spend_copy(len(value))
        return value
    raise EvaluationError(f"expected an object, not {shown(value)}")


def test_of(test: Any) -> Callable[..., Any]:
    """What decides about an item: an arrow function, the name of a member, or its own truth."""
    if isinstance(test, Function):
        return test
    if isinstance(test, str):
        return lambda item, *_: member(item, test)
    if test is None:
        return lambda item, *_: item
    raise EvaluationError(f"expected an arrow function, not {shown(test)}")


def whole(services: Services, value: Any, what: str, default: int = 0) -> int:
    """A whole number argument; null is ``default``, a fraction is cut off."""
    if value is None:
        return default
    number = require_number(value, what, services)
    if number != number or number in (float("inf"), float("-inf")):
        raise EvaluationError(f"{what} is {to_text(number)}; expected a whole number")
    return int(number)


def short_text(value: Any) -> str:
    """The text of an argument that is one of few words, without white space around it.

    Of what cannot be such a word (a long text, a list, an object) it is empty.
    """
    if isinstance(value, str):
        return value.strip() if len(value) <= WORD else ""
    return "" if isinstance(value, WITHOUT_KEY) or is_function(value) else to_text(value)


def bound_text(services: Services, length: int) -> None:
    """Refuse a text that would be too long before it is made, and count the making of it."""
    check_text(length, services.limits)
    services.spend_text(length)


def path_of(services: Services, path: Any) -> list[Any]:
    """The keys of ``a.b[0].c``, or of a list of keys."""
    if isinstance(path, LISTS):
        services.spend_copy(len(path))
        return list(path)
    services.spend(len(path) if isinstance(path, str) else 1)
    return [
        part
        for part in to_text(path, services).replace("[", ".").replace("]", "").split(".")
        if part
    ]
