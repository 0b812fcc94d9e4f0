"""Owns the precedence of binary operators: a row of operands → a tree."""

from __future__ import annotations

from .lexer import Token
from .syntax import Series, Tree

LEVELS = (
    frozenset({"??"}),
    frozenset({"||"}),
    frozenset({"&&"}),
    frozenset({"==", "!=", "===", "!=="}),
    frozenset({"<", "<=", ">", ">=", "in"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
"""Binary operators by precedence, loosest first."""

OPERATORS: frozenset[str] = frozenset().union(*LEVELS)


def group(operands: list[Tree], operators: list[Token], level: int = 0) -> Tree:
    """Join operands by precedence: the loosest operators split them first."""
    while operators and not any(token.value in LEVELS[level] for token in operators):
        level += 1
    if not operators:
        return operands[0]
    parts: list[Tree] = []
    split: list[Token] = []
    start = 0
    for at, token in enumerate(operators):
        if token.value in LEVELS[level]:
            parts.append(group(operands[start : at + 1], operators[start:at], level + 1))
            split.append(token)
            start = at + 1
    parts.append(group(operands[start:], operators[start:], level + 1))
    rest = tuple(
        (str(token.value), part, token.start) for token, part in zip(split, parts[1:], strict=True)
    )
    return Series(parts[0], rest, parts[0].offset)
