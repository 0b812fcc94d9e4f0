"""Owns the rule that no error cuts a value: what is cut cannot be masked any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import flowscript_trio

HOME = Path(flowscript_trio.__file__).parent
CUTTERS = {"shorten", "truncate", "Repr"}

ALLOWED = {
    "expression/lexer.py": "the text of a document, which is read before there are secrets",
    "parser/declarations.py": "the text of a document",
    "parser/markup.py": "the text of a document",
    "picture/model.py": "the text of a document",
    "testing/values.py": "the text of a file of test cases",
    "expression/json_pieces.py": "a part of a text of JSON, to be read",
    "parser/ids.py": "an id of a document",
    "observe/pruning.py": "observers are given values that are masked",
    "observe/private_files.py": "the name of a file beside another",
    "cli/reports.py": "the errors of a run are masked when they leave their nodes",
    "cli/placing.py": "the names of the built-in places",
    "types/paths.py": "a label of a document",
}
"""Files whose texts may be cut where they are written, and why."""


def cuts(tree: ast.AST) -> Iterator[ast.AST]:
    """Where a text that is shown is made of a part of a value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr | ast.Raise):
            for part in ast.walk(node):
                if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Slice):
                    yield part
        if isinstance(node, ast.Call) and _name(node.func) in CUTTERS:
            yield node
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            spec = ast.unparse(node.format_spec)
            if spec.rstrip("'\"s").split(".")[-1].isdigit() and spec.endswith(("s'", 's"')):
                yield node  # as in {text:.40s}


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def files() -> list[str]:
    found = sorted(path.relative_to(HOME).as_posix() for path in HOME.rglob("*.py"))
    return [name for name in found if not name.startswith("testing/proof/")]


@pytest.mark.parametrize("name", files())
def test_no_text_that_is_shown_is_made_of_a_part_of_a_value(name: str) -> None:
    found = [ast.unparse(part) for part in cuts(ast.parse((HOME / name).read_text()))]
    if name in ALLOWED:
        assert found, f"{name} cuts nothing any more: it needs no exception"
    else:
        assert found == [], "describe a long value (its kind and length), or mask before cutting"


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError(f'{text[:60]!r} is wrong')",
        "message = f'found {word[2:]}'",
        "raise ValueError(text[:40])",
        "shorten(text, 40)",
        "textwrap.shorten(text, width=40)",
        "f'{text:.40s}'",
    ],
)
def test_each_way_of_cutting_is_found(code: str) -> None:
    assert list(cuts(ast.parse(code)))


@pytest.mark.parametrize("code", ["f'{number:.3f} s'", "f'{count:,} items'", "head = text[:40]"])
def test_other_code_is_let_be(code: str) -> None:
    assert not list(cuts(ast.parse(code)))
