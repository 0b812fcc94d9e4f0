"""Owns the body of one function while it is written: its statements, its names, and what it reads but once."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..syntax import Tree
from .given import Given
from .nodes import Code, call, name, same, stored

IsNode = Callable[[str], bool]
Parameters = dict[str, Code]


class Body:
    """What the writers of each kind of tree write into; ``writers`` has one for each kind.

    A writer appends statements to ``block`` and gives a name or a constant, which may be used often.
    """

    __slots__ = (
        "_kept",
        "_kinds",
        "block",
        "given",
        "is_node",
        "loops",
        "names",
        "shift",
        "writers",
    )

    def __init__(
        self,
        writers: Writers,
        is_node: IsNode,
        given: Given,
        shift: int = 0,
        names: Parameters | None = None,
    ) -> None:
        self.writers: Writers = writers
        self.is_node: IsNode = is_node
        self.given: Given = given
        self.shift: int = shift
        """Added to the offsets in errors: where the expression is in its text."""
        self.names: Parameters = {} if names is None else dict(names)
        """What the parameters of arrow functions, and other bound names, are in the code."""
        self.loops: int = 0
        """Loops around what is being written."""
        self.block: list[ast.stmt] = []
        self._kept: dict[Any, str] = {}
        self._kinds: dict[str, str] = {}
        """The names whose type another name is known to hold here: those that have their value, and keep it."""

    def write(self, tree: Tree) -> Code:
        """Write what gives a tree's value; raises TooLarge, and RecursionError for a deep one."""
        self.given.count_tree()
        return self.writers[tree.__class__](self, tree)

    def within(self, names: Parameters) -> Body:
        """The body of a function inside, with names of its own."""
        return Body(self.writers, self.is_node, self.given, self.shift, names)

    # ---- names ----

    def new(self) -> str:
        """A name for a temporary."""
        return f"t{self.given.number()}"

    def give(self, value: Any) -> str:
        """The name by which the code finds a value of ours."""
        return self.given.give(value)

    def keep(self, value: Code) -> Code:
        """Assign a value to a temporary; gives its name."""
        target = self.new()
        self.assign(target, value)
        return name(target)

    def variable(self, value: Code) -> Code:
        """A name for a value: Python warns of what is asked of a constant."""
        return self.keep(value) if isinstance(value, ast.Constant) else value

    def kind(self, value: Code) -> Code:
        """A name for the type of a value, which is asked for once."""
        if not isinstance(value, ast.Name):
            return self.keep(call("type", value))
        held = self._kinds.get(value.id)
        if held is None:
            held = self.new()
            self.assign(held, call("type", value))
            self._kinds[value.id] = held
        return name(held)

    def outside(self, key: Any, read: Code) -> Code:
        """A value of the scope; in a loop it is read at its first use, as a scope does not change."""
        if not self.loops:
            return self.keep(read)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self.new()
        self.when(same(name(kept), name("missing")), lambda: self.assign(kept, read))
        return name(kept)

    def prologue(self) -> Iterable[ast.stmt]:
        """What is before the body: names that are read at their first use."""
        for kept in self._kept.values():
            yield ast.Assign([stored(kept)], name("missing"))

    # ---- statements ----

    def assign(self, target: str, value: Code) -> None:
        self.block.append(ast.Assign([stored(target)], value))

    def append(self, made: Code, value: Code) -> None:
        """Append a value to a list."""
        append = ast.Attribute(made, "append", ast.Load())
        self.block.append(ast.Expr(ast.Call(append, [value], [])))

    def when(
        self, test: Code, then: Callable[[], None], other: Callable[[], None] | None = None
    ) -> None:
        """An ``if``, whose two sides are written by ``then`` and ``other``."""
        with self.apart() as yes:
            then()
        with self.apart() as no:
            if other is not None:
                other()
        self.block.append(ast.If(test, yes or [ast.Pass()], no))

    def choose(self, target: str, test: Code, yes: Code, no: Code) -> None:
        """Assign one of two values."""
        self.when(test, lambda: self.assign(target, yes), lambda: self.assign(target, no))

    @contextmanager
    def apart(self) -> Iterator[list[ast.stmt]]:
        """What is written inside goes to a block of its own."""
        outer, self.block = self.block, []
        # What is learned inside is not known after it.
        kinds, self._kinds = self._kinds, self._kinds.copy()
        try:
            yield self.block
        finally:
            self.block, self._kinds = outer, kinds


Writers = Mapping[type, Callable[[Body, Any], Code]]
"""For each kind of tree what writes it."""
