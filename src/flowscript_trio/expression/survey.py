"""Owns what an expression names: the references and calls of a syntax tree, in the order they are written in."""

from __future__ import annotations

import re
from dataclasses import field

from ..types.deferred import dataclass
from ..types.errors import nearest
from ..types.patterns import pattern
from .calls import METHODS
from .errors import ExpressionSyntaxError
from .functions import functions
from .syntax import (
    Arrow,
    Call,
    Chain,
    Choice,
    Constant,
    Item,
    ListOf,
    Member,
    Method,
    Name,
    ObjectOf,
    Series,
    Tree,
    Unary,
)

_CAPITAL = pattern(r"(?<=[a-z])(?=[A-Z])")
_ELSEWHERE = {
    **dict.fromkeys(("size", "count", "len"), ".length, without parentheses"),
    **dict.fromkeys(("push", "append", "add"), "a list with one more item: [...xs, x]"),
    **dict.fromkeys(("toFixed", "toPrecision"), "the function round(x, digits)"),
    **dict.fromkeys(("substr", "slice_of"), "the function substring(text, start, end)"),
    **dict.fromkeys(("strip", "trimStart", "trimEnd", "lstrip", "rstrip"), ".trim()"),
    **dict.fromkeys(("hasOwnProperty", "has_key", "containsKey"), "the function has(x, 'key')"),
    "forEach": ".map(x => …)",
    "flatMap": "the function flatten(xs.map(x => …))",
    "at": "an index: xs[0]",
    "items": "the function entries(x)",
    "parse_json": "JSON.parse(text)",
}
"""How methods of other languages are written here; others are functions of the same name."""

WITH_DEFAULT = ("coalesce", "default")
"""Functions that are like ``??``: the last argument stands for those before it."""
_HANDS_ON = frozenset({"??", "&&", "||", "coalesce", "default", "get", "if_else", "switch"})
"""Operators and functions that give one of their values as it is."""
_ASKS = frozenset(
    {
        "==",
        "!=",
        "===",
        "!==",
        "!",
        "not",
        "equals",
        "has",
        "to_boolean",
        "typeof",
        "is_array",
        "is_boolean",
    }
    | {"is_finite", "is_integer", "is_nan", "is_null", "is_number", "is_object", "is_string"}
)
"""Those that take any value, and make nothing of it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name used in an expression, with the members that follow it as they are written (``fetch.items``).

    ``offset`` counts characters of the expression's text from 0. ``has_default`` says that what is taken
    where it is null is written beside it (``$env.HOME ?? '/'``). ``is_taken`` says that something is made of
    the value: it is an operand or an argument, or a method is called on it. What is handed on, compared or
    asked for its kind is not.
    """

    name: str
    path: tuple[str, ...]
    offset: int
    has_default: bool = False
    is_taken: bool = field(default=False, compare=False)


def survey(tree: Tree) -> tuple[list[Reference], list[Reference], list[Call | Method]]:
    """The names and the functions that a tree uses, in the order they are written in; and all calls."""
    references: list[Reference] = []
    calls: list[Reference] = []
    made: list[Call | Method] = []
    # Each with whether something is made of its value.
    stack: list[tuple[Tree, bool]] = [(tree, False)]
    defaulted: set[int] = set()
    while stack:
        part, taken = stack.pop()
        match part:
            case Name(name, offset, local):
                if not local:
                    references.append(Reference(name, (), offset, False, taken))
            case Chain(base, steps):
                if isinstance(base, Name):
                    if not base.local:
                        has_default = base.offset in defaulted
                        path = _static(steps)
                        taken = taken or len(path) < len(steps)
                        references.append(
                            Reference(base.name, path, base.offset, has_default, taken)
                        )
                else:
                    stack.append((base, True))
                for step in steps:
                    if isinstance(step, Item):
                        stack.append((step.key, True))
                    elif isinstance(step, Method):
                        _check_method(step)
                        made.append(step)
                        stack.extend((argument, True) for _, argument in step.arguments)
            case Call(name, arguments, offset):
                calls.append(Reference(name, (), offset))
                made.append(part)
                inner = _is_taken_by(name, taken)
                stack.extend((argument, inner) for _, argument in arguments)
                if name == "get" and len(arguments) == 2:
                    references += _got(arguments[0][1], arguments[1][1])
                if name in WITH_DEFAULT:
                    defaulted |= _bases([argument for _, argument in arguments[:-1]])
            case Series(first, rest):
                inner = any(_is_taken_by(operator, taken) for operator, _, _ in rest)
                stack.append((first, inner))
                stack.extend((operand, inner) for _, operand, _ in rest)
                if rest[0][0] == "??":  # the loosest operator: all of the row are
                    defaulted |= _bases([first, *(operand for _, operand, _ in rest[:-1])])
            case Unary(operator, operand):
                stack.append((operand, _is_taken_by(operator, taken)))
            case Choice(cases, otherwise):
                for condition, value in cases:
                    stack.append((condition, False))
                    stack.append((value, taken))
                stack.append((otherwise, taken))
            case ListOf(items):
                stack.extend((item, is_spread) for is_spread, item in items)
            case ObjectOf(entries):
                for key, value in entries:
                    stack.append((value, key is None))
                    if key is not None:
                        stack.append((key, True))
            case Arrow(_, body):
                stack.append((body, False))
            case Constant():
                pass
    references.sort(key=lambda reference: reference.offset)
    calls.sort(key=lambda call: call.offset)
    return references, calls, made


def _is_taken_by(name: str, taken: bool) -> bool:
    """Whether something is made of the values that an operator or a function is given; ``taken``: of its own."""
    return taken if name in _HANDS_ON else name not in _ASKS


def _got(base: Tree, path: Tree) -> list[Reference]:
    """The member that ``get($config, 'user.name')`` takes, where it is written in the expression."""
    if not isinstance(base, Name) or base.local or not isinstance(path, Constant):
        return []
    if not isinstance(path.value, str):
        return []
    return [Reference(base.name, tuple(re.findall(r"[^.\[\]]+", path.value)), base.offset)]


def _bases(trees: list[Tree]) -> set[int]:
    """Where the names are that members are taken of in these trees, and nothing else is done."""
    return {tree.base.offset for tree in trees if isinstance(tree, Chain)}


def _static(steps: tuple[Member | Item | Method, ...]) -> tuple[str, ...]:
    path = []
    for step in steps:
        if isinstance(step, Member):
            path.append(step.name)
        elif isinstance(step, Item) and isinstance(step.key, Constant):
            path.append(str(step.key.value))
        else:
            break
    return tuple(path)


def _check_method(step: Method) -> None:
    if step.name not in METHODS:
        instead = _ELSEWHERE.get(step.name) or _function_for(step.name)
        raise ExpressionSyntaxError(
            f"values have no method {step.name!r}",
            step.offset,
            len(step.name),
            expected=instead or "one of " + ", ".join(sorted(METHODS)),
            suggestion=None if instead else nearest(step.name, METHODS),
        )


def _function_for(method: str) -> str | None:
    """The function that does what a method of that name does elsewhere."""
    name = _CAPITAL.sub("_", method).lower()
    return f"the function {name}(…)" if name in functions() else None
