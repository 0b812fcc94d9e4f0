"""No part of the engine asks an error for anything but through the door: its class may be anyone's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import flowscript_trio

ROOT = Path(flowscript_trio.__file__).parent
ROOMS = (
    *("types", "expression", "scheduler", "watchdog", "journal", "execution", "placement"),
    *("observe", "testing", "cli"),
)
"""The rooms that meet errors of nodes; in the others, errors are their own and those of libraries."""
ANYONES = {"BaseException", "Exception"}
"""What a name is said to be, or caught as, that may be an error of anyone's class."""
ASKS = {
    "str",
    "repr",
    "format",
    "getattr",
    "hasattr",
    "setattr",
    "vars",
    "dir",
    "bool",
    "isinstance",
}
"""The functions that call what a class defines."""
INSIDE = {"types/exceptions.py", "types/looking.py"}
"""What stands behind the door."""
ALLOWED = {
    "types/describing.py: _describe": "called by the door",
    "types/describing.py: _status": "called by the door",
    "types/describing.py: ask": "called by the door",
    "execution/masking.py: _rewrite_one": "called by the door",
    "placement/errors.py: _arguments": "called by the door",
    "journal/errors.py: fill": "called by the door",
    "types/tracebacks.py: _stand_in_for": "of a class that is made there",
}


def _is_anyones(annotation: ast.expr | None) -> bool:
    """Whether an annotation, or a class that is caught, leaves the class of an error open."""
    match annotation:
        case ast.Name(name):
            return name in ANYONES
        case ast.BinOp(left, ast.BitOr(), right):
            return _is_anyones(left) or _is_anyones(right)
        case ast.Tuple(elements):
            return any(map(_is_anyones, elements))
    return False


def _anyones_names(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.arg) and _is_anyones(node.annotation):
            yield node.arg
        if isinstance(node, ast.ExceptHandler) and node.name and _is_anyones(node.type):
            yield node.name
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and _is_anyones(node.annotation)
        ):
            yield node.target.id


def _is_one(node: ast.expr, names: set[str]) -> bool:
    """Whether an expression is such an error: a name for one, or the ``error`` of a result, an event, a signal."""
    match node:
        case ast.Name(name):
            return name in names
        case ast.Attribute(_, "error"):
            return True
    return False


def looks_in(text: str) -> list[tuple[int, str, str]]:
    """The direct looks at errors in a text: the line of each, the function that it stands in, and what it does."""
    found: list[tuple[int, str, str]] = []

    def visit(node: ast.AST, function: str, known: set[str]) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            function = getattr(node, "name", function)
            known = known | set(_anyones_names(node))
        what = _look(node, known)
        if what is not None:
            found.append((getattr(node, "lineno", 0), function, what))
        for child, left in _children(node, known):
            visit(child, function, left)

    visit(ast.parse(text), "", set())
    return found


def _children(node: ast.AST, known: set[str]) -> Iterator[tuple[ast.AST, set[str]]]:
    """What stands in a node, each with the names that are anyone's there: not those that ``is_a`` has settled."""
    left = set(known)
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child, set(known) if field == "orelse" else left
                if isinstance(child, ast.Assert):
                    left = left - _settled(child.test)
                if isinstance(node, ast.BoolOp) or field == "test":
                    left = left - _settled(child)


def _settled(test: ast.AST) -> set[str]:
    """The names of which a condition that holds says the class."""
    match test:
        case ast.Call(ast.Name("is_a"), [ast.Name(name), _]):
            return {name}
        case ast.BoolOp(ast.And(), values):
            return {name for value in values for name in _settled(value)}
    return set()


KINDS = ANYONES | {"BaseExceptionGroup", "ExceptionGroup", "KeyboardInterrupt", "SystemExit"}
KINDS |= {"GeneratorExit", "trio.Cancelled", "trio.TooSlowError"}
"""What an error may be taken for whatever its name is annotated with, in a comprehension, say."""


def _look(node: ast.AST, names: set[str]) -> str | None:
    match node:
        case ast.Call(ast.Name("isinstance"), [first, kind]) if KINDS & _kinds_in(kind):
            return f"isinstance({ast.unparse(first)})"
        case ast.Call(ast.Name(called), [first, *_]) if called in ASKS and _is_one(first, names):
            return f"{called}({ast.unparse(first)})"
        case ast.FormattedValue(value) if _is_one(value, names):
            return f"{{{ast.unparse(value)}}}"
        case ast.Attribute(ast.Name(name), attribute) if name in names:
            return f"{name}.{attribute}"
    return None


def _kinds_in(kind: ast.expr) -> set[str]:
    return {
        ast.unparse(each) for each in ast.walk(kind) if isinstance(each, ast.Name | ast.Attribute)
    }


def all_looks() -> list[str]:
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name in INSIDE:
                continue
            for line, function, what in looks_in(path.read_text(encoding="utf-8")):
                if f"{name}: {function}" not in ALLOWED:
                    found.append(f"{name}:{line}: {what} in {function}")
    return found


def test_no_error_is_asked_directly() -> None:
    assert all_looks() == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(error: BaseException): return str(error)",
        "def f(error: Exception | None): return f'{error}'",
        "def f():\n try: g()\n except Exception as exc: return exc.status",
        "def f():\n try: g()\n except (ValueError, BaseException) as exc: return getattr(exc, 'x', None)",
        "def f(result): return repr(result.error)",
        "def f(error: BaseException): return isinstance(error, ValueError)",
        "def f(error: BaseException): return error.add_note('x')",
        "def f(errors): return [each for each in errors if isinstance(each, trio.Cancelled)]",
        "async def f(error: BaseException): return lambda: f'{error!r}'",
        "def f(error: BaseException):\n if is_a(error, Ours): pass\n else: return error.path",
        "def f(error: BaseException):\n if is_a(error, Ours): return 1\n return error.path",
    ],
)
def test_a_direct_look_is_seen(code: str) -> None:
    assert len(looks_in(code)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "def f(error: BaseException): return text_of(error)",
        "def f():\n try: g()\n except ValueError as exc: return str(exc)",
        "def f(error: BaseException): return is_a(error, Ours) and error.path",
        "def f(error: BaseException):\n if is_a(error, Ours): return error.path",
    ],
)
def test_what_is_no_direct_look_passes(code: str) -> None:
    assert looks_in(code) == []
