"""Owns the functions that order values or add them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

from ...types.errors import EvaluationError
from ..operators import add, divide
from ..order import numbers_of, sorting_keys
from ..scope import Services
from ..table import function
from ..values import Function, require_number, shown
from .arguments import listed, one_or_several, test_of

_ORDERS = ("asc", "desc")


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
            number = require_number(by(a, b), "what the comparison gives", services)
            return bool(number > 0) - bool(number < 0)

        return sorted(items, key=cmp_to_key(judge), reverse=direction == "desc")
    pick = test_of(by)
    keys = [pick(item, at, items) for at, item in enumerate(services.visit(items))]
    known = [at for at, key in enumerate(keys) if key is not None]
    ranks = dict(zip(known, sorting_keys([keys[at] for at in known], services), strict=True))
    known.sort(key=ranks.__getitem__, reverse=direction == "desc")
    nulls = [items[at] for at, key in enumerate(keys) if key is None]
    return [items[at] for at in known] + nulls


def _extreme(services: Services, values: tuple[Any, ...], largest: bool) -> Any:
    """The least or greatest value, null left out: as numbers where all are, else in the order of ``<``."""
    items = [item for item in services.visit(one_or_several(values)) if item is not None]
    if not items:
        return None
    numbers = numbers_of(items, services)
    choose: Callable[..., Any] = max if largest else min
    if numbers is not None:
        return choose(services.visit(numbers))
    ranks = sorting_keys(items, services)
    return items[choose(range(len(items)), key=ranks.__getitem__)]


@function("min")
def min_(services: Services, *values: Any) -> Any:
    """The least of several values, or of a list; null is left out."""
    return _extreme(services, values, False)


@function("max")
def max_(services: Services, *values: Any) -> Any:
    """The greatest of several values, or of a list; null is left out."""
    return _extreme(services, values, True)


def _numbers(services: Services, values: tuple[Any, ...]) -> Sequence[Any]:
    """The numbers of one list or of several values; null is left out."""
    items = one_or_several(values)
    if items.__class__ is range:
        services.spend_copy(len(items))
        return items
    return [
        item
        if item.__class__ is int or item.__class__ is float
        else require_number(item, "an item", services)
        for item in services.visit(items)
        if item is not None
    ]


def _total(services: Services, numbers: Sequence[Any]) -> Any:
    try:
        return sum(services.visit(numbers))
    except TypeError:  # decimals among floats
        total: Any = 0
        for number in services.visit(numbers):
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
