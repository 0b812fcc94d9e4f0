"""Owns code that decides: truth, ``&&``, ``||``, ``??`` and ``? :``."""

from __future__ import annotations

import ast

from ..syntax import Choice, Series, Tree, Unary
from .body import Body
from .nodes import Code, call, either, every, name, opposite, same

SHORT_CIRCUITS = frozenset({"&&", "||", "??"})
"""Operators whose right side is read only where the left one does not decide."""

_BOOLEANS = frozenset({"<", "<=", ">", ">=", "==", "===", "!=", "!==", "in"})


def is_boolean(tree: Tree) -> bool:
    """Whether a tree's value is a boolean whatever its parts are."""
    if isinstance(tree, Series):
        return all(operator in _BOOLEANS for operator, _, _ in tree.rest)
    return isinstance(tree, Unary) and tree.operator == "!"


def truth(body: Body, value: Code, tree: Tree) -> Code:
    """What Python can test for the truth of a tree's value."""
    if is_boolean(tree):
        return value
    value = body.variable(value)
    true = same(value, ast.Constant(True))
    false = ast.Compare(value, [ast.IsNot()], [ast.Constant(False)])
    return either(true, every([false, call("truthy", value)]))


def write_choice(body: Body, tree: Choice) -> Code:
    target = body.new()
    _write_cases(body, list(tree.cases), tree.otherwise, target)
    return name(target)


def _write_cases(body: Body, cases: list[tuple[Tree, Tree]], otherwise: Tree, target: str) -> None:
    if not cases:
        body.assign(target, body.write(otherwise))
        return
    when, then = cases[0]
    body.when(
        truth(body, body.write(when), when),
        lambda: body.assign(target, body.write(then)),
        lambda: _write_cases(body, cases[1:], otherwise, target),
    )


def write_short_circuit(body: Body, tree: Series) -> Code:
    target = body.new()
    body.assign(target, body.write(tree.first))
    before = tree.first
    for operator, operand, _ in tree.rest:
        value = name(target)
        if operator == "??":
            go_on = same(value, ast.Constant(None))
        else:
            go_on = truth(body, value, before)
            if operator == "||":
                go_on = opposite(go_on)

        def other(operand: Tree = operand) -> None:
            body.assign(target, body.write(operand))

        body.when(go_on, other)
        before = operand if is_boolean(before) else before
    return name(target)
