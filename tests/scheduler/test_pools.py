"""Owns the tests of what hands out the jobs of a block."""

from __future__ import annotations

from flowscript_trio.scheduler.pools import CollectionPool
from flowscript_trio.scheduler.restoring import SkippingPool
from flowscript_trio.types.intervals import Intervals


def test_nothing_becomes_ready_when_a_job_of_a_collection_ends() -> None:
    pool = CollectionPool(iter("ab"), 2)
    assert pool.take(0) == (0, "a")
    assert pool.complete(0, 0) == 0
    skipping = SkippingPool(pool, Intervals([(0, 1)]))
    assert skipping.complete(0, 0) == 0
    assert skipping.take(0) == (1, "b")
