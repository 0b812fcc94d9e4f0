"""Owns code of list transforms: an expression over one item, or over a run of items at once."""

from __future__ import annotations

import ast
from typing import Any, Literal

from ..syntax import Arrow, Choice, Constant, ListOf, ObjectOf, Series, Tree, Unary
from .body import Body, IsNode, Parameters
from .conditions import SHORT_CIRCUITS
from .function import function_of
from .loops import gather
from .nodes import Code, attribute, call, name, stored

ITEM_NAMES = ("item", "index", "items", "acc")
"""What a list transform binds, in the order of the arguments."""

Way = Literal["map", "filter", "reduce"]


def generate_item(tree: Tree, is_node: IsNode, fold: bool) -> Any:
    """The function of a tree over (scope, item, index, items), and the accumulator where it is to ``fold``.

    None for a tree too large or deep.
    """
    parameters = ITEM_NAMES if fold else ITEM_NAMES[:3]
    return function_of(lambda body: body.write(tree), is_node, parameters, _bound(fold))


def generate_run(tree: Tree, is_node: IsNode, way: Way) -> Any:
    """The function of a run of items of a list transform: (scope, part, index, items, made).

    ``part`` is an iterator of the items from ``index`` on. It appends to ``made`` what becomes of each, up to the
    first that spends anything: what it has not taken is left in the iterator. For ``reduce``, ``made`` is the
    accumulator, and it returns the last. None for a tree too large, or whose value may be a function or marked
    as JSON.
    """
    fold = way == "reduce"
    bound = _bound(fold)
    if isinstance(tree, Arrow):
        roles = [bound[word] for word in (("acc",) if fold else ()) + ("item", "index", "$items")]
        roles += [ast.Constant(None)] * len(tree.parameters)
        bound |= dict(zip(tree.parameters, roles, strict=False))
        tree = tree.body
    if not _is_plain(tree):
        return None
    plain, made = tree, "acc" if fold else "made"
    return function_of(
        lambda body: _write_run(body, plain, way, made),
        is_node,
        ["part", "index", "items", made],
        bound,
    )


def _write_run(body: Body, tree: Tree, way: Way, made: str) -> Code:
    """Write what goes over a part of a list until an item spends; gives what it comes to."""
    with body.apart() as inside:
        body.loops += 1
        gather(body, way, made, name("item"), body.write(tree), tree)
        body.loops -= 1
        spent = attribute(name("services"), "spent")
        inside.append(ast.If(spent, [ast.Break()], []))
    target: ast.expr = stored("item")
    walked = name("part")
    if any(_names_index(statement) for statement in inside):
        target = ast.Tuple([stored("index"), target], ast.Store())
        walked = call("enumerate", walked, name("index"))
    body.block.append(ast.For(target, walked, inside, []))
    return name(made)


def _names_index(code: ast.AST) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "index" for node in ast.walk(code))


def _is_plain(tree: Tree) -> bool:
    """Whether a tree's value is neither a function nor marked as JSON, whatever its parts are."""
    match tree:
        case Constant() | ListOf() | ObjectOf() | Unary():
            return True
        case Series(first, rest):
            if rest[0][0] in SHORT_CIRCUITS:
                return _is_plain(first) and all(_is_plain(part) for _, part, _ in rest)
            return True
        case Choice(cases, otherwise):
            return _is_plain(otherwise) and all(_is_plain(then) for _, then in cases)
        case _:
            return False


def _bound(fold: bool) -> Parameters:
    """What the names of a list transform are in its code."""
    item, index, items, acc = map(name, ITEM_NAMES)
    count = call("len", items)
    last = ast.Compare(index, [ast.Eq()], [ast.BinOp(count, ast.Sub(), ast.Constant(1))])
    bound: Parameters = {
        "item": item,
        "$item": item,
        "index": index,
        "$index": index,
        "$items": items,
        "$first": ast.Compare(index, [ast.Eq()], [ast.Constant(0)]),
        "$last": last,
    }
    if fold:
        bound["acc"] = bound["$acc"] = acc
    return bound
