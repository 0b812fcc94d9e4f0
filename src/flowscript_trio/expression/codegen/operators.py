"""Owns code of operators: numbers and short texts in place, all else by the general operator with its place."""

from __future__ import annotations

import ast
from typing import Any

from ..operators import BINARY
from ..syntax import Constant, ListOf, Series, Tree, Unary, words_of
from . import slowpath
from .body import Body
from .conditions import SHORT_CIRCUITS, truth, write_short_circuit
from .nodes import LARGE, SHORT, Code, call, every, has_type, is_short, is_small, name, opposite

_ARITHMETIC: dict[str, ast.operator] = {"+": ast.Add(), "-": ast.Sub(), "*": ast.Mult()}
_ORDER: dict[str, ast.cmpop] = {"<": ast.Lt(), "<=": ast.LtE(), ">": ast.Gt(), ">=": ast.GtE()}
_EQUAL: dict[str, ast.cmpop] = {
    "==": ast.Eq(), "===": ast.Eq(), "!=": ast.NotEq(), "!==": ast.NotEq(),
}  # fmt: skip


def write_series(body: Body, tree: Series) -> Code:
    if tree.rest[0][0] in SHORT_CIRCUITS:
        return write_short_circuit(body, tree)
    left: Tree | None = tree.first
    value = body.write(tree.first)
    for operator, right, offset in tree.rest:
        if operator == "in" and isinstance(right, ListOf) and _is_words(right):
            value = _write_in_words(body, value, left, right, offset)
        else:
            place = slowpath.Operands(left, right, offset)
            value = _Binary(body, operator, value, body.write(right), place).write()
        left = None
    return value


def write_unary(body: Body, tree: Unary) -> Code:
    operator, operand = tree.operator, tree.operand
    value = body.variable(body.write(operand))
    if operator == "!":
        return body.keep(opposite(truth(body, value, operand)))
    if operator == "typeof":
        return body.keep(call("type_of", value))
    place = operand.offset + body.shift
    slow = body.give(slowpath.make_unary(operator, words_of(operand), place))
    target = body.new()
    sign: ast.unaryop = ast.USub() if operator == "-" else ast.UAdd()
    plain = has_type(body.kind(value), "int", "float")
    body.choose(target, plain, ast.UnaryOp(sign, value), call(slow, value, name("services")))
    return name(target)


class _Binary:
    """One operator over two values that are written already.

    ``careful`` is the general operator's call; what each method writes is the quick way for some types,
    where the values are of them, and the careful one otherwise.
    """

    __slots__ = ("_a", "_b", "_body", "_careful", "_kinds", "_operator", "_target")

    def __init__(
        self, body: Body, operator: str, a: Code, b: Code, place: slowpath.Operands
    ) -> None:
        self._body = body
        self._operator = operator
        self._a = a
        self._b = b
        slow = body.give(slowpath.make_binary(BINARY[operator], place, body.shift))
        self._careful = call(slow, a, b, name("services"))
        self._target = body.new()
        self._kinds = [self._kind(a), self._kind(b)]

    def _kind(self, operand: Code) -> Any:
        """The type of a constant, else the name that holds the operand's type."""
        if isinstance(operand, ast.Constant):
            return type(operand.value)
        return self._body.kind(operand)

    def _may_be(self, *types: type) -> bool:
        """Whether no operand is a constant of another type."""
        return all(kind in types for kind in self._kinds if isinstance(kind, type))

    def _tests(self, *names: str) -> list[Code]:
        """Whether the operands that are not constants have one of these types."""
        return [has_type(kind, *names) for kind in self._kinds if not isinstance(kind, type)]

    def _are_numbers(self) -> Code:
        return every(self._tests("int", "float") or [ast.Constant(True)])

    def _set(self, value: Code) -> None:
        self._body.assign(self._target, value)

    def _set_carefully(self) -> None:
        self._set(self._careful)

    def write(self) -> Code:
        operator = self._operator
        numbers = self._may_be(int, float)
        if operator in _ARITHMETIC and numbers:
            self._arithmetic(_ARITHMETIC[operator])
        elif operator in _ORDER and numbers:
            quick = self._compared(_ORDER[operator])
            self._body.choose(self._target, self._are_numbers(), quick, self._careful)
        elif operator in _EQUAL:
            self._equality(self._compared(_EQUAL[operator]), numbers)
        elif operator == "+":
            self._text(ast.BinOp(self._a, ast.Add(), self._b))
        elif operator == "/":
            self._quotient()
        elif operator == "%":
            self._remainder()
        else:
            self._set_carefully()
        return name(self._target)

    def _compared(self, operator: ast.cmpop) -> Code:
        return ast.Compare(self._a, [operator], [self._b])

    def _arithmetic(self, operator: ast.operator) -> None:
        """Numbers, whose result is looked at; ``+`` is of texts, too."""

        def quick() -> None:
            self._set(ast.BinOp(self._a, operator, self._b))
            self._body.when(opposite(is_small(name(self._target))), self._set_carefully)

        def other() -> None:
            if self._operator == "+":
                self._text(ast.BinOp(self._a, ast.Add(), self._b))
            else:
                self._set_carefully()

        self._body.when(self._are_numbers(), quick, other)

    def _equality(self, quick: Code, numbers: bool) -> None:
        if numbers:
            self._body.when(
                self._are_numbers(), lambda: self._set(quick), lambda: self._text(quick)
            )
        else:
            self._text(quick)

    def _text(self, quick: Code) -> None:
        """Short texts in place; the others where their length is counted."""
        operands = (self._a, self._b)
        constants = [str(o.value) for o in operands if isinstance(o, ast.Constant)]
        short = [is_short(o) for o in operands if not isinstance(o, ast.Constant)]
        if not self._may_be(str) or not short or any(len(text) >= SHORT for text in constants):
            self._set_carefully()
            return
        test = every([*self._tests("str"), *short])
        self._body.choose(self._target, test, quick, self._careful)

    def _quotient(self) -> None:
        """Floats but by zero: a quotient of integers may be one."""
        if not self._may_be(float):
            self._set_carefully()
            return
        by_something = ast.Compare(self._b, [ast.NotEq()], [ast.Constant(0)])
        quick = ast.BinOp(self._a, ast.Div(), self._b)
        test = every([*self._tests("float"), by_something])
        self._body.choose(self._target, test, quick, self._careful)

    def _remainder(self) -> None:
        """Integers that are not negative, of which Python's remainder is that of JavaScript."""
        if not self._may_be(int):
            self._set_carefully()
            return
        zero, large = ast.Constant(0), ast.Constant(LARGE)
        tests = [
            *self._tests("int"),
            ast.Compare(zero, [ast.LtE(), ast.Lt()], [self._a, large]),
            ast.Compare(zero, [ast.Lt(), ast.Lt()], [self._b, large]),
        ]
        quick = ast.BinOp(self._a, ast.Mod(), self._b)
        self._body.choose(self._target, every(tests), quick, self._careful)


def _is_words(tree: ListOf) -> bool:
    """Whether a list is one of constant texts."""
    return bool(tree.items) and all(
        not spread and isinstance(item, Constant) and type(item.value) is str
        for spread, item in tree.items
    )


def _write_in_words(body: Body, value: Code, left: Tree | None, tree: ListOf, offset: int) -> Code:
    """``x in ['a', 'b']``: a look into a set, where the left one is a text."""
    words = [item.value for _, item in tree.items if isinstance(item, Constant)]
    value = body.variable(value)
    known = body.give(frozenset(words))
    place = slowpath.Operands(left, tree, offset)
    slow = body.give(slowpath.make_binary(BINARY["in"], place, body.shift))
    target = body.new()
    body.choose(
        target,
        has_type(body.kind(value), "str"),
        ast.Compare(value, [ast.In()], [name(known)]),
        call(slow, value, name(body.give(words)), name("services")),
    )
    return name(target)
