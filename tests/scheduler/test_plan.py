"""Owns the tests of plans: counts, dependents and waves."""

from __future__ import annotations

from flowscript_trio.scheduler.plan import NEVER, find_waves, plan_walk
from flowscript_trio.scheduler.pools import GraphPool

DIAMOND = [(), (0,), (0,), (1, 2)]


def test_a_plan_counts_the_waits_and_lists_the_dependents() -> None:
    plan = plan_walk(DIAMOND)
    assert plan.waits == (0, 1, 1, 2)
    assert plan.dependents == ((1, 2), (3,), (3,), ())


def test_a_node_that_is_passed_over_is_never_ready() -> None:
    plan = plan_walk([(), (), (0,)], passed_over={1})
    assert plan.waits == (0, NEVER, 1)
    pool = GraphPool(plan.waits, plan.dependents)
    assert pool.take(1) == (0, None)
    assert pool.take(1) is None
    pool.complete(0, 1)
    assert pool.take(2) == (2, None)
    assert pool.take(2) is None


def test_waves_go_by_the_longest_chain_before_a_node() -> None:
    assert find_waves(DIAMOND) == ((0,), (1, 2), (3,))
    assert find_waves([(), (), (0, 3), (1,)]) == ((0, 1), (3,), (2,))
    assert find_waves([]) == ()


def test_nodes_on_a_cycle_are_in_no_wave() -> None:
    assert find_waves([(), (2,), (1,)]) == ((0,),)
