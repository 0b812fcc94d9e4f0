"""Owns code that reads: names of the scope, members of values, and chains of both."""

from __future__ import annotations

import ast

from ..members import NODE_MEMBERS, read_node, read_node_member, static_name
from ..syntax import Chain, Constant, Item, Member, Method, Name
from .body import Body
from .calls import write_call
from .nodes import Code, call, has_type, name


def write_constant(_: Body, tree: Constant) -> Code:
    return ast.Constant(tree.value)


def write_name(body: Body, tree: Name) -> Code:
    word = tree.name
    if word in body.names and (tree.local or not body.is_node(word)):
        return body.names[word]
    if body.is_node(word):
        return body.outside(("node", word), call(body.give(read_node(word)), name("scope")))
    return body.outside(word, call("value", ast.Constant(word)))


def write_chain(body: Body, tree: Chain) -> Code:
    base, steps = tree.base, tree.steps
    first = static_name(steps[0])
    if (
        isinstance(base, Name)
        and not base.local
        and body.is_node(base.name)
        and first in NODE_MEMBERS
    ):
        reader = body.give(read_node_member(base.name, first))
        value = body.outside(("node", base.name, first), call(reader, name("scope")))
        steps = steps[1:]
    else:
        value = body.write(base)
    for step in steps:
        value = _write_step(body, value, step)
    return value


def _write_step(body: Body, value: Code, step: Member | Item | Method) -> Code:
    if isinstance(step, Method):
        return write_call(body, step, value)
    value = body.variable(value)
    target = body.new()
    word = static_name(step)
    if word is not None:
        key = ast.Constant(word)
        found = ast.IfExp(
            ast.Compare(key, [ast.In()], [value]),
            ast.Subscript(value, key, ast.Load()),
            ast.Constant(None),
        )
        plain = has_type(body.kind(value), "dict")
        body.choose(target, plain, found, call("member", value, key))
        return name(target)
    assert isinstance(step, Item)
    body.assign(target, call("member", value, body.write(step.key)))
    return name(target)
