"""Owns the tests of how a problem is shown to people."""

from __future__ import annotations

import pytest

from flowscript_trio.types.errors import problem_at
from flowscript_trio.types.location import Source


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
