"""Owns the functions of numbers."""

from __future__ import annotations

import math
from typing import Any

from ...types.errors import EvaluationError
from ..operators import BINARY
from ..scope import Services
from ..table import function
from ..values import check_size, require_number
from .text import whole


def _number(value: Any) -> Any:
    return require_number(value, "the argument")


@function("round")
def round_(_: Services, value: Any = None, digits: Any = 0) -> Any:
    """Halves go up, as in JavaScript."""
    if value is None:
        return None
    number, places = _number(value), whole(digits, "the digits")
    if isinstance(number, int) and places >= 0:
        return number
    if not math.isfinite(number):
        return number
    if abs(places) > 300:
        raise EvaluationError("the digits are out of range")
    scale = 10.0**places
    scaled = float(number) * scale
    if not math.isfinite(scaled):
        return number
    rounded = math.floor(scaled + 0.5)
    return int(rounded) if places <= 0 and scale == 1 else rounded / scale


@function("floor")
def floor(_: Services, value: Any = None) -> Any:
    return None if value is None else math.floor(_number(value))


@function("ceil")
def ceil(_: Services, value: Any = None) -> Any:
    return None if value is None else math.ceil(_number(value))


@function("trunc")
def trunc(_: Services, value: Any = None) -> Any:
    return None if value is None else math.trunc(_number(value))


@function("abs")
def abs_(_: Services, value: Any = None) -> Any:
    return None if value is None else abs(_number(value))


@function("sign")
def sign(_: Services, value: Any = None) -> Any:
    if value is None:
        return None
    number = _number(value)
    return (number > 0) - (number < 0)


@function("sqrt")
def sqrt(_: Services, value: Any = None) -> Any:
    if value is None:
        return None
    number = _number(value)
    if number < 0:
        raise EvaluationError("a negative number has no square root")
    if isinstance(number, int) and math.isqrt(number) ** 2 == number:
        return math.isqrt(number)
    return math.sqrt(number)


@function("pow")
def pow_(services: Services, base: Any = None, exponent: Any = 1) -> Any:
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
        raise EvaluationError("the result is no real number")
    return result


@function("random")
def random(services: Services) -> float:
    return services.random.random()


@function("random_int")
def random_int(services: Services, low: Any = 0, high: Any = 1) -> int:
    """A whole number from ``low`` to ``high``, both included."""
    a, b = whole(low, "the lowest"), whole(high, "the highest")
    if a > b:
        raise EvaluationError("the lowest is above the highest")
    return services.random.randint(a, b)


@function("clamp")
def clamp(_: Services, value: Any = None, low: Any = None, high: Any = None) -> Any:
    if value is None:
        return None
    number = _number(value)
    if low is not None:
        number = max(number, require_number(low, "the lowest"))
    return number if high is None else min(number, require_number(high, "the highest"))


@function("percent")
def percent(services: Services, part: Any = None, whole_: Any = None) -> Any:
    """``part`` as a percentage of ``whole``."""
    if part is None or whole_ is None:
        return None
    return BINARY["/"](BINARY["*"](part, 100, services.limits), whole_, services.limits)


def _operator(name: str, symbol: str) -> None:
    def apply(services: Services, left: Any = None, right: Any = None) -> Any:
        if left is None or right is None:
            return None
        return BINARY[symbol](_number(left), _number(right), services.limits)

    apply.__name__ = name
    function(name)(apply)


for _name, _symbol in (
    ("add", "+"),
    ("subtract", "-"),
    ("multiply", "*"),
    ("divide", "/"),
    ("mod", "%"),
):
    _operator(_name, _symbol)
