"""Owns the functions that order values or add them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cmp_to_key
from typing import Any

from ...types.errors import EvaluationError
from ..encoding import encode_json
from ..operators import add, divide
from ..scope import Services
from ..table import function
from ..values import LISTS, Function, is_number, require_number, shown, to_number
from .arguments import listed, one_or_several, test_of

_ORDERS = ("asc", "desc")


def rank_of(value: Any, services: Services) -> tuple[Any, ...]:
    """The order of sorting: booleans, numbers, NaN, texts, lists and objects by their JSON, all else.

    Values of other types (dates, for one) are ordered among their like.
    """
    if isinstance(value, bool):
        return (0, value)
    if is_number(value):
        return (1, value) if value == value else (2,)
    if isinstance(value, str):
        return (3, value)
    if isinstance(value, (Mapping, *LISTS)):
        return (4, encode_json(value, services=services))
    if isinstance(value, Function):
        raise EvaluationError("arrow functions have no order")
    return (5, type(value).__name__, value)


@function("sort")
def sort(services: Services, value: Any = None, by: Any = None, direction: Any = "asc") -> Any:
    """By the items, by a member's name, by an arrow of one argument, or by one of two that compares.

    The sort is stable; null comes last in either direction.
    """
    items = listed(value)
    services.spend(len(items) * max(len(items).bit_length(), 1))
    if isinstance(by, str) and by in _ORDERS and direction == "asc":
        by, direction = None, by
    if direction not in _ORDERS:
        raise EvaluationError(f"the direction is {shown(direction)}; expected 'asc' or 'desc'")
    if isinstance(by, Function) and by.arity >= 2:

        def judge(a: Any, b: Any) -> int:
            number = require_number(by(a, b), "what the comparison gives")
            return bool(number > 0) - bool(number < 0)

        return sorted(items, key=cmp_to_key(judge), reverse=direction == "desc")
    pick = test_of(by)
    keyed = [(pick(item, at, items), item) for at, item in enumerate(items)]
    ranked = [(rank_of(key, services), item) for key, item in keyed if key is not None]
    ranked.sort(key=lambda pair: pair[0], reverse=direction == "desc")
    return [item for _, item in ranked] + [item for key, item in keyed if key is None]


def _extreme(services: Services, values: tuple[Any, ...], largest: bool) -> Any:
    """The least or greatest value, null left out: as numbers where all are, else in sorting order."""
    items = [item for item in one_or_several(values) if item is not None]
    services.spend(len(items))
    if not items:
        return None
    numbers = [to_number(item) for item in items]
    choose: Callable[..., Any] = max if largest else min
    if None not in numbers:
        return choose(numbers)
    return choose(items, key=lambda item: rank_of(item, services))


@function("min")
def min_(services: Services, *values: Any) -> Any:
    """The least of several values, or of a list; null is left out."""
    return _extreme(services, values, False)


@function("max")
def max_(services: Services, *values: Any) -> Any:
    """The greatest of several values, or of a list; null is left out."""
    return _extreme(services, values, True)


def _numbers(services: Services, values: tuple[Any, ...]) -> list[Any]:
    """The numbers of one list or of several values; null is left out."""
    items = one_or_several(values)
    services.spend(len(items))
    return [require_number(item, "an item") for item in items if item is not None]


def _total(services: Services, numbers: list[Any]) -> Any:
    try:
        return sum(numbers)
    except TypeError:  # decimals among floats
        total: Any = 0
        for number in numbers:
            total = add(total, number, services)
        return total


@function("sum")
def sum_(services: Services, *values: Any) -> Any:
    """Of no numbers 0."""
    return _total(services, _numbers(services, values))


@function("avg")
def avg(services: Services, *values: Any) -> Any:
    """The mean; of no numbers null."""
    numbers = _numbers(services, values)
    return divide(_total(services, numbers), len(numbers), services) if numbers else None
