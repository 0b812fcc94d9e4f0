"""Owns the harvest of the tests' documents: every text in them that is one, for tests of the whole language."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import flowscript_trio as fs

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "documents.jsonl"
"""Documents that tests make as they run, as texts in JSON. A run with ``--keep-documents FOLDER`` finds them anew;
``python tests/harvest.py FOLDER`` writes those that no test or page has as it stands.
"""
LOADED: dict[str, set[str]] = {}
"""Every document of the tests that is valid with the default runtimes, and the codes of its warnings."""
REFUSED: dict[str, set[str]] = {}
"""Every document of the tests that is refused, and the codes of its errors."""

FAMILIES = ("source", "transform", "sink", "control")


@cache
def documents() -> tuple[str, ...]:
    """Every document in the tests and the docs, and every one that tests make as they run, once."""
    return tuple(sorted({*_standing(), *_made()}))


def _standing() -> set[str]:
    """Every text constant in the tests, and every file there and in the docs, that holds a workflow."""
    return {text for text in (*_constants(), *_files()) if "<workflow" in text}


def _made() -> set[str]:
    return {json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()}


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


@cache
def load_all() -> None:
    """Load every document: see ``LOADED`` and ``REFUSED``."""
    for text in documents():
        try:
            flow = fs.loads(text, name="d.flow.md" if text.startswith("---") else "d.xml")
        except fs.WorkflowInvalid as exc:
            REFUSED[text] = {
                problem.code for problem in exc.problems if problem.severity == "error"
            }
        else:
            LOADED[text] = {problem.code for problem in flow.warnings}


def _keep(folder: Path) -> None:
    """Write the corpus from what a run of the tests has kept, without what belongs to a machine or to chance."""
    kept = {
        json.loads(line)
        for path in folder.glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    made = sorted(
        text
        for text in kept - _standing()
        if len(text) < 3000
        and not re.search(r"/tmp|127\.0\.0\.1|localhost:|generated|\ud800", text)
    )
    CORPUS.write_text("".join(json.dumps(text) + "\n" for text in made), encoding="utf-8")


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
