"""Owns the small ``ast`` nodes that all generated code is made of, and what "short" and "small" are in it."""

from __future__ import annotations

import ast

Code = ast.expr

LARGE = 1 << 47
"""Numbers below this are added and multiplied in place; larger ones where their size is looked at."""
SHORT = 64
"""Texts and objects shorter than this are handled in place, without a count."""


def name(word: str) -> Code:
    return ast.Name(word, ast.Load())


def stored(word: str) -> ast.Name:
    """A name that is assigned to."""
    return ast.Name(word, ast.Store())


def call(function: str, *arguments: Code) -> Code:
    return ast.Call(name(function), list(arguments), [])


def attribute(value: Code, word: str) -> Code:
    return ast.Attribute(value, word, ast.Load())


def same(left: Code, right: Code) -> Code:
    return ast.Compare(left, [ast.Is()], [right])


def opposite(test: Code) -> Code:
    return ast.UnaryOp(ast.Not(), test)


def either(*tests: Code) -> Code:
    return ast.BoolOp(ast.Or(), list(tests))


def every(tests: list[Code]) -> Code:
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


def has_type(kind: Code, *names: str) -> Code:
    """Whether a type, not a value, is one of these."""
    tests = [same(kind, name(word)) for word in names]
    return tests[0] if len(tests) == 1 else either(*tests)


def is_short(value: Code) -> Code:
    """Whether a text or an object may be handled in place."""
    return ast.Compare(call("len", value), [ast.Lt()], [ast.Constant(SHORT)])


def is_small(number: Code) -> Code:
    """Whether a number may be handled in place; NaN may not."""
    return ast.Compare(ast.Constant(-LARGE), [ast.Lt(), ast.Lt()], [number, ast.Constant(LARGE)])


def define(
    word: str, parameters: list[str], body: list[ast.stmt], defaults: list[Code]
) -> ast.FunctionDef:
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(parameter) for parameter in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=defaults,
    )
    made = ast.FunctionDef(name=word, args=arguments, body=body, decorator_list=[])
    setattr(made, "type_params", [])  # noqa: B010 - of Python 3.12 and later
    return made
