"""Owns code of calls and of arrow functions that are values."""

from __future__ import annotations

import ast

from ..syntax import Arrow, Call, ListOf, Method, weight_of
from . import slowpath
from .body import Body
from .containers import write_list
from .loops import LOOPS, MAX_LOOPS, write_loop
from .nodes import Code, call, define, every, has_type, is_short, name


def write_call(body: Body, tree: Call | Method, value: Code | None = None) -> Code:
    """A call of a function, or of a method of ``value``, which is the function's first argument."""
    function = slowpath.METHODS[tree.name] if isinstance(tree, Method) else tree.name
    offset = tree.offset + body.shift
    arguments = tree.arguments
    own = [] if value is None else [value]
    given: list[Code] = []
    if any(spread for spread, _ in arguments):
        packed = write_list(body, ListOf(arguments, tree.offset))
        if own:
            packed = ast.List([*own, ast.Starred(packed, ast.Load())], ast.Load())
    else:
        trees = [argument for _, argument in arguments]
        arrow_at = 1 - len(own)
        count = 3 if function == "reduce" else 2
        if (
            function in LOOPS
            and len(trees) + len(own) == count
            and isinstance(trees[arrow_at], Arrow)
            and body.loops < MAX_LOOPS
        ):
            return write_loop(body, function, tree.name, value, trees, offset)
        given = own + [body.write(argument) for argument in trees]
        packed = ast.List(list(given), ast.Load())
    slow = body.give(slowpath.make_invoke(function, tree.name, offset))
    careful = call(slow, name("services"), packed)
    target = body.new()
    quick = slowpath.QUICK.get(function)
    if quick is None or not _fits(quick, given):
        body.assign(target, careful)
        return name(target)
    tests: list[Code] = [has_type(call("type", given[0]), *quick.types)]
    if "str" in quick.types and quick.reads:
        tests.append(is_short(given[0]))
    body.choose(target, every(tests), call(body.give(quick.function), *given), careful)
    return name(target)


def _fits(quick: slowpath.Quick, given: list[Code]) -> bool:
    """Whether a function may be called by the code itself: its second argument is a constant that it accepts."""
    if len(given) != quick.arguments or isinstance(given[0], ast.Constant):
        return False
    return all(isinstance(code, ast.Constant) and quick.accepts(code.value) for code in given[1:])


def write_arrow(body: Body, tree: Arrow) -> Code:
    """An arrow function as a value: a function inside; it keeps the names around it as they are."""
    word = f"f{body.given.number()}"
    # a variable of a loop goes on to change: the function takes its value along as a default
    taken = sorted({code.id for code in body.names.values() if isinstance(code, ast.Name)})
    mine = [body.new() for _ in tree.parameters]
    names = body.names | dict(zip(tree.parameters, map(name, mine), strict=True))
    inside = body.within(names)
    result = inside.write(tree.body)
    statements = [*inside.prologue(), *inside.block, ast.Return(result)]
    shared = ["scope", "services", "value", *taken]
    body.block.append(define(word, [*mine, *shared], statements, [name(n) for n in shared]))
    arity, weight = ast.Constant(len(tree.parameters)), ast.Constant(weight_of(tree.body))
    return body.keep(call("function", arity, weight, name(word), name("services")))
