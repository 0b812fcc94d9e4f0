"""Owns compiling: syntax tree → closures over a scope. Nothing is parsed when an expression runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..types.errors import EvaluationError, LimitExceeded
from ..types.exceptions import is_a
from .calls import Run, at, make_arrow, make_call, make_method
from .members import (
    NODE_MEMBERS,
    Step,
    make_constant_item,
    make_item,
    make_member,
    read_item_of_name,
    read_member,
    read_member_of_name,
    read_node,
    read_node_member,
    static_index,
    static_name,
)
from .operators import BINARY, UNARY, Binary, OperandError
from .scope import Scope, as_closed_as
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
    weight_of,
    words_of,
)
from .values import LISTS, check_items, key_text, shown, truthy

IsNode = Callable[[str], bool]

STOPS: dict[str, Callable[[Any], bool]] = {
    "&&": lambda value: not truthy(value),
    "||": truthy,
    "??": lambda value: value is not None,
}
"""The operators that do not look at the rest once a value decides."""


def plain_name(tree: Tree, is_node: IsNode) -> str | None:
    """The name, where a tree is one that no node has, and nothing else."""
    if isinstance(tree, Name) and (tree.local or not is_node(tree.name)):
        return tree.name
    return None


def compile_tree(tree: Tree, is_node: IsNode) -> Run:
    """The closure of a tree; ``is_node`` says which names are those of nodes."""
    return _Compiler(is_node).compile(tree)


class _Compiler:
    def __init__(self, is_node: IsNode) -> None:
        self._is_node = is_node

    def compile(self, tree: Tree) -> Run:
        match tree:
            case Constant(value):
                return lambda scope: value
            case Name(name, _, local):
                return self._name(name, local)
            case Chain(base, steps):
                return self._chain(base, steps)
            case Call(name, arguments, offset):
                return make_call(name, self._list(arguments), offset)
            case Series(first, rest):
                return self._series(first, rest)
            case Unary(operator, operand, offset):
                return self._unary(operator, operand, offset)
            case Choice(cases, otherwise):
                return self._choice(cases, otherwise)
            case ListOf(items):
                return self._list(items)
            case ObjectOf(entries):
                return self._object(entries)
            case Arrow(parameters, body):
                return make_arrow(parameters, self.compile(body), weight_of(body))

    def _name(self, name: str, local: bool) -> Run:
        if not local and self._is_node(name):
            return read_node(name)
        return lambda scope: scope.value(name)

    # ---- members and methods ----

    def _chain(self, base: Tree, steps: tuple[Member | Item | Method, ...]) -> Run:
        run = self._first(base, steps[0])
        if run is None:
            run = self.compile(base)
        else:
            steps = steps[1:]
        return self._walk(run, [self._step(step) for step in steps]) if steps else run

    def _first(self, base: Tree, step: Member | Item | Method) -> Run | None:
        """One closure for a base and its first step, where there is one for them."""
        name = static_name(step)
        if isinstance(base, Name):
            if not base.local and self._is_node(base.name):
                if name in NODE_MEMBERS:
                    return read_node_member(base.name, name)
            elif name is not None:
                return read_member_of_name(base.name, name)
            elif (index := static_index(step)) is not None:
                return read_item_of_name(base.name, index)
        return None if name is None else read_member(self.compile(base), name)

    def _step(self, step: Member | Item | Method) -> Step:
        if isinstance(step, Member):
            return make_member(step.name)
        if isinstance(step, Item):
            key = step.key
            if isinstance(key, Constant):
                return make_constant_item(key.value)
            return make_item(self.compile(key))
        return make_method(step.name, self._list(step.arguments), step.offset)

    def _walk(self, run: Run, steps: list[Step]) -> Run:
        if len(steps) == 1:
            last = steps[0]
            return lambda scope: last(scope, run(scope))

        def walk(scope: Scope) -> Any:
            value = run(scope)
            for step in steps:
                value = step(scope, value)
            return value

        return walk

    # ---- operators ----

    def _series(self, first: Tree, rest: tuple[tuple[str, Tree, int], ...]) -> Run:
        run = self.compile(first)
        stops = STOPS.get(rest[0][0])
        if stops is not None:
            return self._short_circuit([run, *(self.compile(tree) for _, tree, _ in rest)], stops)
        steps = []
        left: Tree | None = first
        for operator, tree, offset in rest:
            steps.append((BINARY[operator], self.compile(tree), Operands(left, tree, offset)))
            left = None
        if len(steps) == 1:
            return self._binary(run, *steps[0])

        def fold(scope: Scope) -> Any:
            value = run(scope)
            services = scope.services
            for combine, operand, place in steps:
                right = operand(scope)
                try:
                    value = combine(value, right, services)
                except (EvaluationError, ArithmeticError, TypeError, ValueError) as exc:
                    found = place.error(exc, value, right)
                else:
                    continue
                raise found
            return value

        return fold

    def _binary(self, left: Run, combine: Binary, right: Run, place: Operands) -> Run:
        def binary(scope: Scope) -> Any:
            a, b = left(scope), right(scope)
            try:
                return combine(a, b, scope.services)
            except (EvaluationError, ArithmeticError, TypeError, ValueError) as exc:
                found = place.error(exc, a, b)
            raise found

        return binary

    def _short_circuit(self, runs: list[Run], stops: Callable[[Any], bool]) -> Run:
        """The first value that decides, else the last."""

        def choose(scope: Scope) -> Any:
            value = None
            for run in runs:
                value = run(scope)
                if stops(value):
                    break
            return value

        return choose

    def _unary(self, operator: str, operand: Tree, offset: int) -> Run:
        run = self.compile(operand)
        apply = UNARY[operator]
        words = words_of(operand)

        def unary(scope: Scope) -> Any:
            value = run(scope)
            try:
                return apply(value, scope.services)
            except LimitExceeded as exc:
                raise at(exc, operand.offset)
            except EvaluationError:
                found = f"{words or 'the operand'} is {shown(value)}; expected a number"
            raise EvaluationError(found, operand.offset)

        return unary

    def _choice(self, cases: tuple[tuple[Tree, Tree], ...], otherwise: Tree) -> Run:
        runs = [(self.compile(when), self.compile(then)) for when, then in cases]
        last = self.compile(otherwise)

        def choose(scope: Scope) -> Any:
            for when, then in runs:
                if truthy(when(scope)):
                    return then(scope)
            return last(scope)

        return choose

    # ---- lists and objects ----

    def _list(self, items: tuple[tuple[bool, Tree], ...]) -> Callable[[Scope], list[Any]]:
        if not any(spread for spread, _ in items):
            plain = tuple(self.compile(tree) for _, tree in items)
            return lambda scope: [run(scope) for run in plain]
        runs = [(spread, self.compile(tree), tree.offset) for spread, tree in items]

        def build(scope: Scope) -> list[Any]:
            built: list[Any] = []
            services = scope.services
            for spread, run, offset in runs:
                value = run(scope)
                if not spread:
                    built.append(value)
                elif isinstance(value, (str, *LISTS)):
                    try:
                        check_items(len(built) + len(value), services.limits)
                        services.spend_copy(len(value))
                    except EvaluationError as exc:
                        raise at(exc, offset)
                    built.extend(value)
                elif value is not None:
                    raise EvaluationError(
                        f"{shown(value)} cannot be spread here; expected a list", offset
                    )
            check_items(len(built), services.limits)
            return built

        return build

    def _object(self, entries: tuple[tuple[Tree | None, Tree], ...]) -> Run:
        runs = [
            (None if key is None else self.compile(key), self.compile(value), value.offset)
            for key, value in entries
        ]

        def build(scope: Scope) -> dict[str, Any]:
            built: dict[str, Any] = {}
            services = scope.services
            for key, run, offset in runs:
                name = None if key is None else key_text(key(scope))
                value = run(scope)
                if name is not None:
                    built[name] = value
                elif isinstance(value, Mapping):
                    try:
                        check_items(len(built) + len(value), services.limits, "object")
                        services.spend_copy(len(value))
                        services.spend_update(len(value) if built else 0)
                    except EvaluationError as exc:
                        raise at(exc, offset)
                    built = as_closed_as(value, built)
                    built.update(value)
                elif value is not None:
                    raise EvaluationError(
                        f"{shown(value)} cannot be spread here; expected an object", offset
                    )
            return built

        return build


class Operands:
    """Where an operator is between its operands, for errors."""

    __slots__ = ("left", "offset", "right")

    def __init__(self, left: Tree | None, right: Tree, offset: int) -> None:
        self.left: Tree | None = left
        self.right: Tree = right
        self.offset: int = offset

    def error(self, exc: Exception, left: Any, right: Any) -> EvaluationError:
        """The error of an operation: it names the operand at fault by its words and its place."""
        if is_a(exc, OperandError):
            tree = self.right if exc.side else self.left
            words = None if tree is None else words_of(tree)
            side = "right" if exc.side else "left"
            return EvaluationError(
                f"{words or f'the {side} operand'} {exc.reason}",
                self.offset if tree is None else tree.offset,
            )
        if is_a(exc, EvaluationError):
            return at(exc, self.offset)
        if is_a(exc, OverflowError):
            return EvaluationError("the result is too large", self.offset)
        return EvaluationError(
            f"cannot be applied to {shown(left)} and {shown(right)}", self.offset
        )
