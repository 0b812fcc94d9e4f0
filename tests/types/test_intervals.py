"""Owns the tests of sets of numbers that are kept as intervals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowscript_trio.types.intervals import Intervals

PAIRS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 9)).map(lambda p: (p[0], p[0] + p[1]))
)


@given(PAIRS, st.lists(st.integers(0, 70)))
def test_intervals_hold_what_a_set_of_the_numbers_holds(
    pairs: list[tuple[int, int]], numbers: list[int]
) -> None:
    intervals, plain = (
        Intervals(pairs),
        {each for start, end in pairs for each in range(start, end)},
    )
    for number in numbers:
        intervals.add(number)
        plain.add(number)
    assert list(intervals) == sorted(plain)
    assert len(intervals) == len(plain)
    assert [number in intervals for number in range(80)] == [
        number in plain for number in range(80)
    ]
    assert intervals.first_missing() == next(each for each in range(81) if each not in plain)
    gaps = [number for number in plain if number + 1 not in plain]
    assert len(intervals.pairs()) == len(gaps)


def test_a_million_numbers_in_a_row_are_one_interval() -> None:
    intervals = Intervals()
    for number in range(1_000_000):
        intervals.add(number)
    assert intervals.pairs() == [(0, 1_000_000)]


def test_an_interval_is_covered_where_each_of_its_numbers_is_there() -> None:
    numbers = Intervals([(2, 5), (7, 9)])
    found = {(a, b) for a in range(12) for b in range(12) if numbers.covers(a, b)}
    held = {2, 3, 4, 7, 8}
    assert found == {(a, b) for a in range(12) for b in range(12) if held.issuperset(range(a, b))}
