"""Owns what operators do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..types.errors import EvaluationError
from .encoding import to_text
from .order import compare
from .scope import Services
from .values import (
    LISTS,
    check_size,
    check_text,
    equals,
    is_number,
    key_text,
    kind_of,
    require_number,
    shown,
    to_number,
    truthy,
)

Binary = Callable[[Any, Any, Services], Any]


class OperandError(EvaluationError):
    """An operand is not what its operator needs; ``side`` is 0 for the left one, 1 for the right one."""

    def __init__(self, side: int, reason: str) -> None:
        super().__init__(f"the {'right' if side else 'left'} operand {reason}")
        self.side = side
        self.reason = reason


_LARGE = 1 << 64
"""Integers from here on take the longer the larger they are."""


def _numbers(left: Any, right: Any, services: Services) -> tuple[Any, Any]:
    a = left if left.__class__ is int else _number(left, 0, services)
    b = right if right.__class__ is int else _number(right, 1, services)
    if isinstance(a, int) and isinstance(b, int):
        if not (-_LARGE < a < _LARGE and -_LARGE < b < _LARGE):
            services.spend((a.bit_length() + b.bit_length()) >> 4)
        return a, b
    if isinstance(a, Decimal) and isinstance(b, float):
        a = float(a)
    elif isinstance(b, Decimal) and isinstance(a, float):
        b = float(b)
    return a, b


def _number(value: Any, side: int, services: Services) -> Any:
    number = to_number(value, services)
    if number is None:
        raise OperandError(side, f"is {shown(value)}; expected a number")
    return number


def add(left: Any, right: Any, services: Services) -> Any:
    """Text is joined, null as ``null``, as JavaScript does; numbers are added."""
    if isinstance(left, str) or isinstance(right, str):
        a, b = _word(left, services), _word(right, services)
        check_text(len(a) + len(b), services.limits)
        services.spend_text(len(a) + len(b))
        return a + b
    a, b = _numbers(left, right, services)
    return check_size(a + b, services.limits)


def _word(value: Any, services: Services) -> str:
    return "null" if value is None else to_text(value, services)


def subtract(left: Any, right: Any, services: Services) -> Any:
    a, b = _numbers(left, right, services)
    return check_size(a - b, services.limits)


def multiply(left: Any, right: Any, services: Services) -> Any:
    a, b = _numbers(left, right, services)
    return check_size(a * b, services.limits)


def divide(left: Any, right: Any, services: Services) -> Any:
    """Exact where the result is a whole number."""
    a, b = _numbers(left, right, services)
    if b == 0:
        raise OperandError(1, "is 0: division by zero")
    if isinstance(a, int) and isinstance(b, int) and a % b == 0:
        return a // b
    return a / b


def modulo(left: Any, right: Any, services: Services) -> Any:
    """The remainder, with the sign of the left operand."""
    a, b = _numbers(left, right, services)
    if b == 0:
        raise OperandError(1, "is 0: division by zero")
    if isinstance(a, int) and isinstance(b, int):
        rest = abs(a) % abs(b)
        return -rest if a < 0 else rest
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return a % b
    return math.nan if math.isinf(a) else math.fmod(a, b)


def _compare(test: Callable[[Any, Any], bool]) -> Binary:
    """Text that is a number counts as that number, other texts by their characters; null: false."""

    def ordered(left: Any, right: Any, services: Services) -> bool:
        return compare(test, left, right, services)

    return ordered


def contains(left: Any, right: Any, services: Services) -> bool:
    """Membership of a list (by structure), a text, or an object's keys; nothing is in null."""
    if right is None:
        return False
    if isinstance(right, range):
        number = _whole(left)
        return number is not None and number in right
    if isinstance(right, LISTS):
        for at, item in enumerate(right, 1):
            if equals(left, item, services):
                services.spend(at & 1023)
                return True
            if not at & 1023:
                services.spend(1024)  # in runs, so that the clock is looked at
        services.spend(len(right) & 1023)
        return False
    if isinstance(right, str):
        services.spend_scan(len(right))
        return left is not None and to_text(left, services) in right
    if isinstance(right, Mapping):
        if not isinstance(left, (str, int, float)):
            return False
        return left in right or key_text(left) in right
    raise OperandError(1, f"is {shown(right)}; expected a list, text or an object")


def _whole(value: Any) -> int | None:
    """The whole number that a number is: a range looks for one at once, and for others item by item."""
    if not is_number(value):
        return None
    if not isinstance(value, int) and not -_LARGE < value < _LARGE:
        return None
    whole = int(value)
    return whole if whole == value else None


def _equal(left: Any, right: Any, services: Services) -> bool:
    return equals(left, right, services)


def _differ(left: Any, right: Any, services: Services) -> bool:
    return not equals(left, right, services)


BINARY: dict[str, Binary] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "==": _equal,
    "===": _equal,
    "!=": _differ,
    "!==": _differ,
    "<": _compare(lambda a, b: bool(a < b)),
    "<=": _compare(lambda a, b: bool(a <= b)),
    ">": _compare(lambda a, b: bool(a > b)),
    ">=": _compare(lambda a, b: bool(a >= b)),
    "in": contains,
}


def type_of(value: Any) -> str:
    """As JavaScript's, which calls null and lists objects."""
    kind = kind_of(value)
    return "object" if kind in ("null", "array") else kind


UNARY: dict[str, Callable[[Any, Services], Any]] = {
    "!": lambda value, _: not truthy(value),
    "-": lambda value, services: -require_number(value, "the operand", services),
    "+": lambda value, services: require_number(value, "the operand", services),
    "typeof": lambda value, _: type_of(value),
}
