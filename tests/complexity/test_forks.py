"""Owns the tests that a fork takes the same for each row, however many nodes were undone."""

from __future__ import annotations

import pytest

from flowscript_trio.execution.durable.cutting import undone, without_begun, without_undone
from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.values import encode_value

from .counting import Work, per_unit


def forking(size: int) -> Work:
    """What is left of a run whose nodes had all ended and were all undone."""
    made = [("started", f"each[{index}]/book") for index in range(size)]
    made += [("ended", f"each[{index}]/book") for index in range(size)]
    made += [("ended", f"each[{index}]/book/@compensate/unbook") for index in range(size)]
    data = encode_value([1])
    rows = [(number, Row(kind, key, data)) for number, (kind, key) in enumerate(made)]
    kept = [(3 * size, Row("ended", "other", data))]

    async def fork() -> None:
        left = without_begun(without_undone([*rows, *kept], undone(rows, 0)))
        assert left == kept

    return fork


def test_one_more_node_that_was_undone_takes_the_same_at_every_size() -> None:
    first, later = per_unit(forking, 50, 100), per_unit(forking, 100, 500)
    assert later == pytest.approx(first, rel=0.05)
