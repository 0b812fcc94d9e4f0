"""Owns code of templates that make a text: their holes are trees, each with its offset in the template."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..syntax import Tree
from . import slowpath
from .body import Body, IsNode
from .function import function_of
from .nodes import (
    Code,
    attribute,
    call,
    either,
    every,
    has_type,
    is_short,
    is_small,
    name,
    opposite,
)

Parts = Iterable[str | tuple[Tree, int]]
Place = Callable[[Any], None]


def generate_text(
    parts: Parts,
    is_node: IsNode,
    again: Callable[[Any], str] | None = None,
    place: Place | None = None,
) -> Callable[[Any], str] | None:
    """The function of a template that makes a text: its holes are trees with their offsets.

    With ``again`` it is alone: it begins an evaluation by itself, calls ``again`` where the bounds are
    narrow, and ``place`` gives errors their place. None for trees too large or deep.
    """

    def write(body: Body) -> Code:
        if again is not None:
            _begin_evaluation(body, body.give(again))
        words: list[ast.expr] = []
        for part in parts:
            if isinstance(part, str):
                words.append(ast.Constant(part))
                continue
            tree, body.shift = part
            words.append(ast.FormattedValue(_write_text(body, tree, place), -1, None))
        return ast.JoinedStr(words)

    return function_of(write, is_node)  # type: ignore[no-any-return]


def generate_words(
    parts: Parts, is_node: IsNode, kinds: Sequence[type], again: Callable[[Any], str]
) -> Callable[[Any], str] | None:
    """As :func:`generate_text` alone, for holes of these kinds (texts and integers).

    ``again`` is called where a hole is of another kind, long or large, or the bounds are narrow.
    """

    def write(body: Body) -> Code:
        otherwise = body.give(again)
        _begin_evaluation(body, otherwise)
        _write_words(body, parts, kinds)
        return call(otherwise, name("scope"))

    return function_of(write, is_node)  # type: ignore[no-any-return]


def _begin_evaluation(body: Body, again: str) -> None:
    """Write what begins an evaluation; where the bounds are narrow, another function is called."""
    services = name("services")
    spent, roomy = attribute(services, "spent"), attribute(services, "roomy")
    leave = ast.If(opposite(call("ready", services)), [ast.Return(call(again, name("scope")))], [])
    body.block.append(ast.If(either(spent, opposite(roomy)), [leave], []))


def _write_text(body: Body, tree: Tree, place: Place | None) -> Code:
    """Write what gives a tree's value as text."""
    value = body.variable(body.write(tree))
    slow = body.give(slowpath.make_text(tree.offset + body.shift, place))
    target = body.new()
    kind = body.kind(value)

    def other() -> None:
        number = every([has_type(kind, "int"), is_small(value)])
        body.choose(target, number, value, call(slow, value, name("services")))

    body.when(
        every([has_type(kind, "str"), is_short(value)]), lambda: body.assign(target, value), other
    )
    return name(target)


def _write_words(body: Body, parts: Parts, kinds: Sequence[type]) -> None:
    """Write what returns the parts, joined, where the holes are of these kinds.

    Each hole is read inside the test of the one before it, so that errors come in their order.
    """
    rest = iter(kinds)
    words: list[ast.expr] = []
    outer = body.block
    for part in parts:
        if isinstance(part, str):
            words.append(ast.Constant(part))
            continue
        tree, body.shift = part
        value = body.variable(body.write(tree))
        words.append(ast.FormattedValue(value, -1, None))
        kind = next(rest)
        within = is_short(value) if kind is str else is_small(value)
        then: list[ast.stmt] = []
        test = every([has_type(call("type", value), kind.__name__), within])
        body.block.append(ast.If(test, then, []))
        body.block = then
    body.block.append(ast.Return(ast.JoinedStr(words)))
    body.block = outer
