"""Owns code that goes over lists: list functions whose arrow function is in place, as loops of Python."""

from __future__ import annotations

import ast

from ..syntax import Arrow, Tree, weight_of
from . import slowpath
from .body import Body
from .conditions import truth
from .nodes import Code, call, name, opposite, stored

MAX_LOOPS = 8
"""Loops inside one another that are written in place: Python allows 20 blocks, a loop takes two."""

LOOPS = frozenset({"map", "filter", "find", "some", "every", "count", "reduce"})
"""The functions that are written as loops."""
_SEARCHES = frozenset({"find", "some", "every"})
"""Those whose loop may end early."""


def write_loop(
    body: Body, function: str, word: str, value: Code | None, trees: list[Tree], offset: int
) -> Code:
    """An arrow function over a list: its body in place, items in runs that are counted as such.

    ``word`` is what the document calls ``function``; ``trees`` are the arguments, the list first unless it
    is ``value``.
    """
    if value is None:
        value = body.write(trees.pop(0))
    arrow = trees[0]
    assert isinstance(arrow, Arrow)
    items = body.keep(call("listed", value))
    made = body.new()
    body.assign(made, body.write(trees[1]) if function == "reduce" else _start(function))
    item, index, at, part = body.new(), body.new(), body.new(), body.new()
    roles = [name(item), name(index), items]
    if function == "reduce":
        roles.insert(0, name(made))
    outer = body.names
    body.names = outer | {
        parameter: roles[place] if place < len(roles) else ast.Constant(None)
        for place, parameter in enumerate(arrow.parameters)
    }
    with body.apart() as inside:
        body.loops += 1
        result = body.write(arrow.body)
        gather(body, function, made, name(item), result, arrow.body)
        body.loops -= 1
    body.names = outer
    target: ast.expr = stored(item)
    walked: Code = name(part)
    if len(arrow.parameters) > len(roles) - 2:  # one of them is the index
        target = ast.Tuple([stored(index), target], ast.Store())
        walked = call("enumerate", walked, name(at))
    # a loop that ends early ends the one around it, too, which goes over the runs
    ends = function in _SEARCHES
    leave: list[ast.stmt] = [ast.Continue()] if ends else []
    run: list[ast.stmt] = [ast.For(target, walked, inside, leave)]
    if ends:
        run.append(ast.Break())
    runs = body.give(slowpath.make_runs(word, offset, weight_of(arrow.body)))
    pair = ast.Tuple([stored(at), stored(part)], ast.Store())
    body.block.append(ast.For(pair, call(runs, items, name("services")), run, []))
    if function in ("map", "filter", "reduce"):
        done = body.give(slowpath.make_check(word, offset))
        body.assign(made, call(done, name(made), name("services")))
    return name(made)


def _start(function: str) -> Code:
    """What a function gives for an empty list."""
    start: dict[str, Code] = {
        "map": ast.List([], ast.Load()),
        "filter": ast.List([], ast.Load()),
        "find": ast.Constant(None),
        "some": ast.Constant(False),
        "every": ast.Constant(True),
        "count": ast.Constant(0),
    }
    return start[function]


def gather(body: Body, function: str, made: str, item: Code, result: Code, tree: Tree) -> None:
    """Write what becomes of the value of one item; ``tree`` is that of the value."""
    if function == "map":
        body.append(name(made), result)
        return
    if function == "reduce":
        body.assign(made, result)
        return
    test = truth(body, result, tree)

    def found() -> None:
        if function == "filter":
            body.append(name(made), item)
        elif function == "count":
            body.assign(made, ast.BinOp(name(made), ast.Add(), ast.Constant(1)))
        else:
            ends: dict[str, Code] = {
                "find": item,
                "some": ast.Constant(True),
                "every": ast.Constant(False),
            }
            body.assign(made, ends[function])
            body.block.append(ast.Break())

    body.when(opposite(test) if function == "every" else test, found)
