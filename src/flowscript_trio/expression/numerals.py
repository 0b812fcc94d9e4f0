"""Owns numbers as text: written as JavaScript writes them."""

from __future__ import annotations

import math
from decimal import Decimal

from ..types.errors import LimitExceeded


def format_number(value: float | Decimal) -> str:
    """A number as JavaScript writes it: 3.0 is ``3``, large and small ones with an exponent."""
    if isinstance(value, Decimal):
        return _format_decimal(value)
    if isinstance(value, int):
        try:
            return int.__repr__(value)
        except ValueError:  # Python's own bound on digits
            raise LimitExceeded("the integer has too many digits to write") from None
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < 1e21:
        return str(shortest_integer(value))
    text = float.__repr__(value)
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    power = int(exponent)
    if -7 < power < 0:
        digits = len(mantissa.lstrip("-").replace(".", ""))
        return f"{value:.{digits - 1 - power}f}"
    return f"{mantissa.removesuffix('.0')}e{'+' if power > 0 else '-'}{abs(power)}"


def shortest_integer(value: float) -> int:
    """The integer of the fewest digits that is this float, as JavaScript writes those above 2^53."""
    return int(value) if abs(value) < 2**53 else int(Decimal(float.__repr__(value)))


def _format_decimal(value: Decimal) -> str:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not -1000 < exponent < 1000:
        return str(value)
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
