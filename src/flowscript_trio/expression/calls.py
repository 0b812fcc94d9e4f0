"""Owns calls: how arguments reach functions, what a refusal says, and arrow functions as values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..types.errors import EvaluationError, LimitExceeded
from ..types.exceptions import is_a
from ..types.looking import text_of
from .costs import COSTS
from .functions import functions
from .scope import Overlay, Scope, Services
from .values import Function, check_size, kind_of

Run = Callable[[Scope], Any]

METHODS = {
    "map": "map", "filter": "filter", "reduce": "reduce", "find": "find", "some": "some",
    "every": "every", "includes": "includes", "join": "join", "slice": "slice",
    "toUpperCase": "upper", "toLowerCase": "lower", "trim": "trim", "split": "split",
    "replace": "replace", "startsWith": "starts_with", "endsWith": "ends_with",
}  # fmt: skip
"""The methods that values have, and the functions that they are."""

MAX_CALLS = 50
"""How deep calls of arrow functions may be in one another: far below Python's recursion limit."""


def make_call(name: str, arguments: Callable[[Scope], list[Any]], offset: int) -> Run:
    """The closure of a call of the function ``name``."""
    function, cost = functions()[name], COSTS[name].call

    def apply(scope: Scope) -> Any:
        return invoke(function, name, cost, scope.services, arguments(scope), offset)

    return apply


def make_method(
    name: str, arguments: Callable[[Scope], list[Any]], offset: int
) -> Callable[[Scope, Any], Any]:
    """The closure of a call of a method: of the function that it is, with the value first."""
    function, cost = functions()[METHODS[name]], COSTS[METHODS[name]].call

    def apply(scope: Scope, value: Any) -> Any:
        return invoke(function, name, cost, scope.services, [value, *arguments(scope)], offset)

    return apply


def make_arrow(parameters: tuple[str, ...], run: Run, weight: int) -> Run:
    """The closure that makes an arrow function over the scope that it is in.

    A call of it is ``weight`` operations.
    """

    def make(scope: Scope) -> Function:
        services = scope.services

        def call(arguments: tuple[Any, ...]) -> Any:
            services.spend(weight)
            if services.depth >= MAX_CALLS:
                raise LimitExceeded(f"arrow functions call one another deeper than {MAX_CALLS}")
            services.depth += 1
            try:
                return run(Overlay(scope, dict(zip(parameters, arguments, strict=False))))
            finally:
                services.depth -= 1

        return Function(len(parameters), call)

    return make


def invoke(
    function: Callable[..., Any],
    name: str,
    cost: int,
    services: Services,
    arguments: list[Any],
    offset: int,
) -> Any:
    """Call a function, which costs this many operations; what is wrong with the call is an EvaluationError
    at ``offset``."""
    try:
        services.spend(cost)
        for argument in arguments:
            if argument.__class__ is str:
                services.spend_text(len(argument))
        return check_size(function(services, *arguments), services.limits)
    except EvaluationError as exc:
        raise at(exc, offset, f"{name}(): ")
    except RecursionError:
        found: EvaluationError = LimitExceeded(f"{name}(): the value nests too deeply")
    except (TypeError, ValueError, ArithmeticError) as exc:
        found = _explain(function, name, arguments, exc)
    raise at(found, offset)


def at(exc: EvaluationError, offset: int, prefix: str = "") -> EvaluationError:
    """The error with the offset of the innermost part that failed, and its words before it."""
    if exc.offset is None:
        exc.offset = offset
        exc.args = (prefix + str(exc),)
    return exc


def _explain(
    function: Callable[..., Any], name: str, arguments: list[Any], exc: Exception
) -> EvaluationError:
    """What to say of a call that Python refused: the number of arguments, or their kinds."""
    if is_a(exc, TypeError) and f"{function.__name__}() takes" in text_of(exc):
        given = len(arguments)
        return EvaluationError(
            f"{name}() does not take {given} argument{'' if given == 1 else 's'}"
        )
    kinds = ", ".join(kind_of(argument) for argument in arguments)
    return EvaluationError(f"{name}() cannot be applied to ({kinds})")
