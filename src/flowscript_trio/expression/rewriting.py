"""Owns the rewriting of syntax trees: every part handed to a function that may put another in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .syntax import (
    Arrow,
    Call,
    Chain,
    Choice,
    Constant,
    Item,
    ListOf,
    Member,
    Method,
    Name,
    ObjectOf,
    Series,
    Tree,
    Unary,
)

Change = Callable[[Tree], Tree]
Items = tuple[tuple[bool, Tree], ...]


def rewrite(tree: Tree, change: Change) -> Tree:
    """The tree with ``change`` of each of its parts in their places, the innermost first.

    A name that members are taken of is a part of its chain, and not handed over by itself.
    """
    return change(_inside(tree, lambda part: rewrite(part, change)))


def _inside(tree: Tree, of: Change) -> Tree:
    match tree:
        case Constant() | Name():
            return tree
        case Chain(base, steps):
            changed_base = base if isinstance(base, Name) else of(base)
            return replace(tree, base=changed_base, steps=tuple(_step(step, of) for step in steps))
        case Call(_, arguments):
            return replace(tree, arguments=_items(arguments, of))
        case Arrow(_, body):
            return replace(tree, body=of(body))
        case Unary(_, operand):
            return replace(tree, operand=of(operand))
        case Series(first, rest):
            changed = tuple((operator, of(part), at) for operator, part, at in rest)
            return replace(tree, first=of(first), rest=changed)
        case Choice(cases, otherwise):
            both = tuple((of(when), of(then)) for when, then in cases)
            return replace(tree, cases=both, otherwise=of(otherwise))
        case ListOf(items):
            return replace(tree, items=_items(items, of))
        case ObjectOf(entries):
            pairs = tuple((None if key is None else of(key), of(value)) for key, value in entries)
            return replace(tree, entries=pairs)


def _step(step: Member | Item | Method, of: Change) -> Member | Item | Method:
    match step:
        case Member():
            return step
        case Item(key):
            return replace(step, key=of(key))
        case Method(_, arguments):
            return replace(step, arguments=_items(arguments, of))


def _items(items: Items, of: Change) -> Items:
    return tuple((spread, of(part)) for spread, part in items)
