"""Owns the regular expressions of Python's ``re`` in the sources: a list of all, and texts hostile to them."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import flowscript_trio

ROOT = Path(flowscript_trio.__file__).parent
METHODS = frozenset({"match", "search", "fullmatch", "sub", "subn", "finditer", "findall", "split"})

MADE = {
    "expression/library/reading_dates.py": "of a date format, of 200 characters at most, over as long a text",
    "expression/json_numbers.py": "of a number that was refused, as it is written, and not inside another",
    "journal/secrets.py": "of spellings of secrets, which are alternatives without repetition",
    "parser/yaml.py": "of a fence of the reader's own around a number",
    "parser/trailing.py": "of a fence of code that the document has, which is one sign three times or more",
    "testing/expecting.py": "of the author of a test",
    "testing/judging.py": "of the author of a test",
    "types/patterns.py": "of what a module names, once it is used",
    "types/masking.py": "of secrets, which are alternatives without repetition",
}
"""Files in which patterns are made when they run, and of what."""


@dataclass(frozen=True)
class Use:
    """A regular expression, and a method of it that is called."""

    file: str
    name: str
    pattern: re.Pattern[Any]
    method: str

    def __str__(self) -> str:
        return f"{self.file} {self.name} {self.method}"

    def over(self, text: str) -> None:
        """Do it with a text."""
        given: Any = text.encode() if isinstance(self.pattern.pattern, bytes) else text
        if self.method in ("sub", "subn"):
            getattr(self.pattern, self.method)(given[:0], given)
        elif self.method == "finditer":
            for _ in self.pattern.finditer(given):
                pass
        else:
            getattr(self.pattern, self.method)(given)


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """The files of the sources, with their syntax."""
    files = sorted(ROOT.rglob("*.py"))
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())) for path in files]


def _is_call_of(node: ast.AST, function: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr == function
    )


def _compiles(node: ast.AST) -> bool:
    """Whether it is ``re.compile``, or ``pattern``, which puts that off."""
    put_off = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return _is_call_of(node, "compile") or (put_off and node.func.id == "pattern")  # type: ignore[attr-defined]


def _named(tree: ast.Module) -> dict[str, ast.Call]:
    """The patterns that are compiled once and have a name in their module."""
    found = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and _compiles(statement.value):
            (target,) = statement.targets
            assert isinstance(target, ast.Name)
            assert isinstance(statement.value, ast.Call)
            found[target.id] = statement.value
    return found


@cache
def methods() -> dict[str, set[str]]:
    """For each name the methods that are called of it, or handed on, anywhere in the sources."""
    found: dict[str, set[str]] = {}
    for _, tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.attr in METHODS
            ):
                found.setdefault(node.value.id, set()).add(node.attr)
    return found


@cache
def uses() -> list[Use]:
    """Every regular expression with every method that is called of it."""
    found = []
    for file, tree in trees():
        named = _named(tree)
        for name in named:
            module = importlib.import_module("flowscript_trio." + file[:-3].replace("/", "."))
            for method in sorted(methods().get(name, ())):
                found.append(Use(file, name, getattr(module, name), method))
        for node in ast.walk(tree):
            for method in METHODS:
                if _is_call_of(node, method):
                    assert isinstance(node, ast.Call)
                    pattern = node.args[0]
                    if isinstance(pattern, ast.Constant):
                        flags = _flags(node)
                        compiled = re.compile(pattern.value, flags)  # type: ignore[type-var]
                        found.append(Use(file, f"line {node.lineno}", compiled, method))
    return found


def _flags(call: ast.Call) -> int:
    words = ast.dump(call)
    return sum(flag for flag in re.RegexFlag if f"attr='{flag.name}'" in words)


def made() -> set[str]:
    """The files in which a pattern is made of something that is not written there."""
    found = set()
    for file, tree in trees():
        once = {id(call) for call in _named(tree).values()}
        for node in ast.walk(tree):
            if _compiles(node) and id(node) not in once:
                found.add(file)
            for method in METHODS:
                if _is_call_of(node, method):
                    assert isinstance(node, ast.Call)
                    if not isinstance(node.args[0], ast.Constant):
                        found.add(file)
    return found


PIECES = [
    *(
        "1",
        "a",
        "A",
        " ",
        "\n",
        "\t",
        "\r\n",
        "<",
        ">",
        "&",
        "'",
        '"',
        "\\",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "-",
        "_",
    ),
    *(
        ".",
        ",",
        ":",
        ";",
        "/",
        "~",
        "%",
        "=",
        "+",
        "$",
        "|",
        "0x",
        "é",
        "\u2028",
        "1.",
        "a.",
        "a ",
        " a",
        "a=",
        "''",
    ),
    *(
        '""',
        "<a",
        "</",
        "<!--",
        "<![CDATA[",
        "<?",
        "&a",
        "&#",
        "{{",
        "\\{{",
        "--",
        "/*",
        "*/",
        "---\n",
        "1h",
        "x,",
        "Aa",
    ),
    *(
        'a="',
        "a='b' ",
        "P1",
        "(1",
        "[1]",
        "/1",
        "~1",
        "IN (",
        " IN ",
        "x.y",
        "https:/",
        "COPY ",
        "``<",
        "1 ",
    ),
]
"""What hostile texts repeat."""
STARTS = ("", "<a ", "<!--", "a", "P", "'")
ENDS = ("", "!")


def hostile(size: int) -> Iterator[str]:
    """Texts of about so many characters, each of one piece over and over between a start and an end."""
    for start in STARTS:
        for piece in PIECES:
            middle = piece * (size // len(piece))
            for end in ENDS:
                yield start + middle + end
