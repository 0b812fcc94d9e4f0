"""Owns the tests that everything wrong with a document is told at once, each thing at its exact place."""

from __future__ import annotations

import pytest

import flowscript_trio as fs
from flowscript_trio.parser import ReadLimits, parse
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


def test_a_hundred_errors_end_the_scan_with_a_last_one_that_says_so() -> None:
    problems = parse('<workflow name="w">' + "<x><$</x>" * 1000, file="bad").problems
    assert [problem.code for problem in problems] == ["not-well-formed"] * 100 + ["too-many-errors"]


def test_repairs_without_number_are_all_made_and_told_in_few_warnings() -> None:
    parsed = parse(f'<workflow name="w"><set var="v" value="{"&" * 1000}"/></workflow>', file="bad")
    assert [problem.code for problem in parsed.problems] == ["raw-ampersand"] * 100 + [
        "more-repairs"
    ]
    assert "900 more" in parsed.problems[-1].message
    assert parsed.document is not None
    assert str(parsed.document.body.nodes[0].settings["value"].value) == "&" * 1000


def test_a_limit_of_depth_beyond_what_the_interpreter_can_walk_is_a_problem_too() -> None:
    levels = 1500
    text = f'<workflow name="w">{"<loop>" * levels}{"</loop>" * levels}</workflow>'
    parsed = parse(text, file="bad", limits=ReadLimits(depth=levels + 2))
    assert parsed.document is None
    assert "too-deep" in [problem.code for problem in parsed.problems]
