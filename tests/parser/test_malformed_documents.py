"""Owns the tests that everything wrong with a document is told at once, each thing at its exact place."""

from __future__ import annotations

import pytest

import flowscript_trio as fs
from malformed import MALFORMED


@pytest.mark.parametrize(
    ("text", "expected"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED]
)
def test_every_problem_is_told_with_its_code_line_and_column(
    text: str, expected: list[tuple[str, int, int]]
) -> None:
    try:
        problems = fs.loads(text, name="bad").warnings
    except fs.WorkflowInvalid as exc:
        problems = exc.problems
    found = [(p.code, p.location.line, p.location.column) for p in problems]
    assert sorted(found, key=lambda problem: problem[1:]) == found
    assert sorted(found) == sorted(expected)
    for problem in problems:
        assert problem.location.file == "bad"
        assert problem.source_line == text.split("\n")[problem.location.line - 1]
