"""Owns the calls that cannot succeed: too many arguments, or constants that the function refuses."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from ...types.errors import EvaluationError, LimitExceeded
from ..calls import METHODS, invoke
from ..costs import COSTS
from ..scope import Limits, Services
from ..syntax import (
    Arrow,
    Call,
    Chain,
    Choice,
    Constant,
    Item,
    ListOf,
    Method,
    ObjectOf,
    Series,
    Tree,
    Unary,
)
from ..table import FUNCTIONS

_LIMITS = Limits(operations=5_000, text=5_000, items=5_000, seconds=0.05)
"""What a call of constants may take while a document is read; one that takes more is left to the run."""
_MORE = {"reduce": 3}
"""Functions that refuse arguments which Python would let through."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A call that cannot succeed: where it stands in the expression, the name that is written, and why."""

    offset: int
    name: str
    message: str


def misfits(tree: Tree) -> Iterator[Misfit]:
    """The calls in a tree that fail whatever its names are."""
    stack: list[Tree] = [tree]
    while stack:
        part = stack.pop()
        match part:
            case Call(name, arguments, offset):
                yield from _judge(name, name, arguments, 0, offset)
                stack.extend(argument for _, argument in arguments)
            case Chain(base, steps):
                stack.append(base)
                for step in steps:
                    if isinstance(step, Item):
                        stack.append(step.key)
                    elif isinstance(step, Method):
                        name = METHODS.get(step.name, step.name)
                        yield from _judge(name, step.name, step.arguments, 1, step.offset)
                        stack.extend(argument for _, argument in step.arguments)
            case Series(first, rest):
                stack.append(first)
                stack.extend(operand for _, operand, _ in rest)
            case Unary(_, operand):
                stack.append(operand)
            case Choice(cases, otherwise):
                stack.append(otherwise)
                for case in cases:
                    stack.extend(case)
            case ListOf(items):
                stack.extend(item for _, item in items)
            case ObjectOf(entries):
                for key, value in entries:
                    stack.extend([value] if key is None else [key, value])
            case Arrow(_, body):
                stack.append(body)


def _judge(
    name: str, written: str, arguments: tuple[tuple[bool, Tree], ...], before: int, offset: int
) -> Iterator[Misfit]:
    """Judge one call; ``before`` counts the arguments that do not stand between its parentheses."""
    if name not in FUNCTIONS:
        return
    most = most_arguments(name) - before
    given = sum(not spread for spread, _ in arguments)
    if given > most:
        takes = "no arguments" if most == 0 else f"at most {most} argument{'s' * (most != 1)}"
        yield Misfit(offset, written, f"{written}() takes {takes}; {given} were given")
    elif arguments and not before and all(_is_constant(*each) for each in arguments):
        message = _refusal(name, [each.value for _, each in arguments])  # type: ignore[union-attr]
        if message is not None:
            yield Misfit(offset, written, message)


def _is_constant(spread: bool, tree: Tree) -> bool:
    return not spread and isinstance(tree, Constant)


def _refusal(name: str, values: list[object]) -> str | None:
    """What a function says of constants that it refuses; None where it takes them."""
    services = Services(random=Random(0), limits=_LIMITS)
    try:
        invoke(FUNCTIONS[name], name, COSTS[name].call, services, values, 0)
    except LimitExceeded:
        return None
    except EvaluationError as exc:
        return str(exc)
    return None


@cache
def most_arguments(name: str) -> float:
    """How many arguments a function takes at most; ``math.inf`` where there is no bound."""
    if name in _MORE:
        return _MORE[name]
    parameters = list(inspect.signature(FUNCTIONS[name]).parameters.values())
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return math.inf
    return len(parameters) - 1  # the first are the run's services
