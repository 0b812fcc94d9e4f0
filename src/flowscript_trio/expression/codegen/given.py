"""Owns what generated code can name: a fixed table, and what the code of one expression is given beside it."""

from __future__ import annotations

from typing import Any

from . import slowpath

MAX_TREES = 400
"""Larger expressions are documents of their own, and run as closures: making a function of them takes long."""

SUPPORT: dict[str, Any] = {
    "__builtins__": {},
    "type": type, "int": int, "float": float, "str": str, "dict": dict, "list": list, "len": len,
    "enumerate": enumerate, "missing": slowpath.MISSING, "truthy": slowpath.truthy,
    "member": slowpath.member, "listed": slowpath.listed, "function": slowpath.make_function,
    "key_text": slowpath.key_text, "type_of": slowpath.type_of, "ready": slowpath.ready,
}  # fmt: skip
"""The names of Python's and of ours that generated code uses; there are no others."""


class TooLarge(Exception):
    """A tree is larger than what is worth a function of its own."""


class Given:
    """What the code of one expression is given: support by name; counts names and trees."""

    __slots__ = ("_count", "_trees", "names")

    def __init__(self) -> None:
        self.names: dict[str, Any] = dict(SUPPORT)
        self._count = self._trees = 0

    def number(self) -> int:
        """A number that no other name of this expression has."""
        self._count += 1
        return self._count

    def give(self, value: Any) -> str:
        """The name by which the code finds a value of ours."""
        word = f"s{self.number()}"
        self.names[word] = value
        return word

    def count_tree(self) -> None:
        """Raise TooLarge where there are more trees than are worth a function."""
        self._trees += 1
        if self._trees > MAX_TREES:
            raise TooLarge
