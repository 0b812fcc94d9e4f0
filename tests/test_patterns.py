"""Owns that no regular expression of the sources takes more than linear time."""

from __future__ import annotations

from time import thread_time

import pytest

from patterns import MADE, Use, hostile, made, uses

SIZE = 4_000
MOST = 0.05
"""Seconds over a text of that size: a linear expression takes a hundredth of it, a quadratic one twice as long."""


def test_the_list_of_patterns_is_complete() -> None:
    assert made() == set(MADE)


@pytest.mark.slow
@pytest.mark.parametrize("use", uses(), ids=str)
def test_no_pattern_is_worse_than_linear(use: Use) -> None:
    for text in hostile(SIZE):
        began = thread_time()
        use.over(text)
        took = thread_time() - began
        assert took < MOST, (took, text[:20], text[-5:])
