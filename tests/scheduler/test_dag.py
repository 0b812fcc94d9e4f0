"""Owns the tests of ordering and of finding cycles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscript_trio.scheduler.dag import find_cycles, list_dependents, order

CYCLES = [
    ([], []),
    ([(), (), ()], []),
    ([(), (0,), (0, 1)], []),
    ([(0,)], [[0]]),
    ([(1,), (0,)], [[0, 1]]),
    ([(2,), (0,), (1,)], [[0, 2, 1]]),
    ([(), (0, 2), (1,), (4,), (3,)], [[1, 2], [3, 4]]),
    ([(1,), (2, 0), (0,)], [[0, 1]]),
    ([(1,), (1,)], [[1]]),
]


@pytest.mark.parametrize(("waits", "cycles"), CYCLES)
def test_each_knot_gives_one_shortest_cycle_from_its_lowest_index(
    waits: list[tuple[int, ...]], cycles: list[list[int]]
) -> None:
    assert find_cycles(waits) == cycles


def test_dependents_are_the_inverse_of_waits() -> None:
    assert list_dependents([(), (0,), (0, 1)]) == [[1, 2], [2], []]


def test_order_leaves_out_a_cycle_and_what_waits_for_it() -> None:
    assert order([(), (2,), (1,), (2,), (0,)]) == [0, 4]


@pytest.mark.slow
def test_a_chain_of_a_hundred_thousand_nodes_needs_no_recursion() -> None:
    size = 100_000
    chain = [(index + 1,) for index in range(size - 1)] + [()]
    assert order(chain) == list(range(size - 1, -1, -1))
    assert find_cycles(chain) == []
    ring = [*chain[:-1], (0,)]
    assert find_cycles(ring) == [list(range(size))]


@given(st.lists(st.sets(st.integers(0, 14)), max_size=15))
def test_a_graph_has_an_order_or_a_cycle_and_both_are_right(graph: list[set[int]]) -> None:
    waits = [{other for other in awaited if other < len(graph)} for awaited in graph]
    ordered = order(waits)
    cycles = find_cycles(waits)
    assert (len(ordered) == len(waits)) == (not cycles)
    at = {index: place for place, index in enumerate(ordered)}
    assert all(at[other] < at[index] for index in ordered for other in waits[index])
    for cycle in cycles:
        assert all(b in waits[a] for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
