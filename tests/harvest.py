"""Owns the harvest of the tests' documents: every text in them that is one, for tests of the whole language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import flowscript_trio as fs

ROOT = Path(__file__).parents[1]
LOADED: dict[str, set[str]] = {}
"""Every document that was loaded with the default runtimes in this session, and the codes of its warnings."""
REFUSED: dict[str, set[str]] = {}
"""Every document that was refused, and the codes of its errors."""

REPEATED: set[str] = set()
"""Every path that two executions of one run had in this session."""

FAMILIES = ("source", "transform", "sink", "control")


@cache
def documents() -> tuple[str, ...]:
    """Every text constant in the tests, and every file there and in the docs, that holds a workflow, once."""
    return tuple(sorted({text for text in (*_constants(), *_files()) if "<workflow" in text}))


def _constants() -> Iterator[str]:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _files() -> Iterator[str]:
    for folder in ("tests", "docs"):
        for pattern in ("*.xml", "*.flow.md"):
            for path in sorted((ROOT / folder).rglob(pattern)):
                if "_build" not in path.parts:
                    yield path.read_text(encoding="utf-8")


def declared(text: str) -> str:
    """The document with the language's prefixes declared on its root, where it does not do so itself."""
    before, root, after = text.partition("<workflow")
    missing = [
        f' xmlns:{prefix}="urn:flowscript:{prefix}"'
        for prefix in FAMILIES
        if f"xmlns:{prefix}=" not in text
    ]
    return before + root + "".join(missing) + after


def workflow_of(text: str) -> str:
    """The workflow's element of a document with front matter, or the whole of one without."""
    if not text.startswith("---"):
        return text
    end = text.rfind("</workflow>")
    return text[text.index("<workflow") : end + len("</workflow>") if end >= 0 else None]


def load_all() -> None:
    """Load every document that stands in the tests, whichever of them run: see ``LOADED``."""
    for text in documents():
        with suppress(fs.WorkflowInvalid):
            fs.loads(text, name="d.flow.md" if text.startswith("---") else "d.xml")
