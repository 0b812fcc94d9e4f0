"""Owns the functions that look at the items of a list one by one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from ...types.errors import EvaluationError
from ..encoding import encode_json, to_text
from ..scope import Services
from ..standing import STANDING, stands_for
from ..table import function
from ..values import (
    CONTAINER,
    LISTS,
    Function,
    deeper,
    equals,
    instant_of,
    is_number,
    kind_of,
    shown,
    spend_digits,
    truthy,
)
from .arguments import listed, test_of

_MOMENT = 16
"""Operations of seeing whether a text is a moment."""
_FORESEEN = 2**53
_WIDEST = 2**4096  # integers are no larger, and no float is


def _each(services: Services, value: Any, test: Any, cost: int = 1) -> tuple[Any, Any, Any]:
    """The list, its items as they are visited for this many operations each, and what is called with
    (item, index, list)."""
    items = listed(value)
    return items, enumerate(services.visit(items, cost)), test_of(test)


@function("count")
def count(services: Services, value: Any = None, test: Any = None) -> int:
    """How many items there are, or how many pass the test."""
    items, each, decide = _each(services, value, test)
    if test is None:
        return len(items)
    return sum(truthy(decide(item, at, items)) for at, item in each)


@function("every")
def every(services: Services, value: Any = None, test: Any = None) -> bool:
    """Whether all items pass the test, or are truthy; of no items true."""
    items, each, decide = _each(services, value, test)
    return all(truthy(decide(item, at, items)) for at, item in each)


@function("some")
def some(services: Services, value: Any = None, test: Any = None) -> bool:
    """Whether an item passes the test, or is truthy."""
    items, each, decide = _each(services, value, test)
    return any(truthy(decide(item, at, items)) for at, item in each)


@function("find")
def find(services: Services, value: Any = None, test: Any = None) -> Any:
    """The first item that passes the test, or null."""
    items, each, decide = _each(services, value, test)
    return next((item for at, item in each if truthy(decide(item, at, items))), None)


@function("filter")
def filter_(services: Services, value: Any = None, test: Any = None) -> Any:
    """The items that pass the test."""
    items, each, decide = _each(services, value, test)
    return [item for at, item in each if truthy(decide(item, at, items))]


@function("map")
def map_(services: Services, value: Any = None, change: Any = None) -> Any:
    """A list of what the function makes of each item."""
    items, each, apply = _each(services, value, change)
    return [apply(item, at, items) for at, item in each]


@function("reduce")
def reduce(services: Services, value: Any = None, step: Any = None, *initial: Any) -> Any:
    """Without an initial value the first item is it, as in JavaScript; of no items null."""
    if not isinstance(step, Function):
        raise EvaluationError(f"expected an arrow function of (acc, item), not {shown(step)}")
    if len(initial) > 1:
        raise EvaluationError("more than one initial value was given")
    items = listed(value)
    each = enumerate(services.visit(items))
    if initial:
        result = initial[0]
    elif items:
        _, result = next(each)
    else:
        return None
    for at, item in each:
        result = step(result, item, at, items)
    return result


@function("unique")
def unique(services: Services, value: Any = None, key: Any = None) -> Any:
    """The first of the items that are equal, or whose keys are."""
    items, each, pick = _each(services, value, key, 4)
    kept: list[Any] = []
    alike: dict[Any, list[Any]] = {}
    for at, item in each:
        picked = pick(item, at, items)
        others = alike.setdefault(identity_of(picked, services), [])
        services.spend(len(others))
        if not any(equals(picked, other, services) for other in others):
            others.append(picked)
            kept.append(item)
    return kept


def identity_of(value: Any, services: Services, depth: int = 0) -> Any:
    """A hashable key that is the same for values that are equal, and seldom for others.

    A moment is equal to any text that spells it, which another such text is not.
    """
    if isinstance(value, bool) or value is None:
        return (kind_of(value), value)
    if is_number(value):
        if isinstance(value, Decimal):
            spend_digits(value, services)
        return ("number", _spread_out(value)) if value == value else ("NaN", object())
    if isinstance(value, (date, time)):
        return ("moment", instant_of(value))
    if isinstance(value, UUID):
        return ("string", str(value))
    if isinstance(value, STANDING):
        return identity_of(stands_for(value), services, depth)
    if isinstance(value, str):
        services.spend_text(len(value))
        moment = None
        if value[:1].isdigit():
            services.spend(_MOMENT)
            moment = instant_of(value)
        return ("string", value) if moment is None else ("moment", moment)
    if isinstance(value, LISTS):
        deeper(depth, services)
        services.spend(CONTAINER)
        items = services.visit(value, 4)
        return ("array", tuple([identity_of(item, services, depth + 1) for item in items]))
    if isinstance(value, Mapping):
        deeper(depth, services)
        services.spend(CONTAINER)
        keys = services.visit(list(value), 4)
        return (
            "object",
            frozenset([(key, identity_of(value[key], services, depth + 1)) for key in keys]),
        )
    if isinstance(value, (bytes, bytearray)):
        services.spend_text(len(value))
        return ("bytes", bytes(value))
    try:
        hash(value)
    except TypeError:
        return ("other", id(value))
    return (type(value), value)


def _spread_out(value: Any) -> Any:
    """A number with a hash that no one can foresee where Python's own would be that of many others.

    Python takes the hash of an integer modulo 2^61-1, so that a list of multiples would take quadratic time.
    """
    if isinstance(value, int):
        return hex(value) if abs(value) >= _FORESEEN else value
    if _FORESEEN <= abs(value) < _WIDEST and value == int(value):
        return hex(int(value))
    if isinstance(value, Decimal) and value.is_finite() and float(value) != value:
        sign, digits, exponent = value.as_tuple()
        written = "".join(map(str, digits))
        shortest = written.rstrip("0")
        assert isinstance(exponent, int)
        return (sign, shortest, exponent + len(written) - len(shortest))
    return value


@function("group_by")
def group_by(services: Services, value: Any = None, key: Any = None) -> Any:
    """An object of lists by the text of each item's key, in the order of their first items."""
    items, each, pick = _each(services, value, key, 4)
    groups: dict[str, list[Any]] = {}
    for at, item in each:
        groups.setdefault(_group_name(pick(item, at, items), services), []).append(item)
    return groups


def _group_name(value: Any, services: Services) -> str:
    if value is None:
        return "null"
    if isinstance(value, (Mapping, *LISTS)):
        return encode_json(value, services=services)
    return to_text(value, services)
