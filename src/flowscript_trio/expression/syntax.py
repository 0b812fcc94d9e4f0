"""Owns the syntax tree of expressions: what was written, with the offset of each part."""

from __future__ import annotations

from typing import Any

from ..types.deferred import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    value: Any
    offset: int


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    offset: int
    local: bool
    """Bound by an arrow function around it."""


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[tuple[bool, Tree], ...]
    """Each with whether it is spread."""
    offset: int


@dataclass(frozen=True, slots=True)
class ObjectOf:
    entries: tuple[tuple[Tree | None, Tree], ...]
    """Key and value; without a key the value is spread."""
    offset: int


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Item:
    key: Tree
    offset: int


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    arguments: tuple[tuple[bool, Tree], ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A value and the members, items and methods taken from it one after another."""

    base: Tree
    steps: tuple[Member | Item | Method, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[tuple[bool, Tree], ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Arrow:
    parameters: tuple[str, ...]
    body: Tree
    offset: int


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Tree
    offset: int


@dataclass(frozen=True, slots=True)
class Series:
    """Operands of one level of precedence, joined from the left."""

    first: Tree
    rest: tuple[tuple[str, Tree, int], ...]
    """Operator, operand, offset of the operator."""
    offset: int


@dataclass(frozen=True, slots=True)
class Choice:
    """``condition ? then : otherwise``, chained to the right."""

    cases: tuple[tuple[Tree, Tree], ...]
    otherwise: Tree
    offset: int


Tree = Constant | Name | ListOf | ObjectOf | Chain | Call | Arrow | Unary | Series | Choice


def weight_of(tree: Tree) -> int:
    """Operations of evaluating a tree once: one, and one more for every four parts of it."""
    count = 0
    stack: list[Tree] = [tree]
    while stack:
        part = stack.pop()
        count += 1
        match part:
            case Chain(base, steps):
                stack.append(base)
                count += len(steps)
                for step in steps:
                    if isinstance(step, Item):
                        stack.append(step.key)
                    elif isinstance(step, Method):
                        stack.extend(argument for _, argument in step.arguments)
            case Call(_, pairs) | ListOf(pairs):
                stack.extend(each for _, each in pairs)
            case Series(first, rest):
                stack.append(first)
                stack.extend(operand for _, operand, _ in rest)
            case Unary(_, operand):
                stack.append(operand)
            case Choice(cases, otherwise):
                stack.append(otherwise)
                for case in cases:
                    stack.extend(case)
            case ObjectOf(entries):
                for key, value in entries:
                    stack.extend([value] if key is None else [key, value])
            case Arrow(_, body):
                stack.append(body)
            case Constant() | Name():
                pass
    return 1 + count // 4


def words_of(tree: Tree) -> str | None:
    """A name with its members as it was written (``user.age``), for errors; None for all else."""
    if isinstance(tree, Name):
        return tree.name
    if not isinstance(tree, Chain) or not isinstance(tree.base, Name):
        return None
    words = tree.base.name
    for step in tree.steps:
        if isinstance(step, Member):
            words += "." + step.name
        elif isinstance(step, Item) and isinstance(step.key, Constant):
            words += f"[{step.key.value!r}]"
        else:
            return None
    return words
