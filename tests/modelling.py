"""Owns a tiny model of expressions, apart from the engine: trees, how they are written, what they are worth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

VARIABLES: dict[str, Any] = {
    "a": 1,
    "b": "two",
    "c": None,
    "xs": [1, "x", None],
    "o": {"k": 5, "l": [6]},
}
PRECEDENCE = {
    "??": 1, "||": 2, "&&": 3, "==": 4, "!=": 4, "<": 5, "<=": 5, ">": 5, ">=": 5,
    "+": 6, "-": 6, "*": 7, "/": 7, "%": 7,
}  # fmt: skip
WORDS = {
    "||": "or",
    "&&": "and",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}


class Wrong(Exception):
    """The model says that this is an error of evaluation."""


@dataclass(frozen=True)
class Tree:
    kind: str
    value: Any = None
    parts: tuple[Tree, ...] = ()


_leaves = st.one_of(
    st.integers(0, 30).map(lambda n: Tree("constant", n)),
    st.text("ab7'\"\\{}é\n ", max_size=4).map(lambda s: Tree("constant", s)),
    st.sampled_from([True, False, None]).map(lambda c: Tree("constant", c)),
    st.sampled_from(sorted(VARIABLES)).map(lambda n: Tree("name", n)),
)


def _grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    def node(kind: str, values: Any, count: int) -> st.SearchStrategy[Tree]:
        return st.builds(lambda v, *parts: Tree(kind, v, parts), values, *[inner] * count)

    return st.one_of(
        node("binary", st.tuples(st.sampled_from(sorted(PRECEDENCE)), st.booleans()), 2),
        node("not", st.sampled_from(["!", "not ", "NOT "]), 1),
        node("minus", st.none(), 1),
        node("choice", st.none(), 3),
        node("member", st.sampled_from(["k", "l", "length", "z"]), 1),
        node("item", st.none(), 2),
        st.lists(inner, max_size=3).map(lambda parts: Tree("list", None, tuple(parts))),
        st.lists(inner, max_size=2).map(lambda parts: Tree("object", None, tuple(parts))),
        node("map", st.none(), 2),
    )


trees = st.recursive(_leaves, _grow, max_leaves=12)


def write(tree: Tree, outer: int = 0) -> str:
    """The source of a tree, with as few parentheses as precedence allows."""
    parts = tree.parts
    match tree.kind:
        case "constant":
            return _literal(tree.value)
        case "name":
            return str(tree.value)
        case "binary":
            operator, worded = tree.value
            level = PRECEDENCE[operator]
            sign = WORDS.get(operator, operator) if worded else operator
            text = f"{write(parts[0], level)} {sign} {write(parts[1], level + 1)}"
            return f"({text})" if level < outer else text
        case "not":
            return f"{tree.value}{write(parts[0], 9)}"
        case "minus":
            return f"- {write(parts[0], 9)}"
        case "choice":
            text = f"{write(parts[0], 1)} ? {write(parts[1])} : {write(parts[2])}"
            return f"({text})" if outer else text
        case "member":
            return f"{_base(parts[0])}.{tree.value}"
        case "item":
            return f"{_base(parts[0])}[{write(parts[1])}]"
        case "list":
            return "[" + ", ".join(write(part) for part in parts) + "]"
        case "object":
            return (
                "{"
                + ", ".join(f"k{at or ''}: {write(part)}" for at, part in enumerate(parts))
                + "}"
            )
        case _:
            return f"[{write(parts[0])}, 3].map(a => {_body(write(parts[1]))})"


def _base(tree: Tree) -> str:
    return write(tree) if tree.kind in ("name", "list") else f"({write(tree)})"


def _body(text: str) -> str:
    return f"({text})" if text.startswith("{") else text


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    return (
        {True: "true", False: "false", None: "null"}[value]
        if value is None or (value in (True, False) and isinstance(value, bool))
        else str(value)
    )


NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
"""The texts among those that a tree can make which are numbers."""


def worth(tree: Tree, names: dict[str, Any] = VARIABLES) -> Any:
    """The value of a tree; raises Wrong where it is an error."""
    parts = tree.parts
    match tree.kind:
        case "constant":
            return tree.value
        case "name":
            return names[tree.value]
        case "binary":
            return _binary(tree.value[0], parts, names)
        case "not":
            return not _true(worth(parts[0], names))
        case "minus":
            return -_number(worth(parts[0], names))
        case "choice":
            return worth(parts[1] if _true(worth(parts[0], names)) else parts[2], names)
        case "member":
            return _member(worth(parts[0], names), tree.value)
        case "item":
            base = worth(parts[0], names)
            return _member(base, worth(parts[1], names))
        case "list":
            return [worth(part, names) for part in parts]
        case "object":
            return {f"k{at or ''}": worth(part, names) for at, part in enumerate(parts)}
        case _:
            items = [worth(parts[0], names), 3]
            return [worth(parts[1], {**names, "a": item}) for item in items]


def _binary(operator: str, parts: tuple[Tree, ...], names: dict[str, Any]) -> Any:
    left = worth(parts[0], names)
    if operator == "??":
        return worth(parts[1], names) if left is None else left
    if operator in ("||", "&&"):
        return left if _true(left) == (operator == "||") else worth(parts[1], names)
    right = worth(parts[1], names)
    if operator in ("==", "!="):
        return _same(left, right) == (operator == "==")
    if operator in ("<", "<=", ">", ">="):
        return _ordered(operator, left, right)
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        return _word(left) + _word(right)
    a, b = _number(left), _number(right)
    if operator in "/%" and b == 0:
        raise Wrong
    if operator == "%":
        rest = abs(a) % abs(b)
        return -rest if a < 0 else rest
    if operator == "/":
        return a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b
    return a + b if operator == "+" else a - b if operator == "-" else a * b


def _true(value: Any) -> bool:
    return isinstance(value, (list, dict)) or bool(value)


def _number(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        return +value
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    raise Wrong


def _maybe(value: Any) -> Any:
    try:
        return _number(value)
    except Wrong:
        return None


def _ordered(operator: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    if isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
        raise Wrong
    a, b = _maybe(left), _maybe(right)
    if a is None or b is None:
        if isinstance(left, str) and isinstance(right, str):
            a, b = left, right
        elif isinstance(left, str) or isinstance(right, str):
            return False
        else:
            raise Wrong
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator])


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[k], right[k]) for k in left)
    return bool(left == right)


def _word(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise NotImplementedError  # the text of floats, lists and objects has its own tables


def _member(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return (
            None
            if isinstance(key, (list, dict)) or key is None
            else value.get(key if isinstance(key, str) else None)
        )
    if isinstance(value, (list, str)):
        if isinstance(key, str) and key == "length":
            return len(value)
        if isinstance(key, str) and key.isdigit():
            key = int(key)
        if isinstance(key, float) and key.is_integer():
            key = int(key)
        if isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(value):
            return value[key]
    return None
