"""Owns what values mean to expressions: truth, kinds, numbers, equality, members. JavaScript's, made strict."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterable, Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Any
from uuid import UUID

from ..types.errors import EvaluationError, LimitExceeded
from .numerals import format_number
from .scope import Limits, Services
from .standing import STANDING, own_text, stands_for

LISTS = (list, tuple, range)
WITHOUT_KEY = (*LISTS, Mapping, bytes, bytearray)
"""What cannot be the key of an object: its text may be as long as it likes."""
_MOMENT = 16
"""Operations of seeing whether two values are the same moment: a text may be one."""
CONTAINER = 8
"""Operations that visiting a list or an object takes, besides those for its items."""

_OUTSIDE = Limits(operations=200_000_000, text=2**32, seconds=60.0)
_CHANCE = Random(0)
_INTEGER = re.compile(r"[+-]?[0-9]{1,1240}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
"""Possessive: each digit is looked at once, so that a long text of them takes linear time."""
_DIGITS = 1240
"""Digits of an integer that a text or a decimal may spell."""
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,1024}")
_INFINITIES = {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}


class Function:
    """An arrow function as a value: called with too few arguments the rest are null, with more they go."""

    __slots__ = ("_run", "arity")

    def __init__(self, arity: int, run: Callable[[tuple[Any, ...]], Any]) -> None:
        self.arity: int = arity
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


def meter() -> Services:
    """Bounds for work on values outside of an evaluation: far, but an endless structure meets them."""
    return Services(random=_CHANCE, limits=_OUTSIDE)


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


def shown(value: Any) -> str:
    """A value in an error: its kind; of a text its length too, never the text, which may be a secret."""
    if value is None:
        return "null"
    if isinstance(value, str):
        length = len(value)
        return f"text of {length:,} character{'' if length == 1 else 's'}"
    kind = kind_of(value)
    return f"{'an' if kind[0] in 'ao' else 'a'} {kind}"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def is_finite_number(value: Any) -> bool:
    """Whether a number is neither infinite nor NaN; Python cannot say so of an integer larger than any float."""
    if isinstance(value, int):
        return True
    if isinstance(value, Decimal):
        return value == value and value.is_finite()  # the first refuses a signalling NaN
    return math.isfinite(value)


def to_number(value: Any, services: Services) -> int | float | Decimal | None:
    """The number that a value is or spells as JavaScript has it, else None. Null and "" spell none.

    Reading a long text, or the digits of a long decimal, is counted.
    """
    if value is True or value is False:
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Decimal):
        spend_digits(value, services)
        return value
    if isinstance(value, str):
        services.spend_text(len(value))
        word = value.strip()
        if _INTEGER.fullmatch(word):
            return int(word)
        if _NUMBER.fullmatch(word):
            return float(word)
        if _HEX.fullmatch(word):
            return int(word, 16)
        return _INFINITIES.get(word)
    if isinstance(value, Enum):
        return to_number(stands_for(value), services)
    return None


def instant_of(value: Any) -> datetime | time | None:
    """The moment of a date, a time or an ISO text that is one; without a zone it is in UTC."""
    if isinstance(value, str):
        if len(value) > 40:
            return None
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            try:
                value = time.fromisoformat(value)
            except ValueError:
                return None
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, time):
        return value.replace(tzinfo=None)
    return None


def is_long(value: Decimal) -> bool:
    """Whether a decimal has thousands of digits, so that reading them takes time."""
    return value.__sizeof__() > 1024


def spend_digits(value: Decimal, services: Services) -> None:
    """Count the reading of a decimal: how many digits it has is told by its size in memory."""
    if is_long(value):
        services.spend(value.__sizeof__() >> 4)


def require_number(value: Any, what: str, services: Services) -> int | float | Decimal:
    """The number that an argument is or spells, or an error that names it."""
    number = to_number(value, services)
    if number is None:
        raise EvaluationError(f"{what} is {shown(value)}; expected a number")
    if isinstance(number, Decimal) and number.is_finite() and number.adjusted() > _DIGITS:
        raise LimitExceeded(f"{what} is a decimal of more than {_DIGITS:,} digits")
    return number


def equals(left: Any, right: Any, services: Services | None = None) -> bool:
    """Strict equality by structure: values of different types are never equal, and NaN never is.

    Raises LimitExceeded where the values nest deeper or have more items than the bounds allow.
    """
    return _same(left, right, meter() if services is None else services, 0)


def _same(left: Any, right: Any, services: Services, depth: int) -> bool:
    if left is right:
        return not isinstance(left, (float, Decimal)) or left == left
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, STANDING) or isinstance(right, STANDING):
        return _same(stands_for(left), stands_for(right), services, depth)
    if is_number(left):
        if not is_number(right):
            return False
        for side in (left, right):
            if isinstance(side, Decimal):
                spend_digits(side, services)
        return bool(left == right)
    if isinstance(left, (date, time, UUID)) or isinstance(right, (date, time, UUID)):
        services.spend(_MOMENT)
        return _same_moment(left, right)
    if isinstance(left, str):
        if not isinstance(right, str) or len(left) != len(right):
            return False
        services.spend_text(len(left))
        return left == right
    if isinstance(left, LISTS):
        if not isinstance(right, LISTS) or len(left) != len(right):
            return False
        deeper(depth, services)
        services.spend(CONTAINER)
        for a, b in zip(services.visit(left), right, strict=True):
            if a.__class__ is int and b.__class__ is int:
                if a != b:
                    return False
            elif not _same(a, b, services, depth + 1):
                return False
        return True
    if isinstance(left, Mapping):
        if not isinstance(right, Mapping) or len(left) != len(right):
            return False
        deeper(depth, services)
        services.spend(CONTAINER)
        for key in services.visit(list(left)):
            if key not in right or not _same(left[key], right[key], services, depth + 1):
                return False
        return True
    if isinstance(right, (str, *LISTS, Mapping)) or is_number(right):
        return False
    if type(left) is not type(right):
        return False
    if isinstance(left, (bytes, bytearray)):
        services.spend_text(len(left))
    return bool(left == right)


def _same_moment(left: Any, right: Any) -> bool:
    """Dates and times are equal by instant, UUIDs by their text; both also to a text that is one."""
    if isinstance(left, UUID) or isinstance(right, UUID):
        return (
            isinstance(left, (UUID, str))
            and isinstance(right, (UUID, str))
            and str(left) == str(right)
        )
    moment = instant_of(left)
    other = instant_of(right)
    return moment is not None and type(moment) is type(other) and moment == other


def deeper(depth: int, services: Services) -> None:
    """Raise LimitExceeded where a value nests deeper than the bound."""
    if depth >= services.limits.depth:
        raise LimitExceeded(f"the value nests deeper than {services.limits.depth} levels")


def index_of_key(key: Any) -> int | None:
    """The index that a key of a list or text stands for: ``2``, ``2.0`` or ``"2"``."""
    if isinstance(key, int):
        return None if isinstance(key, bool) else key
    if isinstance(key, float):
        return int(key) if key.is_integer() else None
    if isinstance(key, str) and len(key) < 20 and key.isascii() and key.isdigit():
        return int(key)
    return None


def member(value: Any, key: Any) -> Any:
    """``value.key`` or ``value[key]``: of an object, a list or a text; null of null; never an attribute."""
    if value is None:
        return None
    if isinstance(key, STANDING):
        key = stands_for(key)
    if isinstance(value, Mapping):
        if isinstance(key, (str, int, float)):
            found = value.get(key)
            if found is None and not isinstance(key, str):
                found = value.get(key_text(key))
            return found
        return None
    if isinstance(value, (str, *LISTS)):
        if key == "length":
            return len(value)
        at = index_of_key(key)
        if at is not None and 0 <= at < len(value):
            return value[at]
        return None
    refuse_stream(value)
    return None


def refuse_stream(value: Any) -> None:
    """Raise EvaluationError for items that are yet to come: they do not count as a single value here."""
    if isinstance(value, AsyncIterable):
        raise EvaluationError(
            "a stream has no text, no length and no members: a <foreach> or a sink consumes it, once"
        )


def key_text(key: Any) -> str:
    """What a key of an object is called: keys are texts, and a number names the one that it spells.

    Raises EvaluationError for what has no short text: a list, an object, a function or bytes.
    """
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (int, float, Decimal)):
        return format_number(key)
    if key is None:
        return "null"
    if isinstance(key, WITHOUT_KEY) or is_function(key):
        raise EvaluationError(f"{shown(key)} cannot be the key of an object")
    plain = stands_for(key)
    return own_text(key) if plain is key else key_text(plain)


def check_size(value: Any, limits: Limits) -> Any:
    """``value`` if its text, list, object or integer is within the bounds."""
    if isinstance(value, str):
        check_text(len(value), limits)
    elif isinstance(value, int):
        if value.bit_length() > limits.bits:
            raise LimitExceeded(f"the integer is larger than {limits.bits:,} bits")
    elif isinstance(value, (list, tuple, range, dict)):
        check_items(len(value), limits, kind_of(value))
    return value


def check_text(length: int, limits: Limits) -> None:
    """Raise LimitExceeded where a text of that length would be too long."""
    if length > limits.text:
        raise LimitExceeded(f"the text is longer than {limits.text:,} characters")


def count_written(length: int, services: Services) -> None:
    """Count a part of the text that a template makes; LimitExceeded where all would be too long."""
    services.written += length
    check_text(services.written, services.limits)
    services.spend_text(length)


def check_items(size: int, limits: Limits, kind: str = "array") -> None:
    """Raise LimitExceeded where a list or object of that size would be too large."""
    if size > limits.items:
        raise LimitExceeded(f"the {kind} has more than {limits.items:,} items")
