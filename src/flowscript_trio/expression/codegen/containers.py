"""Owns code of lists and objects, and of what is spread into them."""

from __future__ import annotations

import ast

from ..syntax import Constant, ListOf, ObjectOf, Tree
from ..values import key_text
from . import slowpath
from .body import Body
from .nodes import Code, call, every, has_type, is_short, name


def write_list(body: Body, tree: ListOf) -> Code:
    if not any(spread for spread, _ in tree.items):
        return body.keep(ast.List([body.write(item) for _, item in tree.items], ast.Load()))
    made = body.keep(ast.List([], ast.Load()))
    for spread, item in tree.items:
        if spread:
            slow = body.give(slowpath.make_spread_list(item.offset + body.shift))
            body.assign(body.new(), call(slow, made, body.write(item), name("services")))
        else:
            body.append(made, body.write(item))
    done = body.give(slowpath.check_made)
    return body.keep(call(done, made, name("services")))


def write_object(body: Body, tree: ObjectOf) -> Code:
    target = body.new()
    made = name(target)
    begun = False
    pending: list[tuple[Code, Code]] = []

    def flush() -> None:
        nonlocal begun
        if not begun:
            keys: list[ast.expr | None] = [key for key, _ in pending]
            body.assign(target, ast.Dict(keys, [value for _, value in pending]))
            begun = True
        else:
            for key, value in pending:
                place = ast.Subscript(made, key, ast.Store())
                body.block.append(ast.Assign([place], value))
        pending.clear()

    for key, entry in tree.entries:
        if key is not None:
            pending.append((_write_key(body, key), body.write(entry)))
            continue
        if begun or pending:
            flush()
        value = body.variable(body.write(entry))
        slow = body.give(slowpath.make_spread_object(entry.offset + body.shift))
        if begun:
            body.assign(target, call(slow, made, value, name("services")))
            continue
        begun = True
        small = [has_type(body.kind(value), "dict"), is_short(value)]
        careful = call(slow, ast.Dict([], []), value, name("services"))
        body.choose(target, every(small), ast.Dict([None], [value]), careful)
    if pending or not begun:
        flush()
    return made


def _write_key(body: Body, tree: Tree) -> Code:
    if isinstance(tree, Constant):
        return ast.Constant(key_text(tree.value))
    return body.keep(call("key_text", body.write(tree)))
