"""Owns whole functions: which writer writes which kind of tree, and how a written body is compiled."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from ..syntax import (
    Arrow,
    Call,
    Chain,
    Choice,
    Constant,
    ListOf,
    Name,
    ObjectOf,
    Series,
    Tree,
    Unary,
)
from .body import Body, IsNode, Parameters, Writers
from .calls import write_arrow, write_call
from .conditions import write_choice
from .containers import write_list, write_object
from .given import Given, TooLarge
from .nodes import Code, attribute, define, name, stored
from .operators import write_series, write_unary
from .reading import write_chain, write_constant, write_name

WRITERS: Writers = {
    Constant: write_constant,
    Name: write_name,
    Chain: write_chain,
    Call: write_call,
    Series: write_series,
    Unary: write_unary,
    Choice: write_choice,
    ListOf: write_list,
    ObjectOf: write_object,
    Arrow: write_arrow,
}


def generate(tree: Tree, is_node: IsNode) -> Callable[..., Any] | None:
    """The function of a tree over a scope; None for a tree too large or deep for one."""
    return function_of(lambda body: body.write(tree), is_node)  # type: ignore[no-any-return]


def module_of(tree: Tree, is_node: IsNode) -> ast.Module:
    """The code of a tree as it is compiled, for those who look at it."""
    body = Body(WRITERS, is_node, Given())
    return _module(body, body.write(tree), ())


def function_of(
    write: Callable[[Body], Code],
    is_node: IsNode,
    parameters: Sequence[str] = (),
    names: Parameters | None = None,
) -> Any:
    """The function whose statements ``write`` writes; it returns what ``write`` gives.

    It takes a scope and ``parameters``; ``names`` are the names of documents that are bound in it, with
    what they are in the code. None where the trees are too large or too deep.
    """
    given = Given()
    body = Body(WRITERS, is_node, given, names=names)
    try:
        module = _module(body, write(body), parameters)
        code = compile(module, "<flowscript>", "exec")
    except (RecursionError, TooLarge):
        return None
    exec(code, given.names)
    return given.names["run"]


def _module(body: Body, result: Code, parameters: Sequence[str]) -> ast.Module:
    scope = name("scope")
    beginning = [
        ast.Assign([stored(word)], attribute(scope, word)) for word in ("services", "value")
    ]
    statements = [*beginning, *body.prologue(), *body.block, ast.Return(result)]
    module = ast.Module([define("run", ["scope", *parameters], statements, [])], [])
    return ast.fix_missing_locations(module)
