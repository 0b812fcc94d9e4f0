"""Owns the functions about the types of values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..encoding import to_text
from ..operators import type_of
from ..scope import Services
from ..table import function
from ..values import (
    LISTS,
    WITHOUT_KEY,
    equals,
    is_finite_number,
    is_number,
    key_text,
    to_number,
    truthy,
)
from .arguments import listed, one_or_several


@function("typeof")
def typeof(_: Services, value: Any = None) -> str:
    """As the operator."""
    return type_of(value)


@function("is_null")
def is_null(_: Services, value: Any = None) -> bool:
    """Whether it is null."""
    return value is None


@function("is_array")
def is_array(_: Services, value: Any = None) -> bool:
    """Whether it is a list."""
    return isinstance(value, LISTS)


@function("is_object")
def is_object(_: Services, value: Any = None) -> bool:
    """Whether it is an object."""
    return isinstance(value, Mapping)


@function("is_string")
def is_string(_: Services, value: Any = None) -> bool:
    """Whether it is a text."""
    return isinstance(value, str)


@function("is_number")
def is_number_(_: Services, value: Any = None) -> bool:
    """Whether it is a number."""
    return is_number(value)


@function("is_boolean")
def is_boolean(_: Services, value: Any = None) -> bool:
    """Whether it is true or false."""
    return isinstance(value, bool)


@function("is_empty")
def is_empty(_: Services, value: Any = None) -> bool:
    """Null, and texts, lists and objects with nothing in them."""
    return value is None or (isinstance(value, (str, Mapping, *LISTS)) and len(value) == 0)


@function("is_finite")
def is_finite(_: Services, value: Any = None) -> bool:
    """Whether it is a number, and neither infinite nor NaN."""
    return is_number(value) and is_finite_number(value)


@function("is_integer")
def is_integer(_: Services, value: Any = None) -> bool:
    """Whether it is a whole number."""
    if not is_number(value) or not is_finite_number(value):
        return False
    return value == value.to_integral_value() if isinstance(value, Decimal) else value % 1 == 0


@function("is_nan")
def is_nan(_: Services, value: Any = None) -> bool:
    """Whether it is NaN."""
    return is_number(value) and value != value


@function("to_string")
def to_string(services: Services, value: Any = None) -> str:
    """As a template writes it: null is empty."""
    return to_text(value, services)


@function("to_number")
def to_number_(services: Services, value: Any = None, default: Any = None) -> Any:
    """The number that a value spells, else the default (null)."""
    number = to_number(value, services)
    return default if number is None else number


@function("to_boolean")
def to_boolean(services: Services, value: Any = None) -> bool:
    """Truth; but the texts ``false``, ``no``, ``off`` and ``0`` are false."""
    if isinstance(value, str):
        services.spend_scan(len(value))
        value = value.strip()
        if len(value) > 5:
            return True
        return value.strip().lower() not in ("", "false", "no", "off", "0")
    return truthy(value)


@function("to_array")
def to_array(services: Services, value: Any = None) -> Any:
    """A list as it is, of null an empty one, of all else a list of one."""
    items = listed(value)
    services.spend_copy(len(items))
    return list(items)


@function("coalesce")
def coalesce(services: Services, *values: Any) -> Any:
    """The first value that is not null."""
    items = one_or_several(values)
    return next((item for item in services.visit(items) if item is not None), None)


@function("default")
def default(_: Services, value: Any = None, other: Any = None) -> Any:
    """The value, or the other one where it is null."""
    return other if value is None else value


@function("if_else")
def if_else(_: Services, condition: Any = None, then: Any = None, otherwise: Any = None) -> Any:
    """The second value where the first is truthy, else the third."""
    return then if truthy(condition) else otherwise


@function("switch")
def switch(services: Services, value: Any = None, *cases: Any) -> Any:
    """``switch(x, {a: 1, b: 2}, 3)``: the result under the value's text, else the default. Or pairs of a value
    and a result, then the default: ``switch(x, "a", 1, "b", 2, 3)``."""
    if len(cases) <= 2 and cases and isinstance(cases[0], Mapping):
        found = {key_text(key): key for key in services.visit(list(cases[0]))}
        key = None if isinstance(value, WITHOUT_KEY) else key_text(value)
        return cases[0][found[key]] if key in found else cases[1] if len(cases) == 2 else None
    for at in services.visit(range(0, len(cases) - 1, 2)):
        if equals(value, cases[at], services):
            return cases[at + 1]
    return cases[-1] if len(cases) % 2 else None


@function("is_truthy")
def is_truthy(_: Services, value: Any = None) -> bool:
    """Whether it is truthy, as a condition takes it."""
    return truthy(value)


@function("not", "is_falsy")
def not_(_: Services, value: Any = None) -> bool:
    """Whether it is falsy."""
    return not truthy(value)
