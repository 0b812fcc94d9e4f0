"""Owns the calls that cannot succeed: too many arguments, too few, or constants that the function refuses."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator
from functools import cache
from random import Random

from ...types.deferred import dataclass
from ...types.errors import EvaluationError, LimitExceeded
from ..calls import METHODS, invoke
from ..costs import COSTS
from ..functions import functions
from ..scope import Limits, Services
from ..syntax import Call, Constant, ListOf, Method, ObjectOf, Tree, Unary

_LIMITS = Limits(operations=5_000, text=5_000, items=5_000, seconds=0.05)
"""What a call of constants may take while a document is read; one that takes more is left to the run."""
_MORE = {"reduce": 3}
"""Functions that refuse arguments which Python would let through."""
_NONE_NEEDED = frozenset({"now", "random", "uuid", "date", "time", "timestamp", "random_int"})
"""Functions that make a value of nothing; all others are of something, or of however many there are."""
_TWO_NEEDED = frozenset(
    {
        *(
            "add",
            "subtract",
            "multiply",
            "divide",
            "mod",
            "is_after",
            "is_before",
            "equals",
            "diff",
        ),
        *("contains", "includes", "index_of", "starts_with", "ends_with", "has", "delete", "set"),
        *("map", "group_by", "reduce", "if_else", "percent", "add_time", "subtract_time"),
        *("regex_match", "regex_replace", "match", "match_all", "test"),
    }
)
"""Functions of two values, which without the second say nothing about the first."""


_UNKNOWN = object()


@dataclass(frozen=True, slots=True)
class Misfit:
    """A call that cannot succeed: where it is in the expression, the name that is written, and why."""

    offset: int
    name: str
    message: str


def misfits(calls: Iterable[Call | Method]) -> Iterator[Misfit]:
    """Those of some calls that fail whatever the names in them are."""
    for call in calls:
        if isinstance(call, Call):
            yield from _judge(call.name, call.name, call.arguments, 0, call.offset)
        else:
            name = METHODS.get(call.name, call.name)
            yield from _judge(name, call.name, call.arguments, 1, call.offset)


def _judge(
    name: str, written: str, arguments: tuple[tuple[bool, Tree], ...], before: int, offset: int
) -> Iterator[Misfit]:
    """Judge one call; ``before`` counts the arguments that are not between its parentheses."""
    if name not in functions():
        return
    most = most_arguments(name) - before
    given = sum(not spread for spread, _ in arguments)
    least = max(0, least_arguments(name) - before)
    if given < least and given == len(arguments):
        needs = "an argument" if least == 1 else f"{least} arguments"
        had = "none was" if given == 0 else f"{given} was"
        yield Misfit(offset, written, f"{written}() needs {needs}; {had} given")
    elif given > most:
        takes = "no arguments" if most == 0 else f"at most {most} argument{'s' * (most != 1)}"
        yield Misfit(offset, written, f"{written}() takes {takes}; {given} were given")
    elif arguments and not before:
        values = [_UNKNOWN if spread else _constant(tree) for spread, tree in arguments]
        message = None if _has_unknown(values) else _refusal(name, values)
        if message is not None:
            yield Misfit(offset, written, message)


def _constant(tree: Tree) -> object:
    """The value that a tree has whatever the names are, of a literal and of lists and objects of them."""
    match tree:
        case Constant(value):
            return value
        case Unary("-" | "+" as sign, Constant(int() | float() as number)) if not isinstance(
            number, bool
        ):
            return -number if sign == "-" else number
        case ListOf(items):
            values = [_UNKNOWN if spread else _constant(item) for spread, item in items]
            return _UNKNOWN if _has_unknown(values) else values
        case ObjectOf(entries):
            pairs = [
                (_UNKNOWN if key is None else _constant(key), _constant(value))
                for key, value in entries
            ]
            known = all(isinstance(key, str) and value is not _UNKNOWN for key, value in pairs)
            return dict(pairs) if known else _UNKNOWN
    return _UNKNOWN


def _has_unknown(values: list[object]) -> bool:
    return any(value is _UNKNOWN for value in values)


def _refusal(name: str, values: list[object]) -> str | None:
    """What a function says of constants that it refuses; None where it takes them."""
    services = Services(random=Random(0), limits=_LIMITS)
    try:
        invoke(functions()[name], name, COSTS[name].call, services, values, 0)
    except LimitExceeded:
        return None
    except EvaluationError as exc:
        return str(exc)
    return None


@cache
def least_arguments(name: str) -> int:
    """How many arguments a function needs at least: null may be in the place of each, but not nothing."""
    if name in _TWO_NEEDED:
        return 2
    of_however_many = len(_parameters(name)) == 1 and _takes_more(name)
    return 0 if name in _NONE_NEEDED or of_however_many else 1


@cache
def most_arguments(name: str) -> float:
    """How many arguments a function takes at most; ``math.inf`` where there is no bound."""
    if name in _MORE:
        return _MORE[name]
    return math.inf if _takes_more(name) else len(_parameters(name))


def _takes_more(name: str) -> bool:
    return any(each.kind is each.VAR_POSITIONAL for each in _parameters(name))


@cache
def _parameters(name: str) -> list[inspect.Parameter]:
    """What a function takes; the first are the run's services, which are not arguments."""
    return list(inspect.signature(functions()[name]).parameters.values())[1:]
