"""Owns the order of values: what ``<`` says of two of them, and by what a list of them is sorted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from ..types.errors import EvaluationError
from .scope import Services
from .standing import stands_for
from .values import LISTS, Function, instant_of, shown, to_number

_UNORDERED = (*LISTS, Mapping, Function)


def compare(test: Callable[[Any, Any], bool], left: Any, right: Any, services: Services) -> bool:
    """``test`` of two values: as numbers, as instants, else as texts; with null it is false.

    False for a text that is not a number and a number; an error for a list or an object, and for
    values of two kinds that have no order.
    """
    if left is None or right is None:
        return False
    if isinstance(left, _UNORDERED) or isinstance(right, _UNORDERED):
        raise EvaluationError(f"{shown(left)} and {shown(right)} have no order")
    for side in (left, right):
        if isinstance(side, str):
            services.spend_text(len(side))
    a, b = to_number(left, services), to_number(right, services)
    if a is not None and b is not None:
        return bool(test(a, b))
    if isinstance(left, (date, time)) or isinstance(right, (date, time)):
        then, now = instant_of(left), instant_of(right)
        if then is not None and now is not None and type(then) is type(now):
            return bool(test(then, now))
        if isinstance(left, str) or isinstance(right, str):
            return False
    else:
        one, other = _word(left), _word(right)
        if one is not None and other is not None:
            return bool(test(one, other))
        if isinstance(left, str) or isinstance(right, str):
            return False
        if type(left) is type(right):
            try:
                return bool(test(left, right))
            except TypeError:
                pass
    raise EvaluationError(f"{shown(left)} and {shown(right)} have no order")


def sorting_keys(values: list[Any], services: Services) -> list[Any]:
    """What a list is sorted by, so that the order is that of ``<``; an error where there is none."""
    numbers = numbers_of(values, services)
    if numbers is not None:
        if all(number == number for number in services.visit(numbers)):
            return numbers
        return [(number != number, 0 if number != number else number) for number in numbers]
    comparisons = len(values).bit_length()
    words = [_word(value) for value in services.visit(values)]
    if None not in words:
        services.spend(len(words) * comparisons)  # texts take longer to compare than numbers
        length = sum(len(word) for word in words if word is not None and len(word) > 63)
        services.spend_text(length * comparisons)
        return words
    if any(isinstance(value, (date, time)) for value in services.visit(values)):
        moments = [instant_of(value) for value in services.visit(values, 8)]
        if None not in moments and len({type(moment) for moment in moments}) == 1:
            services.spend(len(moments) * comparisons * 4)
            return moments
    kinds = {type(value) for value in values}
    if len(kinds) == 1:
        return values
    first = values[0]
    rank = _rank(first, services)
    other = next((v for v in values if _rank(v, services) != rank), values[-1])
    raise EvaluationError(f"{shown(first)} and {shown(other)} have no order")


def numbers_of(values: list[Any], services: Services) -> list[Any] | None:
    """The numbers that all values are or spell, None where one is not. A list or an object is an error."""
    numbers = []
    for value in services.visit(values):
        if isinstance(value, _UNORDERED):
            raise EvaluationError(f"{shown(value)} has no order")
        kind = value.__class__
        number = value if kind is int or kind is float else to_number(value, services)
        if number is None:
            return None
        numbers.append(number)
    return numbers


def _rank(value: Any, services: Services) -> int:
    return 0 if to_number(value, services) is not None else 1 if isinstance(value, str) else 2


def _word(value: Any) -> str | None:
    if isinstance(value, (Enum, PurePath)):
        value = stands_for(value)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, UUID) else None
