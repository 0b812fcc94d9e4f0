"""Owns expressions as others use them: parsed once, with what they name; compiled; evaluated in a scope."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from ..types.errors import EvaluationError, nearest
from ..types.location import Text
from .compiler import METHODS, compile_tree
from .errors import ExpressionSyntaxError
from .grammar import read_tree
from .scope import Scope
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
from .table import FUNCTIONS

SPECIAL_NAMES = frozenset(
    {
        "$input", "$config", "$secrets", "$env", "$context", "$run", "$branch", "$iteration",
        "$item", "$index", "$first", "$last", "$items", "$acc", "$branches", "$error",
    }
)  # fmt: skip
"""The ``$`` names: always known, null where they have no value."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name used in an expression, with the members that follow it as they stand (``fetch.items``)."""

    name: str
    path: tuple[str, ...]
    offset: int


class Expression:
    """A compiled expression: called with a scope it gives the value.

    Raises EvaluationError with the offset in the expression's text and the place in the document.
    """

    __slots__ = ("_run", "_shift", "text")

    def __init__(self, run: Callable[[Scope], Any], text: Text, shift: int) -> None:
        self._run = run
        self._shift = shift
        self.text = text

    def __call__(self, scope: Scope) -> Any:
        return self._guard(scope, self._run, scope)

    def call(self, scope: Scope, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call an arrow function that this expression gave, as one evaluation of it."""
        return self._guard(scope, function, *arguments)

    def _guard(self, scope: Scope, run: Callable[..., Any], *arguments: Any) -> Any:
        scope.services.spent = 0
        try:
            return run(*arguments)
        except EvaluationError as exc:
            place(exc, self.text, self._shift)
            raise
        except RecursionError:
            error = EvaluationError("the expression nests too deep", 0)
        place(error, self.text, self._shift)
        raise error

    def __deepcopy__(self, memo: dict[int, Any]) -> Expression:
        return self

    def __repr__(self) -> str:
        return f"<Expression {self.text.value!r}>"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True, eq=False)
class ParsedExpression:
    """An expression that was read. ``references`` are the names that it uses from its surroundings,
    ``calls`` the functions that it calls, known or not; ``constant`` says that it uses and calls nothing.
    """

    text: Text
    tree: Tree
    shift: int
    references: tuple[Reference, ...]
    calls: tuple[Reference, ...]

    @property
    def constant(self) -> bool:
        return not self.references and not self.calls

    def compile(self, is_node: Callable[[str], bool]) -> Expression:
        """The expression, ready to be evaluated; every function that it calls must be known."""
        return Expression(compile_tree(self.tree, is_node), self.text, self.shift)


def parse_expression(text: Text, *, names: Collection[str] = frozenset()) -> ParsedExpression:
    """Read an expression; braces around it are optional.

    Raises ExpressionSyntaxError, whose offset is in ``text``.
    """
    value = text.value
    start, end = 0, len(value)
    stripped = value.strip()
    if stripped.startswith("{{") and stripped.endswith("}}"):
        start = value.index("{{") + 2
        end = value.rindex("}}")
    return parse_part(text, start, end, names)


def parse_part(text: Text, start: int, end: int, names: Collection[str]) -> ParsedExpression:
    """Read the expression between two offsets of a text."""
    try:
        tree = read_tree(text.value[start:end], names)
        references, calls = _survey(tree)
    except ExpressionSyntaxError as exc:
        exc.offset = min(exc.offset + start, max(len(text.value) - 1, 0))
        raise
    return ParsedExpression(
        text,
        tree,
        start,
        tuple(Reference(r.name, r.path, r.offset + start) for r in references),
        tuple(Reference(c.name, (), c.offset + start) for c in calls),
    )


def place(exc: EvaluationError, text: Text, shift: int) -> None:
    """Say on an error where in the document it stands, unless it is known."""
    if exc.location is None:
        exc.offset = shift + (exc.offset or 0)
        exc.location = text.location(exc.offset)
        exc.add_note(f"flowscript: in the expression at {exc.location}")


def function_names() -> frozenset[str]:
    """The names of all functions."""
    return frozenset(FUNCTIONS)


def _survey(tree: Tree) -> tuple[list[Reference], list[Reference]]:
    """The names and the functions that a tree uses, in the order in which they stand."""
    references: list[Reference] = []
    calls: list[Reference] = []
    stack: list[Tree] = [tree]
    while stack:
        part = stack.pop()
        match part:
            case Name(name, offset, local):
                if not local:
                    references.append(Reference(name, (), offset))
            case Chain(base, steps):
                if isinstance(base, Name):
                    if not base.local:
                        references.append(Reference(base.name, _static(steps), base.offset))
                else:
                    stack.append(base)
                for step in steps:
                    if isinstance(step, Item):
                        stack.append(step.key)
                    elif isinstance(step, Method):
                        _check_method(step)
                        stack.extend(argument for _, argument in step.arguments)
            case Call(name, arguments, offset):
                calls.append(Reference(name, (), offset))
                stack.extend(argument for _, argument in arguments)
            case Series(first, rest):
                stack.append(first)
                stack.extend(operand for _, operand, _ in rest)
            case Unary(_, operand):
                stack.append(operand)
            case Choice(cases, otherwise):
                for case in cases:
                    stack.extend(case)
                stack.append(otherwise)
            case ListOf(items):
                stack.extend(item for _, item in items)
            case ObjectOf(entries):
                for key, value in entries:
                    stack.extend([value] if key is None else [key, value])
            case Arrow(_, body):
                stack.append(body)
            case Constant():
                pass
    references.sort(key=lambda reference: reference.offset)
    calls.sort(key=lambda call: call.offset)
    return references, calls


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
        raise ExpressionSyntaxError(
            f"values have no method {step.name!r}",
            step.offset,
            len(step.name),
            expected="one of " + ", ".join(sorted(METHODS)),
            suggestion=nearest(step.name, METHODS),
        )
