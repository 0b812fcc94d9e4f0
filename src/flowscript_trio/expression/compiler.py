"""Owns compiling: syntax tree → closures over a scope. Nothing is parsed when an expression runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..types.errors import EvaluationError
from .operators import BINARY, UNARY, Binary
from .scope import Overlay, Scope
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
from .values import LISTS, Function, check_size, member, truthy

Run = Callable[[Scope], Any]
IsNode = Callable[[str], bool]

STOPS: dict[str, Callable[[Any], bool]] = {
    "&&": lambda value: not truthy(value),
    "||": truthy,
    "??": lambda value: value is not None,
}
"""The operators that do not look at the rest once a value decides."""

METHODS = {
    "map": "map", "filter": "filter", "reduce": "reduce", "find": "find", "some": "some",
    "every": "every", "includes": "includes", "join": "join", "slice": "slice",
    "toUpperCase": "upper", "toLowerCase": "lower", "trim": "trim", "split": "split",
    "replace": "replace", "startsWith": "starts_with", "endsWith": "ends_with",
}  # fmt: skip
"""The methods that values have, and the functions that they are."""


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
                return self._call(name, arguments, offset)
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
                return self._arrow(parameters, body)

    def _name(self, name: str, local: bool) -> Run:
        if local or not self._is_node(name):
            return lambda scope: scope.value(name)

        def read(scope: Scope) -> Any:
            result = scope.node(name)
            return None if result is None else result.output

        return read

    # ---- members and methods ----

    def _chain(self, base: Tree, steps: tuple[Member | Item | Method, ...]) -> Run:
        run = self.compile(base)
        if isinstance(base, Name) and not base.local and self._is_node(base.name):
            first = steps[0]
            if isinstance(first, Member) and first.name in ("output", "status", "error"):
                run = _node_member(base.name, first.name)
                steps = steps[1:]
        for step in steps:
            run = self._step(run, step)
        return run

    def _step(self, run: Run, step: Member | Item | Method) -> Run:
        if isinstance(step, Member):
            name = step.name

            def read(scope: Scope) -> Any:
                value = run(scope)
                if value.__class__ is dict:
                    return value.get(name)
                return member(value, name)

            return read
        if isinstance(step, Item):
            key = self.compile(step.key)
            return lambda scope: member(run(scope), key(scope))
        function = METHODS.get(step.name)
        if function is None:
            raise AssertionError("unknown methods are found when the expression is parsed")
        return self._apply(function, [run], step.arguments, step.offset)

    # ---- calls ----

    def _call(self, name: str, arguments: tuple[tuple[bool, Tree], ...], offset: int) -> Run:
        return self._apply(name, [], arguments, offset)

    def _apply(
        self, name: str, given: list[Run], arguments: tuple[tuple[bool, Tree], ...], offset: int
    ) -> Run:
        function = FUNCTIONS[name]
        if any(spread for spread, _ in arguments):
            items = self._list(arguments)

            def apply_spread(scope: Scope) -> Any:
                values = [run(scope) for run in given]
                return _call(function, name, scope, [*values, *items(scope)], offset)

            return apply_spread
        runs = tuple(given) + tuple(self.compile(tree) for _, tree in arguments)

        def apply(scope: Scope) -> Any:
            return _call(function, name, scope, [run(scope) for run in runs], offset)

        return apply

    def _arrow(self, parameters: tuple[str, ...], body: Tree) -> Run:
        run = self.compile(body)

        def make(scope: Scope) -> Function:
            def call(arguments: tuple[Any, ...]) -> Any:
                scope.services.spend(1)
                return run(Overlay(scope, dict(zip(parameters, arguments, strict=False))))

            return Function(len(parameters), call)

        return make

    # ---- operators ----

    def _series(self, first: Tree, rest: tuple[tuple[str, Tree, int], ...]) -> Run:
        run = self.compile(first)
        stops = STOPS.get(rest[0][0])
        if stops is not None:
            return self._short_circuit([run, *(self.compile(tree) for _, tree, _ in rest)], stops)
        steps = [(BINARY[operator], self.compile(tree), offset) for operator, tree, offset in rest]
        if len(steps) == 1:
            return self._binary(run, *steps[0])

        def fold(scope: Scope) -> Any:
            value = run(scope)
            limits = scope.services.limits
            for combine, operand, offset in steps:
                right = operand(scope)
                try:
                    value = combine(value, right, limits)
                except EvaluationError as exc:
                    raise _at(exc, offset)
            return value

        return fold

    def _binary(self, left: Run, combine: Binary, right: Run, offset: int) -> Run:
        def binary(scope: Scope) -> Any:
            a, b = left(scope), right(scope)
            try:
                return combine(a, b, scope.services.limits)
            except EvaluationError as exc:
                raise _at(exc, offset)

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

        def unary(scope: Scope) -> Any:
            try:
                return apply(run(scope))
            except EvaluationError as exc:
                raise _at(exc, offset)

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

    def _list(self, items: tuple[tuple[bool, Tree], ...]) -> Run:
        runs = [(spread, self.compile(tree)) for spread, tree in items]
        if not any(spread for spread, _ in items):
            plain = [run for _, run in runs]
            return lambda scope: [run(scope) for run in plain]

        def build(scope: Scope) -> list[Any]:
            built: list[Any] = []
            for spread, run in runs:
                value = run(scope)
                if not spread:
                    built.append(value)
                elif isinstance(value, (str, *LISTS)):
                    built.extend(value)
                elif value is not None:
                    raise EvaluationError("only lists and texts can be spread into a list")
                check_size(built, scope.services.limits)
            scope.services.spend(len(built))
            return built

        return build

    def _object(self, entries: tuple[tuple[Tree | None, Tree], ...]) -> Run:
        runs = [
            (None if key is None else self.compile(key), self.compile(value))
            for key, value in entries
        ]

        def build(scope: Scope) -> dict[str, Any]:
            built: dict[str, Any] = {}
            for key, run in runs:
                value = run(scope)
                if key is not None:
                    built[_key(key(scope))] = value
                elif isinstance(value, Mapping):
                    built.update(value)
                    scope.services.spend(len(value))
                elif value is not None:
                    raise EvaluationError("only objects can be spread into an object")
            return built

        return build


def _key(value: Any) -> str:
    from .encoding import to_text

    return value if isinstance(value, str) else to_text(value)


def _node_member(node: str, name: str) -> Run:
    """``fetch.output`` is the output; ``.status`` and ``.error`` are the node's where the output has none."""

    def read(scope: Scope) -> Any:
        result = scope.node(node)
        if result is None:
            return None
        output = result.output
        if name == "output":
            return output
        if isinstance(output, Mapping) and name in output:
            return output[name]
        if name == "status":
            return result.status
        error = result.error
        if error is None:
            return None
        seen = {"message": str(error), "type": type(error).__name__}
        status = getattr(error, "status", None)
        if isinstance(status, int):
            seen["status"] = status  # type: ignore[assignment]
        return seen

    return read


def _call(
    function: Callable[..., Any], name: str, scope: Scope, arguments: list[Any], offset: int
) -> Any:
    services = scope.services
    services.spend(1)
    try:
        return check_size(function(services, *arguments), services.limits)
    except EvaluationError as exc:
        raise _at(exc, offset)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError, RecursionError) as exc:
        found = _explain(function, name, arguments, exc)
    raise _at(found, offset)


def _explain(
    function: Callable[..., Any], name: str, arguments: list[Any], exc: Exception
) -> EvaluationError:
    """What to say of a call that Python refused: the number of arguments, or their kind."""
    if isinstance(exc, TypeError) and f"{function.__name__}()" in str(exc):
        return EvaluationError(f"{name}() does not take {len(arguments)} arguments")
    if isinstance(exc, RecursionError):
        return EvaluationError(f"{name}(): the value nests too deep")
    from .values import kind_of

    kinds = ", ".join(kind_of(argument) for argument in arguments)
    return EvaluationError(f"{name}() cannot be applied to ({kinds})")


def _at(exc: EvaluationError, offset: int) -> EvaluationError:
    """The error with the offset of the innermost part that failed."""
    if exc.offset is None:
        exc.offset = offset
    return exc
