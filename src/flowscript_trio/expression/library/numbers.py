"""Owns the functions of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from ...types.errors import EvaluationError
from ..operators import Binary, add, divide, modulo, multiply, subtract
from ..scope import Services
from ..table import function
from ..values import check_size, require_number
from .arguments import whole

_PLACES = [Decimal(1).scaleb(-digits) for digits in range(7)]
"""What a number is rounded to, by the digits after the point."""


def _number(value: Any) -> Any:
    return require_number(value, "the argument")


@function("round")
def round_(_: Services, value: Any = None, digits: Any = 0) -> Any:
    """To ``digits`` after the point, of the number as it is written; halves go up, as in JavaScript."""
    if value is None:
        return None
    return _round(_number(value), whole(digits, "the digits"))


def _round(number: Any, places: int) -> Any:
    if abs(places) > 300:
        raise EvaluationError(f"the digits are {places}; expected -300 to 300")
    if not math.isfinite(number) or (isinstance(number, int) and places >= 0):
        return number
    exact = number if isinstance(number, (int, Decimal)) else Decimal(repr(number))
    scaled = Fraction(exact) * Fraction(10) ** places
    rounded = Fraction(math.floor(scaled + Fraction(1, 2))) / Fraction(10) ** places
    if rounded.denominator == 1 and places <= 0:
        return int(rounded)
    if isinstance(number, Decimal):
        return Decimal(rounded.numerator) / Decimal(rounded.denominator)
    return float(rounded)


def round_quickly(value: float, digits: int) -> Any:
    """As :func:`round_` of a float to a few digits. Python rounds alike but near halves, which it takes
    as the float has them and not as they are written.
    """
    scaled = value * 10.0**digits
    if not -1e9 < scaled < 1e9:
        return _round(value, digits)
    if not 0.499_999 < scaled % 1.0 < 0.500_001:
        return round(value, digits) + 0.0  # never a negative zero
    halves = ROUND_HALF_UP if value > 0 else ROUND_HALF_DOWN
    return float(Decimal(repr(value)).quantize(_PLACES[digits], halves)) + 0.0


def _whole_part(name: str, cut: Callable[[Any], int], meaning: str) -> None:
    def apply(_: Services, value: Any = None) -> Any:
        if value is None:
            return None
        number = _number(value)
        return cut(number) if math.isfinite(number) else number

    apply.__name__ = name
    apply.__doc__ = meaning
    function(name)(apply)


_whole_part("floor", math.floor, "The next whole number below.")
_whole_part("ceil", math.ceil, "The next whole number above.")
_whole_part("trunc", math.trunc, "Without what is behind the point.")


@function("abs")
def abs_(_: Services, value: Any = None) -> Any:
    """Without the sign."""
    return None if value is None else abs(_number(value))


@function("sign")
def sign(_: Services, value: Any = None) -> Any:
    """-1, 0 or 1."""
    if value is None:
        return None
    number = _number(value)
    return int(number > 0) - int(number < 0) if number == number else number


@function("sqrt")
def sqrt(_: Services, value: Any = None) -> Any:
    """The square root; of a negative number an error."""
    if value is None:
        return None
    number = _number(value)
    if number < 0:
        raise EvaluationError("a negative number has no square root")
    if isinstance(number, int):
        root = math.isqrt(number)
        return root if root * root == number else math.sqrt(number)
    return number.sqrt() if isinstance(number, Decimal) else math.sqrt(number)


@function("pow")
def pow_(services: Services, base: Any = None, exponent: Any = 1) -> Any:
    """A number to the power of another."""
    if base is None:
        return None
    a, b = _number(base), _number(exponent)
    if isinstance(a, int) and isinstance(b, int) and b >= 0:
        if a.bit_length() * b > services.limits.bits * 2 and abs(a) > 1:
            return check_size(1 << services.limits.bits, services.limits)
        return check_size(a**b, services.limits)
    if a == 0 and b < 0:
        raise EvaluationError("division by zero")
    try:
        result = float(a) ** float(b)
    except OverflowError:
        raise EvaluationError("the result is too large") from None
    if isinstance(result, complex):
        raise EvaluationError("the result is not a real number")
    return result


@function("random")
def random(services: Services) -> float:
    """A number from 0 to 1, 1 excluded, from the run's own chance."""
    return services.random.random()


@function("random_int")
def random_int(services: Services, low: Any = 0, high: Any = None) -> int:
    """A whole number from ``low`` to ``high``, both included; with one argument from 0 to it."""
    a, b = (0, low) if high is None else (low, high)
    least, most = whole(a, "the lowest"), whole(b, "the highest")
    if least > most:
        raise EvaluationError(f"the lowest, {least}, is above the highest, {most}")
    return services.random.randint(least, most)


@function("clamp")
def clamp(_: Services, value: Any = None, low: Any = None, high: Any = None) -> Any:
    """The number, or the bound that it lies beyond."""
    if value is None:
        return None
    number = _number(value)
    if low is not None:
        number = max(number, require_number(low, "the lowest"))
    return number if high is None else min(number, require_number(high, "the highest"))


@function("percent")
def percent(services: Services, part: Any = None, whole_: Any = None, digits: Any = None) -> Any:
    """``part`` as a percentage of ``whole``; with ``digits`` rounded to so many after the point."""
    if part is None or whole_ is None:
        return None
    share = divide(multiply(_number(part), 100, services), _number(whole_), services)
    return share if digits is None else _round(share, whole(digits, "the digits"))


def _operator(name: str, combine: Binary, meaning: str) -> None:
    def apply(services: Services, left: Any = None, right: Any = None) -> Any:
        if left is None or right is None:
            return None
        return combine(_number(left), _number(right), services)

    apply.__name__ = name
    apply.__doc__ = meaning
    function(name)(apply)


_operator("add", add, "The sum of two numbers.")
_operator("subtract", subtract, "The difference of two numbers.")
_operator("multiply", multiply, "The product of two numbers.")
_operator("divide", divide, "The quotient of two numbers; dividing by zero is an error.")
_operator("mod", modulo, "The rest of a division, with the sign of the first number.")
