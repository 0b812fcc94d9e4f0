"""Owns what operators do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..types.errors import EvaluationError
from .encoding import to_text
from .scope import Limits
from .values import LISTS, check_size, equals, kind_of, require_number, to_number, truthy

Binary = Callable[[Any, Any, Limits], Any]


def _numbers(left: Any, right: Any) -> tuple[Any, Any]:
    a = left if left.__class__ is int else require_number(left, "the left operand")
    b = right if right.__class__ is int else require_number(right, "the right operand")
    if isinstance(a, Decimal) and isinstance(b, float):
        a = float(a)
    elif isinstance(b, Decimal) and isinstance(a, float):
        b = float(b)
    return a, b


def add(left: Any, right: Any, limits: Limits) -> Any:
    """Text is joined; numbers are added."""
    if isinstance(left, str) or isinstance(right, str):
        return check_size(_word(left) + _word(right), limits)
    a, b = _numbers(left, right)
    return check_size(a + b, limits)


def _word(value: Any) -> str:
    return "null" if value is None else to_text(value)


def subtract(left: Any, right: Any, limits: Limits) -> Any:
    a, b = _numbers(left, right)
    return check_size(a - b, limits)


def multiply(left: Any, right: Any, limits: Limits) -> Any:
    a, b = _numbers(left, right)
    return check_size(a * b, limits)


def divide(left: Any, right: Any, limits: Limits) -> Any:
    """Exact where the result is a whole number."""
    a, b = _numbers(left, right)
    if b == 0:
        raise EvaluationError("division by zero")
    if isinstance(a, int) and isinstance(b, int):
        if a % b == 0:
            return a // b
        try:
            return a / b
        except OverflowError:
            raise EvaluationError("the result of the division is too large") from None
    return a / b


def modulo(left: Any, right: Any, limits: Limits) -> Any:
    """The remainder, with the sign of the left operand."""
    a, b = _numbers(left, right)
    if b == 0:
        raise EvaluationError("division by zero")
    if isinstance(a, int) and isinstance(b, int):
        rest = abs(a) % abs(b)
        return -rest if a < 0 else rest
    return math.fmod(a, b)


def _compare(test: Callable[[Any, Any], bool]) -> Binary:
    """Texts by their characters; a text that is a number counts as it against a number; null: false."""

    def compare(left: Any, right: Any, limits: Limits) -> bool:
        if left is None or right is None:
            return False
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
        a, b = to_number(left), to_number(right)
        if a is None or b is None:
            same = type(left) is type(right) and hasattr(left, "__lt__")
            if same and not isinstance(left, (*LISTS, Mapping, str)):
                return test(left, right)
            if isinstance(left, str) or isinstance(right, str):
                return False
            raise EvaluationError(f"{kind_of(left)} and {kind_of(right)} have no order")
        return test(a, b)

    return compare


def contains(left: Any, right: Any, limits: Limits) -> bool:
    """Membership of a list (by structure), a text, or an object's keys."""
    if right is None:
        return False
    if isinstance(right, range):
        return isinstance(left, int) and left in right
    if isinstance(right, LISTS):
        return any(equals(left, item) for item in right)
    if isinstance(right, str):
        return _word(left) in right
    if isinstance(right, Mapping):
        return isinstance(left, (str, int, float)) and to_text(left) in right
    raise EvaluationError(f"in needs a list, a text or an object, not a {kind_of(right)}")


BINARY: dict[str, Binary] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "==": lambda a, b, _: equals(a, b),
    "===": lambda a, b, _: equals(a, b),
    "!=": lambda a, b, _: not equals(a, b),
    "!==": lambda a, b, _: not equals(a, b),
    "<": _compare(lambda a, b: bool(a < b)),
    "<=": _compare(lambda a, b: bool(a <= b)),
    ">": _compare(lambda a, b: bool(a > b)),
    ">=": _compare(lambda a, b: bool(a >= b)),
    "in": contains,
}


def _typeof(value: Any) -> str:
    """As JavaScript's, which calls null and lists objects."""
    kind = kind_of(value)
    return "object" if kind in ("null", "array") else kind


UNARY: dict[str, Callable[[Any], Any]] = {
    "!": lambda value: not truthy(value),
    "-": lambda value: -require_number(value, "the operand"),
    "+": lambda value: require_number(value, "the operand"),
    "typeof": _typeof,
}
