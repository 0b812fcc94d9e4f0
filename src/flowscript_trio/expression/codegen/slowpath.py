"""Owns what generated code calls where its own quick way does not fit: the general functions, with places."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...types.deferred import dataclass
from ...types.errors import EvaluationError, LimitExceeded
from ..calls import MAX_CALLS, METHODS, at, invoke
from ..compiler import Operands
from ..costs import COSTS
from ..encoding import to_text
from ..functions import functions
from ..library.arguments import listed
from ..library.numbers import round_quickly
from ..operators import UNARY, Binary, type_of
from ..scope import RUN, Services, as_closed_as
from ..values import (
    LISTS,
    Function,
    check_items,
    check_size,
    count_written,
    key_text,
    member,
    shown,
    truthy,
)

__all__ = [
    "METHODS",
    "MISSING",
    "QUICK",
    "Operands",
    "key_text",
    "listed",
    "member",
    "truthy",
    "type_of",
]

MISSING = object()


@dataclass(frozen=True, slots=True)
class Quick:
    """A function that generated code may call itself, where the first argument is of these types."""

    function: Callable[..., Any]
    types: tuple[str, ...]
    arguments: int = 1
    reads: bool = True
    """Whether it looks at all of a text, so that only a short one is let through."""

    def accepts(self, value: Any) -> bool:
        return type(value) is int and 1 <= value <= 6


QUICK = {
    "upper": Quick(str.upper, ("str",)),
    "lower": Quick(str.lower, ("str",)),
    "length": Quick(len, ("str", "list", "dict"), reads=False),
    "len": Quick(len, ("str", "list", "dict"), reads=False),
    "size": Quick(len, ("str", "list", "dict"), reads=False),
    "floor": Quick(math.floor, ("int",)),
    "round": Quick(round_quickly, ("float",), arguments=2),
}


def make_binary(combine: Binary, place: Operands, shift: int) -> Callable[..., Any]:
    """An operator with its place; ``shift`` is the offset of the expression in its text."""

    def apply(a: Any, b: Any, services: Services) -> Any:
        try:
            return combine(a, b, services)
        except (EvaluationError, ArithmeticError, TypeError, ValueError) as exc:
            found = place.error(exc, a, b)
        assert found.offset is not None
        found.offset += shift
        raise found

    return apply


def make_unary(operator: str, words: str | None, offset: int) -> Callable[[Any, Services], Any]:
    apply = UNARY[operator]

    def unary(value: Any, services: Services) -> Any:
        try:
            return apply(value, services)
        except LimitExceeded as exc:
            raise at(exc, offset)
        except EvaluationError:
            found = f"{words or 'the operand'} is {shown(value)}; expected a number"
        raise EvaluationError(found, offset)

    return unary


def make_invoke(function: str, name: str, offset: int) -> Callable[..., Any]:
    """A call of the function ``function``, by the name as which it was written, with its place."""
    apply, cost = functions()[function], COSTS[function].call

    def call(services: Services, arguments: list[Any]) -> Any:
        return invoke(apply, name, cost, services, arguments, offset)

    return call


def make_function(arity: int, weight: int, run: Callable[..., Any], services: Services) -> Function:
    """An arrow function as a value over a generated one; a call of it is ``weight`` operations."""

    def call(arguments: tuple[Any, ...]) -> Any:
        services.spend(weight)
        if services.depth >= MAX_CALLS:
            raise LimitExceeded(f"arrow functions call one another deeper than {MAX_CALLS}")
        services.depth += 1
        try:
            return run(*arguments[:arity])
        finally:
            services.depth -= 1

    return Function(arity, call)


def make_runs(
    name: str, offset: int, weight: int
) -> Callable[[Any, Services], Iterator[tuple[int, Any]]]:
    """A list in runs of items, short ones first as a search may end early; each is counted, then given.

    An item is ``weight`` operations.
    """
    most = max(RUN // weight, 1)

    def runs(items: Any, services: Services) -> Iterator[tuple[int, Any]]:
        start, size = 0, min(8, most)
        try:
            services.spend(1)
            while start < len(items):
                part = items[start : start + size]
                services.spend(len(part) * weight)
                yield start, part
                start += size
                size = min(size * 2, most)
        except EvaluationError as exc:
            raise at(exc, offset, f"{name}(): ")

    return runs


def make_check(name: str, offset: int) -> Callable[[Any, Services], Any]:
    def check(value: Any, services: Services) -> Any:
        try:
            return check_size(value, services.limits)
        except EvaluationError as exc:
            raise at(exc, offset, f"{name}(): ")

    return check


def check_made(made: list[Any], services: Services) -> list[Any]:
    check_items(len(made), services.limits)
    return made


def make_spread_list(offset: int) -> Callable[[list[Any], Any, Services], None]:
    def spread(made: list[Any], value: Any, services: Services) -> None:
        if isinstance(value, (str, *LISTS)):
            try:
                check_items(len(made) + len(value), services.limits)
                services.spend_copy(len(value))
            except EvaluationError as exc:
                raise at(exc, offset)
            made.extend(value)
        elif value is not None:
            raise EvaluationError(f"{shown(value)} cannot be spread here; expected a list", offset)

    return spread


def make_spread_object(offset: int) -> Callable[[dict[str, Any], Any, Services], dict[str, Any]]:
    def spread(made: dict[str, Any], value: Any, services: Services) -> dict[str, Any]:
        if isinstance(value, Mapping):
            try:
                check_items(len(made) + len(value), services.limits, "object")
                services.spend_copy(len(value))
                services.spend_update(len(value) if made else 0)
            except EvaluationError as exc:
                raise at(exc, offset)
            made = as_closed_as(value, made)
            made.update(value)
        elif value is not None:
            raise EvaluationError(
                f"{shown(value)} cannot be spread here; expected an object", offset
            )
        return made

    return spread


def ready(services: Services) -> bool:
    """Begin an evaluation; whether the bounds let short texts and small numbers through."""
    services.begin()
    return services.roomy


def make_text(offset: int, place: Callable[[Any], None] | None) -> Callable[[Any, Services], str]:
    """What gives a value as text, counted; ``place`` gives an error its place in the document."""

    def text(value: Any, services: Services) -> str:
        if value.__class__ is int and -1_000_000 < value < 1_000_000:
            return str(value)
        try:
            word = to_text(value, services)
            count_written(len(word), services)
            return word
        except EvaluationError as exc:
            found = at(exc, offset)
        if place is not None:
            place(found)
        raise found

    return text
