"""Owns the functions of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

from ...types.errors import EvaluationError
from ..operators import Binary, add, divide, modulo, multiply, subtract
from ..scope import Services
from ..table import function
from ..values import check_size, is_finite_number, require_number
from .arguments import whole

_WIDE = 1 << 1000
"""Integers from here on are too large for a float, or nearly."""
_EXACT = Context(prec=4000, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""No decimal that a function takes has more digits before the point, nor is rounded to more after it."""
_PLACES = [Decimal(1).scaleb(-digits) for digits in range(7)]
"""What a number is rounded to, by the digits after the point."""


def _number(services: Services, value: Any) -> Any:
    return require_number(value, "the argument", services)


@function("round")
def round_(services: Services, value: Any = None, digits: Any = 0) -> Any:
    """To ``digits`` after the point, of the number as it is written; halves go up, as in JavaScript."""
    if value is None:
        return None
    return _round(_number(services, value), whole(services, digits, "the digits"), services)


def _wide(number: int) -> float:
    """The float of an integer."""
    try:
        return float(number)
    except OverflowError:
        raise EvaluationError("the result is too large") from None


def _round(number: Any, places: int, services: Services | None = None) -> Any:
    if abs(places) > 300:
        raise EvaluationError(f"the digits are {places}; expected -300 to 300")
    if services is not None:
        services.spend(abs(places) * 4)  # this many digits are multiplied
    if not is_finite_number(number) or (isinstance(number, int) and places >= 0):
        return number
    if isinstance(number, Decimal):
        # By decimals themselves: as a fraction one of a small exponent has a million digits.
        unit = Decimal(1).scaleb(-places, _EXACT)
        rounded = number.quantize(unit, ROUND_HALF_UP if number > 0 else ROUND_HALF_DOWN, _EXACT)
        return int(rounded) if places <= 0 else _EXACT.add(rounded, 0)
    exact = number if isinstance(number, int) else Decimal(repr(number))
    scaled = Fraction(exact) * Fraction(10) ** places
    nearest = Fraction(math.floor(scaled + Fraction(1, 2))) / Fraction(10) ** places
    return int(nearest) if nearest.denominator == 1 and places <= 0 else float(nearest)


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
    def apply(services: Services, value: Any = None) -> Any:
        if value is None:
            return None
        number = _number(services, value)
        return cut(number) if is_finite_number(number) else number

    apply.__name__ = name
    apply.__doc__ = meaning
    function(name)(apply)


_whole_part("floor", math.floor, "The next whole number below.")
_whole_part("ceil", math.ceil, "The next whole number above.")
_whole_part("trunc", math.trunc, "Without what follows the point.")


@function("abs")
def abs_(services: Services, value: Any = None) -> Any:
    """Without the sign."""
    return None if value is None else abs(_number(services, value))


@function("sign")
def sign(services: Services, value: Any = None) -> Any:
    """-1, 0 or 1."""
    if value is None:
        return None
    number = _number(services, value)
    return int(number > 0) - int(number < 0) if number == number else number


@function("sqrt")
def sqrt(services: Services, value: Any = None) -> Any:
    """The square root; of a negative number an error."""
    if value is None:
        return None
    number = _number(services, value)
    if number < 0:
        raise EvaluationError("a negative number has no square root")
    if isinstance(number, int):
        services.spend(number.bit_length() >> 3)
        root = math.isqrt(number)
        if root * root == number:
            return root
        return math.sqrt(number) if number < _WIDE else _wide(root)
    return number.sqrt() if isinstance(number, Decimal) else math.sqrt(number)


@function("pow")
def pow_(services: Services, base: Any = None, exponent: Any = 1) -> Any:
    """A number to the power of another."""
    if base is None:
        return None
    a, b = _number(services, base), _number(services, exponent)
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
    least, most = whole(services, a, "the lowest"), whole(services, b, "the highest")
    services.spend((least.bit_length() + most.bit_length()) >> 3)
    if least > most:
        raise EvaluationError(f"the lowest, {least}, is above the highest, {most}")
    return services.random.randint(least, most)


@function("clamp")
def clamp(services: Services, value: Any = None, low: Any = None, high: Any = None) -> Any:
    """The number, or the bound that it lies beyond."""
    if value is None:
        return None
    number = _number(services, value)
    if low is not None:
        number = max(number, require_number(low, "the lowest", services))
    return number if high is None else min(number, require_number(high, "the highest", services))


@function("percent")
def percent(services: Services, part: Any = None, whole_: Any = None, digits: Any = None) -> Any:
    """``part`` as a percentage of ``whole``; with ``digits`` rounded to this many after the point."""
    if part is None or whole_ is None:
        return None
    share = divide(
        multiply(_number(services, part), 100, services), _number(services, whole_), services
    )
    return (
        share if digits is None else _round(share, whole(services, digits, "the digits"), services)
    )


def _operator(name: str, combine: Binary, meaning: str) -> None:
    def apply(services: Services, left: Any = None, right: Any = None) -> Any:
        if left is None or right is None:
            return None
        return combine(_number(services, left), _number(services, right), services)

    apply.__name__ = name
    apply.__doc__ = meaning
    function(name)(apply)


_operator("add", add, "The sum of two numbers.")
_operator("subtract", subtract, "The difference of two numbers.")
_operator("multiply", multiply, "The product of two numbers.")
_operator("divide", divide, "The quotient of two numbers; dividing by zero is an error.")
_operator("mod", modulo, "The rest of a division, with the sign of the first number.")
