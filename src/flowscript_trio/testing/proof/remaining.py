"""Owns whether an await in clean-up is the last thing there: interrupted there, nothing is left out."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from functools import lru_cache


@lru_cache(maxsize=256)
def leaves_out(file: str, line: int) -> bool:
    """Whether code of a ``finally`` or an ``except`` follows the await that is in that line of a file.

    A bare ``raise`` does not count. Where the source cannot be read, nothing is known to follow.
    """
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return False
    for block in _cleanups(tree):
        path = _path_to(block, line)
        if path is not None:
            return any(not _is_nothing(later) for rest in path for later in rest)
    return False


def _cleanups(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """The bodies of clean-up in a file, the inner ones first."""
    found: list[list[ast.stmt]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Try | ast.TryStar):
            found.append(node.finalbody)
            found += [handler.body for handler in node.handlers]
    return reversed(found)


def _path_to(block: list[ast.stmt], line: int) -> list[list[ast.stmt]] | None:
    """What follows the statement of a line, in each of the blocks that it is in, from a block on."""
    for at, statement in enumerate(block):
        if not statement.lineno <= line <= (statement.end_lineno or 0):
            continue
        inner = [
            part
            for name in ("body", "orelse", "finalbody")
            if (part := getattr(statement, name, None)) and isinstance(part, list)
        ]
        inner += [handler.body for handler in getattr(statement, "handlers", ())]
        for part in inner:
            path = _path_to(part, line)
            if path is not None:
                return [*path, block[at + 1 :]]
        return [block[at + 1 :]]
    return None


def _is_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Raise) and statement.exc is None
    )
