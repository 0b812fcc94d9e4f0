"""Owns what values mean to expressions: truth, text, numbers, equality, members. JavaScript's, made strict."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..types.errors import EvaluationError, LimitExceeded
from .scope import Limits

LISTS = (list, tuple, range)
MAX_DEPTH = 200
"""How deep lists and objects may nest where they are compared, copied or encoded."""


class Function:
    """An arrow function as a value: called with too few arguments the rest are null, with more they go."""

    __slots__ = ("_run", "arity")

    def __init__(self, arity: int, run: Callable[[tuple[Any, ...]], Any]) -> None:
        self.arity = arity
        self._run = run

    def __call__(self, *arguments: Any) -> Any:
        given = len(arguments)
        if given < self.arity:
            arguments += (None,) * (self.arity - given)
        return self._run(arguments)

    def __deepcopy__(self, memo: dict[int, Any]) -> Function:
        return self

    def __repr__(self) -> str:
        return "<arrow function>"


def is_function(value: object) -> bool:
    """Whether a value is an arrow function."""
    return value.__class__ is Function


def call(value: Any, *arguments: Any) -> Any:
    """Call an arrow function."""
    if not is_function(value):
        raise EvaluationError(f"a {kind_of(value)} cannot be called")
    return value(*arguments)


def truthy(value: Any) -> bool:
    """JavaScript's truth: null, false, 0, NaN and the empty text are false, all else (``[]`` too) true."""
    if value is None or value is False:
        return False
    if value is True:
        return True
    if isinstance(value, (int, float, Decimal)):
        return bool(value == value and value != 0)
    if isinstance(value, str):
        return value != ""
    return True


def kind_of(value: Any) -> str:
    """The type of a value in JavaScript's words, for people: null, boolean, number, string, array, …"""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, LISTS):
        return "array"
    if isinstance(value, Function):
        return "function"
    return "object"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def format_number(value: float) -> str:
    """A number as JavaScript writes it: 3.0 is ``3``, large and small ones with an exponent."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, int):
        return str(value)
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = int(exponent)
        if -7 < power < 0:
            return f"{value:.{len(mantissa.replace('-', '').replace('.', '')) - 1 - power}f}"
        return f"{mantissa.removesuffix('.0')}e{'+' if power > 0 else '-'}{abs(power)}"
    return text


def to_number(value: Any) -> int | float | Decimal | None:
    """The number that a value is or spells, else None. Null spells none."""
    if value is True or value is False:
        return int(value)
    if isinstance(value, (int, float, Decimal)):
        return value
    if isinstance(value, str):
        word = value.strip()
        if not word or len(word) > 1200 or "_" in word:
            return None
        try:
            return int(word)
        except ValueError:
            pass
        try:
            number = float(word)
        except ValueError:
            return None
        return number if math.isfinite(number) or "infinity" in word.lower() else None
    return None


def equals(left: Any, right: Any, depth: int = 0) -> bool:
    """Strict equality by structure: values of different types are never equal."""
    if left is right:
        return left == left or not isinstance(left, float)
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if is_number(left):
        return is_number(right) and bool(left == right)
    if isinstance(left, str):
        return isinstance(right, str) and left == right
    if depth > MAX_DEPTH:
        raise LimitExceeded(f"the values nest deeper than {MAX_DEPTH} levels")
    if isinstance(left, LISTS):
        return (
            isinstance(right, LISTS)
            and len(left) == len(right)
            and all(equals(a, b, depth + 1) for a, b in zip(left, right, strict=True))
        )
    if isinstance(left, Mapping):
        return (
            isinstance(right, Mapping)
            and len(left) == len(right)
            and all(
                key in right and equals(item, right[key], depth + 1) for key, item in left.items()
            )
        )
    if isinstance(right, (str, *LISTS, Mapping)) or is_number(right) or right is None:
        return False
    return bool(type(left) is type(right) and left == right)


def member(value: Any, key: Any) -> Any:
    """``value.key`` or ``value[key]``: of an object, a list or a text; null of null; never an attribute."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        if isinstance(key, (str, int, float, bool)):
            found = value.get(key)
            if found is None and not isinstance(key, str):
                found = value.get(format_number(key) if is_number(key) else str(key).lower())
            return found
        return None
    if isinstance(value, (str, *LISTS)):
        if key == "length":
            return len(value)
        if (isinstance(key, float) and key.is_integer()) or (
            isinstance(key, str) and key.isdigit()
        ):
            key = int(key)
        if isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(value):
            return value[key]
    return None


def check_size(value: Any, limits: Limits) -> Any:
    """``value`` if its text, list, object or integer is within the bounds."""
    if isinstance(value, str):
        if len(value) > limits.text:
            raise LimitExceeded(f"the text is longer than {limits.text:,} characters")
    elif isinstance(value, int):
        if value.bit_length() > limits.bits:
            raise LimitExceeded(f"the integer is larger than {limits.bits:,} bits")
    elif isinstance(value, (list, tuple, range, dict)) and len(value) > limits.items:
        raise LimitExceeded(f"the {kind_of(value)} has more than {limits.items:,} items")
    return value


def require_number(value: Any, what: str) -> int | float | Decimal:
    """The number that an operand is or spells, or an error that names it."""
    number = to_number(value)
    if number is None:
        shown = "null" if value is None else f"a {kind_of(value)}"
        if isinstance(value, str):
            shown = f"the text {value[:40]!r}"
        raise EvaluationError(f"{what} is {shown}; expected a number")
    return number
