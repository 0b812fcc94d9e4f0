"""Owns the tests of how problems are shown to people, and of how many are kept."""

from __future__ import annotations

from typing import Literal

import pytest

import flowscript_trio as fs
from flowscript_trio.types.errors import Problem, WorkflowInvalid, problem_at
from flowscript_trio.types.findings import MOST, Findings
from flowscript_trio.types.location import Location, Source


@pytest.mark.parametrize("offset", [0, 10, 79, 80, 81, 5000, 9_900, 9_999])
def test_of_a_long_line_the_part_around_the_caret_is_shown(offset: int) -> None:
    text = "." * offset + "X" + "." * (9_999 - offset)
    _, line, caret = problem_at(Source("f", text), offset, "code", "message").render().splitlines()
    assert len(line) < 180
    assert line[caret.index("^")] == "X"


def test_a_tab_before_the_caret_stays_a_tab() -> None:
    _, line, caret = problem_at(Source("f", "\ta\tX"), 3, "code", "message").render().splitlines()
    assert line == "    1 | \ta\tX"
    assert caret == "      | \t \t^"


def many(
    count: int, severity: Literal["error", "warning"] = "error", start: int = 0
) -> list[Problem]:
    return [
        Problem(
            code="c",
            message=f"message {at}",
            location=Location("f.xml", at + 1, 1),
            severity=severity,
        )
        for at in range(start, start + count)
    ]


def test_of_very_many_problems_the_first_are_kept_and_the_others_counted() -> None:
    findings = Findings()
    findings.include(many(MOST + 500, "warning"))
    findings.include(many(MOST + 1, start=5000))
    findings.include(many(MOST + 500, "warning"))  # the same once more
    found = list(findings)
    assert len(found) == MOST + MOST + 1 + 1
    assert found[-2].message == (
        f"500 more warnings are not shown, of which this is the first: message {MOST}"
    )
    assert (found[-2].code, found[-2].stands_for) == ("more-problems", 500)
    assert found[-1].message == f"message {5000 + MOST}"  # a single one is shown as it is
    assert sum(problem.stands_for for problem in found) == 2 * MOST + 501
    assert findings.in_order()[-1].code == "more-problems"
    assert findings.has_errors


def test_what_was_counted_is_counted_once_where_problems_are_handed_on() -> None:
    inner = Findings()
    inner.include(many(MOST + 700))
    outer = Findings()
    outer.include(many(300, start=9000))
    outer.include(inner.in_order())
    assert sum(problem.stands_for for problem in outer) == 300 + MOST + 700
    error = WorkflowInvalid(outer.in_order())
    assert str(error).startswith(f"the workflow has {MOST + 1000} errors\n")


def test_problems_of_one_long_line_share_it() -> None:
    nodes = "".join(f'<transform id="t{at}" template="{{{{n{at}}}}}"/>' for at in range(500))
    with pytest.raises(WorkflowInvalid) as caught:
        fs.loads(f'<workflow name="w">\n{nodes}\n</workflow>')
    assert len(caught.value.problems) == 500
    assert len({id(problem.source_line) for problem in caught.value.problems}) == 1
